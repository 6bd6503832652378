"""Pictures that are bought once: what is offered, and what became of each purchase."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models.usage import QuotaGrant
from accounts.models.user import User


class Pack(models.Model):
    """Units that anybody with a quota can buy. What was bought keeps the terms of its day."""

    name = models.CharField(max_length=60)
    units = models.PositiveIntegerField("pictures", validators=[MinValueValidator(1)])
    valid_days = models.PositiveIntegerField(
        "days valid",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="From payment. Empty: until used.",
    )
    price = models.DecimalField(
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text="Paid once; empty: ask.",
    )
    currency = models.CharField(max_length=3, default="USD")
    stripe_price_id = models.CharField(
        "Stripe price id", max_length=255, blank=True, help_text="price_…, a one-time price of the same amount."
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the pricing page.")
    offered = models.BooleanField(default=True, help_text="On the pricing page, and to be had.")

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_price_id"],
                condition=~Q(stripe_price_id=""),
                name="one_pack_a_stripe_price",
                violation_error_message="Another pack has this Stripe price.",
            ),
            models.CheckConstraint(condition=Q(units__gte=1), name="no_empty_pack"),
        ]

    def __str__(self) -> str:
        return self.name


class PackPurchase(models.Model):
    """A payment page that was opened for a pack, and what Stripe says of it. Nobody edits it (see billing/packs.py).

    It only moves forward: to a higher state, to more that was refunded.
    """

    class State(models.IntegerChoices):
        OPEN = 0, "not paid yet"
        PENDING = 1, "payment under way"
        CLOSED = 2, "not paid"
        PAID = 3, "paid"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="pack_purchases")
    pack = models.ForeignKey(Pack, on_delete=models.PROTECT, related_name="purchases")
    units = models.PositiveIntegerField("pictures")
    valid_days = models.PositiveIntegerField("days valid", null=True)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    currency = models.CharField(max_length=3)
    session_id = models.CharField(max_length=255, unique=True, help_text="Stripe's payment page.")
    payment_id = models.CharField(max_length=255, blank=True, help_text="Stripe's payment intent.")
    state = models.PositiveSmallIntegerField(choices=State, default=State.OPEN)
    amount = models.PositiveIntegerField(default=0, help_text="Paid, in the currency's smallest unit.")
    refunded = models.PositiveIntegerField(default=0, help_text="Of the amount.")
    grant = models.OneToOneField(QuotaGrant, on_delete=models.SET_NULL, null=True, related_name="purchase")
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["payment_id"], condition=~Q(payment_id=""), name="one_purchase_a_stripe_payment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.units} pictures, {self.outcome}"

    @property
    def outcome(self) -> str:
        """In words."""
        if self.state == self.State.PAID and self.refunded:
            return "refunded" if self.refunded >= self.amount else "refunded in part"
        return str(self.State(self.state).label)
