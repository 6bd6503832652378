"""The forms of an account: signing up, how long its files are kept, deletion."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import (
    AddEmailForm,
    ChangePasswordForm,
    LoginForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SignupForm,
)
from allauth.account.internal.flows.password_reset_by_code import PasswordResetVerificationProcess
from allauth.account.models import EmailAddress
from allauth.account.utils import setup_user_email
from django import forms
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts import lifetimes
from accounts.adapters import RESETS, mailing
from accounts.deletion import delete_account
from accounts.metering import lost_account
from accounts.models import AccountDeleted, User
from accounts.plain import canonical


class SentenceCase(forms.Form):
    """Labels of django-allauth's as this site writes them, once: its placeholders repeat them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = str(field.label).capitalize()
            field.widget.attrs.pop("placeholder", None)


class SignInForm(SentenceCase, LoginForm):
    user: User

    def clean_login(self) -> str:
        return canonical(super().clean_login())

    def login(self, *args: Any, **kwargs: Any) -> Any:
        """Raises AccountDeleted: the request has no account yet by which that would be seen."""
        try:
            return super().login(*args, **kwargs)
        except IntegrityError as error:
            if lost_account(error, self.user):
                raise AccountDeleted from error
            raise


class NewEmailForm(SentenceCase, AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "New address"


class NewPasswordForm(SentenceCase, ChangePasswordForm):
    pass


class ForgottenPasswordForm(SentenceCase, ResetPasswordForm):
    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Where no more may be mailed, the page looks as always, and a code that this browser waits for stays good."""
        email: str = self.cleaned_data["email"]
        with mailing(request, RESETS, email) as may:
            if may:
                return str(super().save(request, **kwargs))
        waiting = PasswordResetVerificationProcess.resume(request)
        if waiting is None or waiting.state["email"] != email:
            unanswerable = PasswordResetVerificationProcess.initial_state(None, email)
            PasswordResetVerificationProcess(request, unanswerable).persist()
        return email


class PasswordAfterCodeForm(SentenceCase, ResetPasswordKeyForm):
    pass


class OnceMoreForm(SentenceCase, ReauthenticateForm):
    pass


class SignUpForm(SentenceCase, SignupForm):
    account_already_exists: bool  # set where the address is checked
    made: User | None = None

    def try_save(self, request: HttpRequest) -> Any:
        """A known address takes as long as a new one: hashing the password is what a sign-up spends its time on."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        else:
            try:
                return self.save(request), None
            except IntegrityError:  # it became known between our look and our insert
                self.account_already_exists = True
        return super().try_save(request)

    def save(self, request: HttpRequest) -> User:
        """Hashes before the transaction, and mails after it: meanwhile nobody else could write to SQLite."""
        adapter = get_adapter()
        user: User = adapter.save_user(request, adapter.new_user(request), self, commit=False)
        with transaction.atomic():
            user.save()
            setup_user_email(request, user, [EmailAddress(email=user.email)])
        self.made = user
        return user

    def take_back(self) -> None:
        """Nobody has signed in to what this form made."""
        if self.made:
            User.objects.filter(pk=self.made.pk, last_login=None).delete()


class LifetimesForm(forms.Form):
    """For how long the account's files are kept: what its plan allows of the choices."""

    result = forms.ChoiceField(label="Results", widget=forms.RadioSelect, required=False)
    upload = forms.ChoiceField(
        label="Uploads",
        widget=forms.RadioSelect,
        required=False,
        help_text="Pictures of a batch are kept until they are done, whatever is chosen here.",
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self._offer("result", user.result_lifetime, "Until downloaded, 10 minutes at most")
        self._offer("upload", user.upload_lifetime, "10 minutes")

    def _offer(self, kind: lifetimes.Kind, own: int | None, once: str) -> None:
        """`own`: what the account has chosen, of which its plan may allow less by now."""
        choices = lifetimes.choices(kind, self.user)
        usual = lifetimes.in_words(min(lifetimes.default(kind), lifetimes.longest(kind, self.user)))
        words = {each: lifetimes.in_words(each) if each else once for each in choices}
        field = self.fields[kind]
        field.choices = [("", f"The usual: {usual}"), *words.items()]  # type: ignore[attr-defined]
        field.initial = "" if own is None else max(each for each in choices if each <= own)

    def save(self) -> None:
        chosen = {f"{kind}_lifetime": int(value) if value else None for kind, value in self.cleaned_data.items()}
        User.objects.filter(pk=self.user.pk).update(**chosen)


class DeleteAccountForm(forms.Form):
    """The view asks for the password before; the address is typed so that nobody does this by mistake."""

    email = forms.EmailField(label="Your email address", help_text="Type it to confirm.")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if canonical(email).casefold() != self.user.email.casefold():
            raise forms.ValidationError("This is not the address of this account.")
        return email

    def delete(self) -> None:
        delete_account(self.user)
