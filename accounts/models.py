"""Who you are (User, ApiKey), what you may do (Plan, Subscription) and what you did (QuotaPeriod, Usage)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts import keys

LAST_USED_PRECISION = timedelta(minutes=1)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractUser):
    """An account: signs in with its e-mail address."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique_whatever_case")]

    @property
    def limits(self) -> Limits:
        """What this account may do now: its own limits where staff gave it some, else its plan's."""
        return self.current_subscription.limits

    @property
    def current_subscription(self) -> Subscription:
        try:
            return self.subscription
        except Subscription.DoesNotExist:
            subscription, _ = Subscription.objects.get_or_create(
                user=self, defaults={"plan": Plan.objects.get(slug=Plan.FREE)}
            )
            return subscription


class Period(models.TextChoices):
    DAY = "day"
    MONTH = "month"


class LimitFields(models.Model):
    """Limits as a plan or a single account states them. Empty in a plan: unlimited; in an account: as its plan."""

    requests_per_minute = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    burst = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Requests that may come at once."
    )
    quota = models.PositiveIntegerField(null=True, blank=True, help_text="Pictures a period.")
    max_file_bytes = models.PositiveIntegerField(null=True, blank=True, help_text="Lowers the service's limit only.")
    max_side = models.PositiveIntegerField(null=True, blank=True, help_text="Pixels. Lowers the service's limit only.")
    batch_size = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


LIMIT_FIELDS = [field.name for field in LimitFields._meta.fields]


class Plan(LimitFields):
    FREE = "free"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    quota_period = models.CharField(max_length=5, choices=Period, default=Period.MONTH)
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True, help_text="A month; empty: ask.")
    currency = models.CharField(max_length=3, default="USD")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the pricing page.")

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Limits:
    """One account's limits now; None is unlimited."""

    requests_per_minute: int | None
    burst: int | None
    quota: int | None
    max_file_bytes: int | None
    max_side: int | None
    batch_size: int | None
    quota_period: str


class Subscription(LimitFields):
    """Which plan an account is on, and the limits that staff gave it alone."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="subscription")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="subscriptions")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.user} on {self.plan}"

    @property
    def limits(self) -> Limits:
        values = {
            name: getattr(self.plan, name) if getattr(self, name) is None else getattr(self, name)
            for name in LIMIT_FIELDS
        }
        return Limits(quota_period=self.plan.quota_period, **values)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self) -> ApiKeyQuerySet:
        now = timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, user__is_active=True)

    def for_secret(self, raw: str) -> ApiKey | None:
        """The live key whose secret is `raw`, with its account's plan, or None."""
        if not keys.is_well_formed(raw):
            return None
        candidates = self.live().filter(prefix=keys.prefix(raw)).select_related("user__subscription__plan")
        return next((key for key in candidates if keys.matches(raw, key.digest)), None)


class ApiKeyManager(models.Manager.from_queryset(ApiKeyQuerySet)):  # type: ignore[misc]
    def issue(self, user: User, name: str, **fields: Any) -> tuple[ApiKey, str]:
        """A new key and its secret, which nobody can read again."""
        raw = keys.generate()
        return self.create(user=user, name=name, prefix=keys.prefix(raw), digest=keys.digest(raw), **fields), raw


class ApiKey(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=keys.PREFIX_LENGTH, db_index=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyManager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def revoke(self) -> None:
        """At once and for good: the next request with this key is 401."""
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])

    def touch(self) -> None:
        """Remember that the key was used, to the minute: most requests write nothing."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > LAST_USED_PRECISION:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)


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
