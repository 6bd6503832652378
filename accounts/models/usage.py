"""What you did: the rate's bucket, the quota's periods, and a row for each processing request."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.key import ApiKey
from accounts.models.plan import Period
from accounts.models.user import User


class RateBucket(models.Model):
    """An account's token bucket: how many tokens were missing from it at a moment (see limits.py)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    missing = models.FloatField(default=0, help_text="Tokens.")
    counted_at = models.FloatField(default=0, help_text="Seconds since the epoch.")

    def __str__(self) -> str:
        return f"bucket of {self.user_id}"


class QuotaPeriod(models.Model):
    """How much of its quota an account used in one day or month (UTC). Old rows are the history."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="quota_periods")
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "period", "starts_on"], name="one_row_a_period")]
        ordering = ["-starts_on"]

    def __str__(self) -> str:
        return f"{self.user_id}, {self.period} from {self.starts_on}: {self.used}"


class Usage(models.Model):
    """One processing request: metadata only. While it runs it is also the reservation of its unit of quota."""

    class State(models.TextChoices):
        RESERVED = "reserved"
        SUCCEEDED = "succeeded"
        FAILED = "failed"

    # An account may be deleted; what it used stays, anonymous.
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="usage")
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="usage")
    created_at = models.DateTimeField(default=timezone.now)
    request_id = models.CharField(max_length=32)
    endpoint = models.CharField(max_length=60)
    state = models.CharField(max_length=9, choices=State)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status; empty while running.")
    code = models.CharField(max_length=40, blank=True, help_text="The error's code.")
    seconds = models.FloatField(default=0, help_text="The engine's own time.")
    milliseconds = models.PositiveIntegerField(null=True, help_text="The whole request's time.")
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    charged = models.PositiveSmallIntegerField(default=0)
    quota_period = models.ForeignKey(QuotaPeriod, on_delete=models.SET_NULL, null=True, related_name="+")
    lease_expires_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001 - NULLs do not collide, "" would
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the request's fields.")
    answer = models.JSONField(null=True, help_text="The first answer, where it is JSON.")

    class Meta:
        verbose_name_plural = "usage"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["user", "-created_at"]),
            models.Index(fields=["lease_expires_at"], condition=Q(state="reserved"), name="usage_open_leases"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "idempotency_key"], name="one_request_an_idempotency_key")
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.endpoint} {self.state}"
