"""How accounts and sessions end."""

from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import IntegrityError
from django.db.models import Value
from django.db.models.functions import Replace
from django.utils import timezone

from accounts import billing
from accounts.models import Usage, User


def delete_account(user: User) -> None:
    """Delete the account: its keys and sessions end at once, then its files and rows go; its usage stays, anonymous.

    Others hear of it by Django's pre_delete signal for User: inpainting deletes the stored files there. What fails
    there leaves an account without live keys, which can be deleted again. Raises billing.Unavailable, and nothing has
    happened, where the account pays and Stripe does not answer.
    """
    billing.gateway().close(user)
    user.api_keys.filter(revoked_at=None).update(revoked_at=timezone.now())  # before the files: no new ones come
    for session in UserSession.objects.filter(user=user):
        session.end()
    # What a client chose itself, or what names a stored result, is no statistic.
    Usage.objects.filter(user=user).update(idempotency_key=None, fingerprint="", answer=None)
    for last in (False, False, True):
        try:
            user.delete()
            break
        except IntegrityError:  # a request that began before has just stored something
            if last:
                raise


def forget_name(instance: User, **kwargs: Any) -> None:
    """What staff did to a deleted account stays in the admin's log; whose it was does not."""
    email, nobody = Value(instance.email), Value("a deleted account")
    for field in ("object_repr", "change_message"):
        named = LogEntry.objects.filter(**{f"{field}__contains": instance.email})
        named.update(**{field: Replace(field, email, nobody)})


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
