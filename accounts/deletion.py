"""How accounts and sessions end."""

import re
import time
from datetime import timedelta
from functools import partial
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts import billing
from accounts.mail import went_out
from accounts.models import Usage, User
from config.logs import DOT, LETTER, SIGN

# Of an account whose requests still run: each may have stored something while its rows were deleted.
TRIES, PAUSE = 20, 0.1  # seconds


def delete_account(user: User) -> None:
    """Delete the account: its keys and sessions end at once, then its files and rows go; its usage stays, anonymous.

    Others hear of it by Django's pre_delete signal for User: inpainting deletes the stored files there. What fails
    there leaves an account without live keys, which can be deleted again. Its owner gets a mail afterwards. Raises
    billing.Unavailable, and nothing has happened, where the account pays and Stripe does not answer.
    """
    billing.gateway().close(user)
    for session in UserSession.objects.filter(user=user):
        session.end()
    # What a client chose itself, or what names a stored result, is no statistic.
    Usage.objects.filter(user=user).update(idempotency_key=None, fingerprint="", answer=None)
    for tries_left in reversed(range(TRIES)):
        user.api_keys.filter(revoked_at=None).update(revoked_at=timezone.now())  # before the files: no new ones come
        try:
            user.delete()
            break
        except IntegrityError:  # a request that began before has just stored something
            if not tries_left:
                raise
            time.sleep(PAUSE)
    # Robust: whatever hinders the mail, the account is gone, and nobody is told otherwise.
    transaction.on_commit(partial(_tell_owner, user.email, user.is_staff), robust=True)


def _tell_owner(email: str, was_staff: bool) -> None:
    """Whoever did not do this themselves hears of it here, and nowhere else."""
    log = " What you did in the admin stays in its log, without your name." if was_staff else ""
    contact = f"If you did not do this, write to {settings.CONTACT_EMAIL}.\n\n" if settings.CONTACT_EMAIL else ""
    body = (
        f"Hello,\n\nyour account was deleted on {timezone.now():%-d %B %Y, %H:%M} UTC.\n\n"
        "Gone are your address, password and settings, your API keys, webhooks and saved marks, your batches, and all "
        "stored uploads and results. A paid plan has ended. What remains are statistics of past requests, without any "
        f"link to you.{log}\n\n{contact}{settings.SITE_NAME}\n{settings.SITE_URL}\n"
    )
    went_out(email, "Your account was deleted", body, "to the owner of a deleted account")


def forget_name(instance: User, **kwargs: Any) -> None:
    """What staff did to a deleted account stays in the admin's log; whose it was does not.

    An address that it had before is the name of entries about it from then.
    """
    nobody = "a deleted account"
    about = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(instance.pk))
    naming = Q(object_repr__contains=instance.email) | Q(change_message__contains=instance.email)
    for entry in LogEntry.objects.filter(about):
        entry.change_message = _renamed(entry.change_message, entry.object_repr, nobody)
        entry.object_repr = nobody
        entry.save()
    for entry in LogEntry.objects.filter(naming):
        entry.object_repr = _renamed(entry.object_repr, instance.email, nobody)
        entry.change_message = _renamed(entry.change_message, instance.email, nobody)
        entry.save()


def _renamed(text: str, mailbox: str, name: str) -> str:
    """With another name where it says that mailbox, but for one that it is a part of."""
    return re.sub(rf"(?<!{SIGN}){re.escape(mailbox)}(?!{DOT}?{LETTER})", name, text)


DELETED_STAFF = "deleted-staff@accounts.invalid"  # no mailbox can be there (RFC 2606)


def keep_log(instance: User, **kwargs: Any) -> None:
    """What an account did in the admin stays in its log, without the name: an account that nobody can sign in to has
    done it. Django would delete the entries, and staff could so undo the traces of what they did."""
    entries = LogEntry.objects.filter(user=instance)
    if entries:
        nobody, _ = User.objects.get_or_create(
            email=DELETED_STAFF, defaults={"is_active": False, "password": make_password(None)}
        )
        entries.update(user=nobody)


UNCONFIRMED_LIVES = timedelta(days=7)


def delete_stale() -> int:
    """Delete what nobody needs any more, and say how much: sessions that ended, sign-ups that nobody confirmed."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    ended: int
    ended, _ = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    unconfirmed = User.objects.filter(
        emailaddress__verified=False,
        emailaddress__primary=True,
        date_joined__lt=now - UNCONFIRMED_LIVES,
        last_login=None,
        is_staff=False,
        api_keys=None,  # who has a key was made by staff, and confirms an address when signing in
    )
    for user in unconfirmed:
        user.delete()
        ended += 1
    return ended
