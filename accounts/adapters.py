"""What django-allauth asks us: who may guess how often, and how second factors are kept."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import Login
from allauth.core import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest

from accounts.encryption import cipher

# In settings.ACCOUNT_RATE_LIMITS: wrong passwords for one account, whatever address they come from.
GUESSING = "login_failed_anywhere"


class AccountAdapter(DefaultAccountAdapter):
    def get_client_ip(self, request: HttpRequest) -> str:
        """config.middleware.TrustedProxies has settled it already."""
        return str(request.META["REMOTE_ADDR"])

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
