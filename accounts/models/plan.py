"""What you may do: plans, and which of them an account is on."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


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
    batch_size = models.PositiveIntegerField(null=True, blank=True, help_text="Pictures a batch.")
    concurrent_items = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Pictures of batches that are worked on at once.",
    )
    longest_lifetime = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(60)],
        help_text="Seconds that uploads and results may be kept. Empty in a plan: UPLOAD_TTL, RESULT_TTL.",
    )

    class Meta:
        abstract = True


LIMIT_FIELDS = [field.name for field in LimitFields._meta.fields]


class Plan(LimitFields):
    FREE = "free"

    slug = models.SlugField(unique=True, help_text="What the API calls it (stats).")
    name = models.CharField(max_length=60)
    quota_period = models.CharField(max_length=5, choices=Period, default=Period.MONTH)
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True, help_text="A month; empty: ask.")
    currency = models.CharField(max_length=3, default="USD")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the pricing page.")
    offered = models.BooleanField(
        default=True, help_text="On the pricing page, and to be had. Accounts that are on it keep it either way."
    )
    uptime_percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, blank=True, help_text="What is promised; empty: nothing."
    )
    support_response = models.CharField(max_length=60, blank=True, help_text="What is promised, such as: 48 hours.")
    stripe_price_id = models.CharField(
        "Stripe price id", max_length=255, blank=True, help_text="price_…, a monthly price of the same amount."
    )

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_price_id"],
                condition=~models.Q(stripe_price_id=""),
                name="one_plan_a_stripe_price",
                violation_error_message="Another plan has this Stripe price.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_free(self) -> bool:
        return self.price == 0


class PlanModel(models.Model):
    """What a picture costs that a model fills. Of a model without a row the service says what it usually costs."""

    MOST = 1000  # units

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="models")
    model = models.CharField(max_length=40)
    units = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST)],
        help_text="Units of quota that a picture costs; empty: the model is not on the plan.",
    )

    class Meta:
        ordering = ["model"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "model"], name="one_row_a_plan_and_model"),
            models.CheckConstraint(condition=models.Q(units=None) | models.Q(units__gte=1), name="no_free_model"),
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.plan}"


@dataclass(frozen=True)
class Limits:
    """One account's limits now; None is unlimited, of `longest_lifetime` what the service's settings say."""

    requests_per_minute: int | None
    burst: int | None
    quota: int | None
    max_file_bytes: int | None
    max_side: int | None
    batch_size: int | None
    concurrent_items: int | None
    longest_lifetime: int | None
    quota_period: str


class Subscription(LimitFields):
    """Which plan an account is on, and the limits that staff gave it alone."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="subscription")
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
