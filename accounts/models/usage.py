"""What you did: the rate's bucket, the quota's periods, and a row for each processing request."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models.key import ApiKey
from accounts.models.plan import Period
from accounts.models.user import User


class RateBucket(models.Model):
    """An account's token bucket: how many tokens were missing from it at a moment (see rate.py)."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    missing = models.FloatField(default=0, help_text="Tokens.")
    counted_at = models.FloatField(default=0, help_text="Seconds since the epoch.")

    def __str__(self) -> str:
        return f"bucket of {self.user_id}"


class QuotaPeriod(models.Model):
    """How much an account used in one day or month (UTC). Old rows are the history."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="quota_periods")
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    used = models.PositiveIntegerField(default=0, help_text="Units of the plan's quota.")
    granted = models.PositiveIntegerField(default=0, help_text="Units of one-time grants, used after the quota was.")
    told = models.PositiveSmallIntegerField(default=0, help_text="Per cent: the last quota.low.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "period", "starts_on"], name="one_row_a_period")]
        ordering = ["-starts_on"]

    def __str__(self) -> str:
        return f"{self.user_id}, {self.period} from {self.starts_on}: {self.used}"


class KeyPeriod(models.Model):
    """How many pictures a key that has a cap processed in one day or month (UTC)."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="periods")
    period = models.CharField(max_length=5, choices=Period)
    starts_on = models.DateField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "period", "starts_on"], name="one_row_a_key_and_period")]

    def __str__(self) -> str:
        return f"{self.key_id}, {self.period} from {self.starts_on}: {self.used}"


class QuotaMail(models.Model):
    """A mail that a period's quota runs low: written with the use that it tells of, sent by the sweep.

    Who makes a queued one `sending` sends it, and nobody else ever does: it is sent once, or its end is logged.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        DROPPED = "dropped"  # the period ended first, or the process died while it was sending

    period = models.ForeignKey(QuotaPeriod, on_delete=models.CASCADE, related_name="mails")
    percent = models.PositiveSmallIntegerField(help_text="Of the quota, in use.")
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    changed_at = models.DateTimeField(default=timezone.now, help_text="When it came into its state.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["period", "percent"], name="one_mail_a_threshold")]
        indexes = [
            models.Index(fields=["changed_at"], condition=Q(state__in=["queued", "sending"]), name="quota_mails_open")
        ]
        ordering = ["-changed_at"]

    def __str__(self) -> str:
        return f"{self.percent}% of {self.period}"


class QuotaGrantQuerySet(models.QuerySet["QuotaGrant"]):
    def live(self) -> QuotaGrantQuerySet:
        """What has units left and has not expired, in the order in which it is used: what expires first goes first."""
        now = timezone.now()
        rows = self.filter(Q(expires_at=None) | Q(expires_at__gt=now), used__lt=F("units"))
        return rows.order_by(F("expires_at").asc(nulls_last=True), "pk")


class QuotaGrant(models.Model):
    """Units that an account was given once, or bought (PackPurchase). They are used when the period's quota is."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="quota_grants")
    units = models.PositiveIntegerField(validators=[MinValueValidator(1)], help_text="Pictures.")
    used = models.PositiveIntegerField(default=0, editable=False)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: never. A moment in the past ends the grant; what was used stays used."
    )
    reason = models.CharField(max_length=200, help_text="For staff; the user does not see it.")
    given_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = QuotaGrantQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=Q(used__lte=F("units")), name="grant_never_oversold")]

    def __str__(self) -> str:
        return f"{self.units} units, {self.used} used"

    @property
    def left(self) -> int:
        """Units that can still be used."""
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return 0 if is_over else self.units - self.used


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
    is_test = models.BooleanField(default=False, help_text="With a test key: it is in no live statistic.")
    charged = models.PositiveSmallIntegerField(default=0)
    quota_period = models.ForeignKey(QuotaPeriod, on_delete=models.SET_NULL, null=True, related_name="+")
    quota_grant = models.ForeignKey(QuotaGrant, on_delete=models.SET_NULL, null=True, related_name="+")
    origins = models.JSONField(null=True, help_text="Grants (or null) and units, where these come from several.")
    key_period = models.ForeignKey(KeyPeriod, on_delete=models.SET_NULL, null=True, related_name="+")
    lease_expires_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=255, null=True)  # noqa: DJ001 - NULLs do not collide, "" would
    fingerprint = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the request's fields.")
    answer = models.JSONField(null=True, help_text="The first answer, where it is JSON.")

    class Meta:
        verbose_name_plural = "usage"
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["user", "-created_at"]),
            models.Index(fields=["-created_at"], name="usage_newest"),
            models.Index(fields=["lease_expires_at"], condition=Q(state="reserved"), name="usage_open_leases"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user", "idempotency_key"], name="one_request_an_idempotency_key")
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.endpoint} {self.state}"
