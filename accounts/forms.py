"""The forms of the dashboard: each checks what was typed, and does what it is for."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from allauth.account.forms import SignupForm
from django import forms
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts import lifetimes
from accounts.deletion import delete_account
from accounts.models import ApiKey, Period, Scope, TooManyKeys, User, WebhookEndpoint
from accounts.models.key import every_scope
from accounts.webhooks import endpoints, events
from accounts.webhooks.models import LONGEST_URL, WORDS, TooManyEndpoints
from config import fetching

FORM_LIVES = 24 * 3600  # seconds for which a form that was sent is remembered

EXPIRIES = [("", "Never"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year")]
KINDS = [("live", "Live"), ("test", "Test: free, and every result is stamped TEST")]
GRACES = [("0", "Stops now"), ("1", "Works 1 hour more"), ("24", "Works 24 hours more"), ("168", "Works 7 days more")]

ADVANCED = ("scopes", "cap", "cap_period", "networks")  # fields of a key's form that most keys leave as they are


def _network(text: str) -> IPv4Network | IPv6Network:
    """Of an address, too; what lies in ::ffff:0:0/96 is IPv4. Raises ValueError."""
    network = ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return ip_network((mapped, network.prefixlen - 96), strict=False) if mapped and network.prefixlen >= 96 else network


def _expiry_field(label: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=EXPIRIES, required=False, help_text="Expired keys get a 401.")


class SignUpForm(SignupForm):
    account_already_exists: bool  # set where the address is checked

    def try_save(self, request: HttpRequest) -> Any:
        """A known address takes as long as a new one: hashing the password is what a sign-up spends its time on."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:  # it became known between our look and our insert
            self.account_already_exists = True
            return super().try_save(request)


class OnceForm(forms.Form):
    """A form that works once: sent again (a reload, a double click) it is refused, and nothing is done twice."""

    once = forms.CharField(widget=forms.HiddenInput, max_length=43, initial=lambda: secrets.token_urlsafe(16))

    def is_first_use(self) -> bool:
        """Whether nobody has sent this copy of the form before; asking uses it up."""
        return bool(cache.add(self._sent, True, FORM_LIVES))

    def refuse(self, error: Exception) -> None:
        """Nothing was done after all: the same copy may be sent again."""
        cache.delete(self._sent)
        self.add_error(None, str(error))

    @property
    def _sent(self) -> str:
        return f"form-sent:{self.cleaned_data['once']}"

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["expires"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class CreateKeyForm(OnceForm):
    name = forms.CharField(max_length=80, help_text="Helps you recognise it, such as the program that uses it.")
    kind = forms.ChoiceField(choices=KINDS, initial="live", required=False, widget=forms.RadioSelect)
    expires = _expiry_field("Expires")
    scopes = forms.MultipleChoiceField(
        label="It may", choices=Scope, initial=every_scope, widget=forms.CheckboxSelectMultiple
    )
    cap = forms.IntegerField(
        label="Most pictures",
        min_value=1,
        max_value=1_000_000_000,
        required=False,
        help_text="Empty: as the plan allows.",
    )
    cap_period = forms.ChoiceField(
        label="In each", choices=Period, initial=Period.DAY, required=False, help_text="It begins at midnight UTC."
    )
    networks = forms.CharField(
        label="Networks it may be used from",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Addresses or networks such as 203.0.113.0/24, one a line. Empty: anywhere.",
    )

    def create(self, user: User) -> tuple[ApiKey, str] | None:
        """The new key and its secret; None, and an error in the form, where the account has too many."""
        try:
            return ApiKey.objects.issue(user, self.cleaned_data["name"], **self.rights())
        except TooManyKeys as error:
            self.refuse(error)
            return None

    def clean_networks(self) -> list[str]:
        """In CIDR notation, IPv4 never in IPv6."""
        try:
            return [str(_network(text)) for text in self.cleaned_data["networks"].replace(",", " ").split()]
        except ValueError as error:
            raise forms.ValidationError(f"{error}.") from error

    def rights(self) -> dict[str, Any]:
        """What ApiKey.objects.issue takes."""
        return {
            "test": self.cleaned_data["kind"] == "test",
            "expires_at": self.expires_at(),
            "scopes": self.cleaned_data["scopes"],
            "cap": self.cleaned_data["cap"],
            "cap_period": self.cleaned_data["cap_period"] or Period.DAY,
            "networks": self.cleaned_data["networks"],
        }

    @property
    def ordinary(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in ADVANCED]

    @property
    def advanced(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name in ADVANCED]

    @property
    def has_advanced_errors(self) -> bool:
        return any(field.errors for field in self.advanced)


class RotateKeyForm(OnceForm):
    grace = forms.ChoiceField(label="The old key", choices=GRACES, initial="24", widget=forms.RadioSelect)
    expires = _expiry_field("The new key expires")

    def rotate(self, key: ApiKey) -> tuple[ApiKey, str] | None:
        """The new key and its secret; None, and an error in the form, where the account has too many."""
        grace = timedelta(hours=int(self.cleaned_data["grace"]))
        try:
            return key.rotate(grace=grace, expires_at=self.expires_at())
        except TooManyKeys as error:
            self.refuse(error)
            return None


class EndpointForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=LONGEST_URL,
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hook"}),
        help_text="https, on the public internet, at port 443, 80, 8080 or 8443.",
    )
    events = forms.MultipleChoiceField(
        label="It is told when",
        choices=[(type, WORDS[type]) for type in events.TYPES],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            fetching.check_target(url)
        except fetching.UrlNotAllowed as error:
            raise forms.ValidationError(str(error)) from error
        return url

    def change(self, user: User, id: Any) -> None:
        """Raises NotThere."""
        endpoints.change(user, id, url=self.cleaned_data["url"], events=self.cleaned_data["events"])


class CreateEndpointForm(EndpointForm, OnceForm):
    def create(self, user: User) -> tuple[WebhookEndpoint, str] | None:
        """The endpoint and its secret; None, and an error in the form, where the account has too many."""
        try:
            return endpoints.create(user, self.cleaned_data["url"], self.cleaned_data["events"])
        except TooManyEndpoints as error:
            self.refuse(error)
            return None


class ReplayForm(forms.Form):
    since = forms.DateTimeField(
        label="Since (UTC)",
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        help_text=f"Events are kept for {events.KEPT.days} days.",
    )

    def clean_since(self) -> datetime:
        since: datetime = self.cleaned_data["since"]
        if not timezone.now() - events.KEPT <= since <= timezone.now():
            raise forms.ValidationError(f"Choose a moment of the last {events.KEPT.days} days.")
        return since


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
        field.choices = [("", f"As the service does: {usual}"), *words.items()]  # type: ignore[attr-defined]
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
        if email.casefold() != self.user.email.casefold():
            raise forms.ValidationError("This is not the address of this account.")
        return email

    def delete(self) -> None:
        delete_account(self.user)
