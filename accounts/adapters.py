"""What django-allauth asks us: who may guess and be mailed how often, and how second factors are kept."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from allauth.account.models import EmailAddress, Login
from allauth.core import ratelimit
from allauth.core.internal import ratelimit as counts
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.encryption import cipher
from accounts.hashing import TooManyPasswords
from accounts.mail import NotSent, waited_for
from accounts.models import AccountDeleted, User
from accounts.plain import canonical, check_address

logger = logging.getLogger(__name__)

# In settings.ACCOUNT_RATE_LIMITS: wrong passwords for one account, whatever address they come from.
GUESSING = "login_failed_anywhere"
# And there: mails to one mailbox, whoever asks for them; and to one mailbox as one network address asks for them.
CONFIRMATIONS, RESETS = "confirmations_mailed", "resets_mailed"
OF_ONE = "mailed_for_one"


@contextmanager
def mailing(request: HttpRequest, kind: str, email: str) -> Iterator[bool]:
    """Whether one more of this kind goes to the mailbox now. It counts, unless it is not sent.

    Who asks too often uses up nothing of what others may have mailed there.
    """
    mailbox = canonical(email.lower())
    own = _count(request, OF_ONE, f"{kind} {counts.get_ip(request)} {mailbox}")
    all_ = _count(request, kind, mailbox) if own else None
    try:
        yield all_ is not None
    except NotSent:
        if all_:
            all_.rollback()
        all_ = None
        raise
    finally:
        if own and not all_:
            own.rollback()


def _count(request: HttpRequest, action: str, key: str) -> counts.RateLimitUsage | None:
    """None: there were as many as may be."""
    return counts.consume(request, app="allauth.account", action=action, key=key)


class AccountAdapter(DefaultAccountAdapter):
    def get_client_ip(self, request: HttpRequest) -> str:
        """config.middleware.TrustedProxies has settled it already."""
        return str(request.META["REMOTE_ADDR"])

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: EmailVerificationProcess, signup: bool
    ) -> None:
        """Where no more may be mailed, the code that this browser waits for stays the one that was."""
        waiting = emailconfirmation.state
        with mailing(request, CONFIRMATIONS, emailconfirmation.email) as may:
            if may:
                waiting["mailed"] = emailconfirmation.code
                super().send_confirmation_mail(request, emailconfirmation, signup)
            else:
                waiting["code"] = waiting.get("mailed", "")  # none: no code is right

    def send_account_already_exists_mail(self, email: str) -> None:
        with mailing(self.request, CONFIRMATIONS, email) as may:
            if may:
                super().send_account_already_exists_mail(email)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """All of it or nothing, and an account's own one after another: a right code sent twice at once is right twice.

        Raises AccountDeleted.
        """
        user, email = email_address.user_id, email_address.email
        try:
            with transaction.atomic():
                if not User.objects.select_for_update(no_key=True).filter(pk=user):
                    raise AccountDeleted
                if EmailAddress.objects.filter(user=user, email=email, verified=True):
                    return True
                return bool(super().confirm_email(request, email_address))
        except IntegrityError:  # it became another account's between allauth's look and its writing
            told = "account/messages/email_confirmation_failed.txt"
            self.add_message(request, messages.ERROR, told, {"email": email})
            return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Raises NotSent, Undeliverable."""
        with waited_for():
            super().send_mail(template_prefix, email, context)

    def send_notification_mail(self, template_prefix: str, *args: Any, **kwargs: Any) -> None:
        """Of what is done already: it stays done, whether its owner hears of it or not, and holds no transaction."""
        transaction.on_commit(partial(self._notify, template_prefix, *args, **kwargs))

    def _notify(self, template_prefix: str, *args: Any, **kwargs: Any) -> None:
        try:
            super().send_notification_mail(template_prefix, *args, **kwargs)
        except NotSent:
            logger.exception("A mail was not sent: %s", template_prefix)

    def clean_email(self, email: str) -> str:
        check_address(email)
        return canonical(email)

    def is_safe_url(self, url: str) -> bool:
        """Paths of this site: a host of ours at another port, or by another scheme, may be anybody's program."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Wrong passwords are counted for an account and an address: a stranger's do not lock the owner out."""
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{self.get_client_ip(request)}:{key}"

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Raises TooManyPasswords: then none was tried, and none is counted."""
        try:
            return super().authenticate(request, **credentials)
        except TooManyPasswords:
            self._rollback_login_failed_rl_usage()
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        ratelimit.consume(request, action=GUESSING, key=credentials["email"].lower())

    def is_login_by_code_required(self, login: Login) -> bool:
        """While many addresses guess at an account's password, the right one alone does not open it.

        A code is mailed then, unless a second factor is asked for anyway.
        """
        if login.user is None:  # a sign-up with a known address, which must look like any other
            return False
        guessed = not ratelimit.consume(self.request, action=GUESSING, key=login.user.email.lower(), dry_run=True)
        return guessed and not is_mfa_enabled(login.user)


class MFAAdapter(DefaultMFAAdapter):
    """Secrets of authenticator apps are encrypted in the database: a stolen copy of it alone gives no codes."""

    def encrypt(self, text: str) -> str:
        return cipher("accounts.MFAAdapter").encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher("accounts.MFAAdapter").decrypt(encrypted_text.encode()).decode()
