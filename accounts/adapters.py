"""What django-allauth asks us: who may guess how often, and how second factors are kept."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.email_verification_by_code import EmailVerificationProcess
from allauth.account.models import Login
from allauth.core import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.encryption import cipher

# In settings.ACCOUNT_RATE_LIMITS: wrong passwords for one account, whatever address they come from.
GUESSING = "login_failed_anywhere"
# And there: mails to one address, whoever asks for them.
CONFIRMATIONS, RESETS = "confirmations_mailed", "resets_mailed"


def may_mail(request: HttpRequest, kind: str, email: str) -> bool:
    """Whether one more of this kind goes to the address now; asking counts."""
    return bool(ratelimit.consume(request, action=kind, key=email.lower()))


class AccountAdapter(DefaultAccountAdapter):
    def get_client_ip(self, request: HttpRequest) -> str:
        """config.middleware.TrustedProxies has settled it already."""
        return str(request.META["REMOTE_ADDR"])

    def send_confirmation_mail(
        self, request: HttpRequest, emailconfirmation: EmailVerificationProcess, signup: bool
    ) -> None:
        """Where no more may be mailed, the code that this browser waits for stays the one that was."""
        waiting = emailconfirmation.state
        if may_mail(request, CONFIRMATIONS, emailconfirmation.email):
            waiting["mailed"] = emailconfirmation.code
            super().send_confirmation_mail(request, emailconfirmation, signup)
        else:
            waiting["code"] = waiting.get("mailed", "")  # none: no code is right

    def send_account_already_exists_mail(self, email: str) -> None:
        if may_mail(self.request, CONFIRMATIONS, email):
            super().send_account_already_exists_mail(email)

    def is_safe_url(self, url: str) -> bool:
        """Paths of this site: a host of ours at another port, or by another scheme, may be anybody's program."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Wrong passwords are counted for an account and an address: a stranger's do not lock the owner out."""
        key = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{self.get_client_ip(request)}:{key}"

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
