"""django-allauth's pages that mail a code: where the mail server refuses the address, the form says so."""

from __future__ import annotations

from typing import Any

from allauth.account.views import EmailView, PasswordResetView, SignupView
from django.http import HttpResponse

from accounts.mail import NotSent, Undeliverable


class ToldOfMail:
    def form_valid(self, form: Any) -> HttpResponse:
        """Raises NotSent."""
        try:
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        except Undeliverable as error:
            form.add_error("email", str(error))
            refused: HttpResponse = self.form_invalid(form)  # type: ignore[attr-defined]
            return refused
        return response


class TakenBack:
    def form_valid(self, form: Any) -> HttpResponse:
        """An account whose first mail cannot be sent is none: the form can be sent again. Raises NotSent."""
        try:
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        except NotSent:
            form.take_back()
            raise
        return response


class SignUp(ToldOfMail, TakenBack, SignupView):
    pass


class ForgottenPassword(ToldOfMail, PasswordResetView):
    pass


class NewEmail(ToldOfMail, EmailView):
    pass
