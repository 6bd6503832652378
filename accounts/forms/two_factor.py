"""The form that turns a second factor on."""

from __future__ import annotations

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm


class FirstCodeForm(ActivateTOTPForm):
    def clean_code(self) -> str:
        """The first code is used with this: it does not sign in as well (RFC 6238, 5.2)."""
        code: str = super().clean_code()
        kept = {"secret": get_adapter().encrypt(self.secret)}
        authenticator = Authenticator(user=self.user, type=Authenticator.Type.TOTP, data=kept)
        if not authenticator.wrap().validate_code(code):
            raise get_adapter().validation_error("incorrect_code")
        return code
