"""Webhooks: who is told, what happened, and each try to tell it. Their rows are the truth, as those of batches are."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from http import HTTPStatus

from cryptography.fernet import MultiFernet
from django.db import models
from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from accounts.encryption import cipher
from accounts.models.user import User
from accounts.webhooks import signing

LONGEST_URL = 2048  # characters
MAX_ENDPOINTS = 20
BOTH_SIGN = timedelta(hours=24)  # after a rotation
TEST = "webhook.test"
# Each type of event, and how pages say it.
WORDS = {
    "batch.succeeded": "A batch is done, with at least one result",
    "batch.failed": "A batch has failed as a whole",
    "batch.cancelled": "A batch is cancelled",
    "item.succeeded": "A picture of a batch is done",
    "item.failed": "A picture of a batch has failed",
    "quota.low": "80 or 100 percent of the quota are used",
    TEST: "A test",
}


class NotThere(Http404):
    """The account has no such row; others' are as if they did not exist."""


class EndpointDisabled(Exception):
    def __init__(self) -> None:
        super().__init__("The endpoint is disabled: nothing is sent to it. Enable it first.")


class TooManyEndpoints(ValueError):
    def __init__(self) -> None:
        super().__init__(f"An account can have {MAX_ENDPOINTS} webhook endpoints. Delete one that you no longer need.")


class NoDefaultSecret(ValueError):
    def __init__(self) -> None:
        super().__init__(
            "webhook_url: the account has no default secret to sign with. POST /api/v1/webhooks/default-secret first."
        )


class Signer(models.Model):
    """Who signs: the secret is kept encrypted, and so is the one before it, which signs too for a day."""

    encrypted = models.TextField(default="", editable=False)
    encrypted_before = models.TextField(default="", editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def rotate(self) -> str:
        """A new secret, which nobody can read again. Nothing is saved."""
        secret = signing.new_secret()
        self.encrypted_before, self.rotated_at = self.encrypted, timezone.now()
        self.encrypted = _cipher().encrypt(secret.encode()).decode()
        return secret

    @property
    def previous_signs_until(self) -> datetime | None:
        """Until when the secret before this one signs, too; None where none does."""
        if not self.encrypted_before or self.rotated_at is None or timezone.now() >= self.rotated_at + BOTH_SIGN:
            return None
        return self.rotated_at + BOTH_SIGN

    def secrets(self) -> list[str]:
        """Those that sign now, the newest first. Raises InvalidToken: SECRET_KEY is another one by now."""
        live = [self.encrypted, *([self.encrypted_before] if self.previous_signs_until else [])]
        return [_cipher().decrypt(each.encode()).decode() for each in live]


class WebhookEndpoint(Signer):
    class Reason(models.TextChoices):
        OWNER = "owner"
        STAFF = "staff"
        GONE = "gone"  # it answered 410
        FAILING = "failing"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(max_length=LONGEST_URL)
    events = models.JSONField(help_text="The types of events that it is told.")
    created_at = models.DateTimeField(default=timezone.now)
    disabled = models.CharField(max_length=7, choices=Reason, blank=True, help_text="Why it is told nothing.")
    failing_since = models.DateTimeField(null=True, help_text="Of the first try since the last one that succeeded.")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"webhook endpoint {self.id}"

    def check_enabled(self) -> None:
        """Raises EndpointDisabled."""
        if self.disabled:
            raise EndpointDisabled

    @property
    def event_words(self) -> list[str]:
        return [WORDS[each] for each in self.events]


class DefaultSigner(Signer):
    """An account's, for addresses that a call names by itself (`webhook_url`)."""

    owner = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return f"default signer of {self.owner_id}"


class WebhookEvent(models.Model):
    """What happened, as everybody who listens is told it. Written in the transaction that made it happen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=30)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    body = models.TextField(help_text="JSON, to the byte as it is signed and sent.")

    class Meta:
        indexes = [models.Index(fields=["owner", "created_at"])]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"

    @property
    def message_id(self) -> str:
        """The same in each try and replay, so that a receiver can tell what it has handled."""
        return f"msg_{self.id.hex}"

    @property
    def words(self) -> str:
        return WORDS[self.type]


class Delivery(models.Model):
    """One event for one address."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, null=True, related_name="deliveries", help_text="Empty: a bare url."
    )
    url = models.CharField(max_length=LONGEST_URL)
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    attempt = models.PositiveIntegerField(default=0, help_text="Counts claims: who has an older number writes nothing.")
    lease_expires_at = models.DateTimeField(null=True, help_text="While it runs.")
    available_at = models.DateTimeField(default=timezone.now, help_text="Not to be tried before.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="That failed since it was queued or replayed.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["available_at"], condition=Q(state="queued"), name="deliveries_queued"),
            models.Index(fields=["owner"], condition=Q(state="running"), name="deliveries_running"),
            models.Index(fields=["owner", "-created_at"]),
        ]
        constraints = [models.UniqueConstraint(fields=["event", "endpoint"], name="one_delivery_an_event_and_endpoint")]

    def __str__(self) -> str:
        return f"delivery {self.id}"


class Try(models.Model):
    """A line of a delivery's log: what one attempt was answered, and when."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField()
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty: no answer came.")
    answer = models.TextField(blank=True, help_text="The beginning of its body.")
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "tries"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.at}: {self.outcome}"

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """The answer's status with its phrase, or why no answer came."""
        if self.status is None:
            return self.error
        known = {each.value: each.phrase for each in HTTPStatus}
        text = f"{self.status} {known.get(self.status, '')}".strip()
        return f"{text}: redirects are not followed" if 300 <= self.status < 400 else text


def _cipher() -> MultiFernet:
    return cipher("accounts.webhooks")
