"""The forms of webhook endpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils import timezone

from accounts.forms.once import OnceForm
from accounts.models import User, WebhookEndpoint
from accounts.plain import check_line
from accounts.webhooks import endpoints, events
from accounts.webhooks.models import LONGEST_URL, WORDS, TooManyEndpoints
from config import fetching


class EndpointForm(forms.Form):
    url = forms.CharField(
        label="Address",
        max_length=LONGEST_URL,
        validators=[check_line],
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
    USUAL = ("batch.succeeded", "batch.failed")  # what most programs wait for; checked at first

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["events"].initial = self.USUAL

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
        return since.astimezone(UTC)  # PostgreSQL refuses zones of 16 hours and more
