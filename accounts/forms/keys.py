"""The forms of API keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from django import forms
from django.utils import timezone

from accounts.forms.once import OnceForm
from accounts.models import ApiKey, Period, Scope, TooManyKeys, User
from accounts.models.key import every_scope
from accounts.plain import check_line

NEVER, AS_IT_IS = "", "as it is"
EXPIRIES = [(NEVER, "Never"), ("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year")]
KINDS = [("live", "Live"), ("test", "Test: free, and every result is stamped TEST")]
GRACES = [("0", "Stops now"), ("1", "Works 1 hour more"), ("24", "Works 24 hours more"), ("168", "Works 7 days more")]

ADVANCED = ("scopes", "cap", "cap_period", "networks")  # fields that most keys leave as they are


def _network(text: str) -> IPv4Network | IPv6Network:
    """Of an address, too; what lies in ::ffff:0:0/96 is IPv4. Raises ValueError."""
    network = ip_network(text, strict=False)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return ip_network((mapped, network.prefixlen - 96), strict=False) if mapped and network.prefixlen >= 96 else network


def _expiry_field(label: str) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=EXPIRIES, required=False, help_text="Expired keys get a 401.")


def _expiry(choice: str) -> datetime | None:
    return timezone.now() + timedelta(days=int(choice)) if choice else None


class KeyForm(forms.Form):
    """What a key is called and what it may be used for."""

    name = forms.CharField(
        max_length=80,
        validators=[check_line],
        help_text="Helps you recognise it, such as the program that uses it.",
    )
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

    def clean_networks(self) -> list[str]:
        """In CIDR notation, IPv4 never in IPv6."""
        try:
            return [str(_network(text)) for text in self.cleaned_data["networks"].replace(",", " ").split()]
        except ValueError as error:
            raise forms.ValidationError(f"{error}.") from error

    def rights(self) -> dict[str, Any]:
        """The key's fields of the same names."""
        rights = {name: self.cleaned_data[name] for name in ADVANCED}
        return rights | {"cap_period": rights["cap_period"] or Period.DAY}

    @property
    def ordinary(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in ADVANCED]

    @property
    def advanced(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name in ADVANCED]


class CreateKeyForm(KeyForm, OnceForm):
    kind = forms.ChoiceField(choices=KINDS, initial="live", required=False, widget=forms.RadioSelect)

    field_order = ("name", "kind", "expires")

    def create(self, user: User) -> tuple[ApiKey, str] | None:
        """The new key and its secret; None, and an error in the form, where the account has too many."""
        name, test = self.cleaned_data["name"], self.cleaned_data["kind"] == "test"
        expires_at = _expiry(self.cleaned_data["expires"])
        try:
            return ApiKey.objects.issue(user, name, test=test, expires_at=expires_at, **self.rights())
        except TooManyKeys as error:
            self.refuse(error)
            return None

    @property
    def shows_advanced(self) -> bool:
        return any(field.errors for field in self.advanced)


class EditKeyForm(KeyForm):
    """Everything of a key but its secret and kind. What it has is shown, its expiry to the minute."""

    shows_advanced = True

    def __init__(self, key: ApiKey, data: Mapping[str, Any] | None = None) -> None:
        rights = {name: getattr(key, name) for name in ADVANCED}
        super().__init__(data, initial=rights | {"name": key.name, "networks": "\n".join(key.networks)})
        self.key = key
        if key.expires_at:
            self.initial["expires"] = AS_IT_IS
            as_it_is = f"As it is: {key.expires_at:%-d %b %Y, %H:%M} UTC"
            self.fields["expires"].choices = [(AS_IT_IS, as_it_is), *EXPIRIES]  # type: ignore[attr-defined]

    def save(self) -> bool:
        """Whether there still is a live key to change: it may have been revoked meanwhile."""
        changed = self.rights() | {"name": self.cleaned_data["name"]}
        if self.cleaned_data["expires"] != AS_IT_IS:
            changed |= {"expires_at": _expiry(self.cleaned_data["expires"]), "told_days": None, "telling_until": None}
        return bool(self.key.user.api_keys.live().filter(pk=self.key.pk).update(**changed))


class RotateKeyForm(OnceForm):
    grace = forms.ChoiceField(label="The old key", choices=GRACES, initial="24", widget=forms.RadioSelect)
    expires = _expiry_field("The new key expires")

    def rotate(self, key: ApiKey) -> tuple[ApiKey, str] | None:
        """The new key and its secret; None, and an error in the form, where the account has too many."""
        grace = timedelta(hours=int(self.cleaned_data["grace"]))
        try:
            return key.rotate(grace=grace, expires_at=_expiry(self.cleaned_data["expires"]))
        except TooManyKeys as error:
            self.refuse(error)
            return None
