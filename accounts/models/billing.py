"""How an account comes to its plan: by asking for it, or by paying through Stripe."""

from __future__ import annotations

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models.plan import Plan, Subscription
from accounts.models.user import User


class StillPaying(Exception):
    """The account pays through Stripe, whose next event would undo what staff decide."""

    def __init__(self, user: User) -> None:
        super().__init__(f"{user} pays through Stripe. Cancel that subscription there first.")


class PlanRequest(models.Model):
    """A user asks for a plan; staff approve or refuse in the admin. At most one is open an account."""

    class State(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="plan_requests")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    message = models.TextField(blank=True, max_length=1000, help_text="What the user wrote.")
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    reply = models.TextField(blank=True, max_length=1000, help_text="The user reads it on the billing page.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(state="open"), name="one_open_plan_request")
        ]

    def __str__(self) -> str:
        return f"{self.user} asks for {self.plan}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def approved(self) -> bool:
        return self.state == self.State.APPROVED

    def approve(self, staff: User) -> bool:
        """Put the account on the plan. False: the request was closed meanwhile. Raises StillPaying."""
        if StripeCustomer.objects.paying().filter(user=self.user).exists():
            raise StillPaying(self.user)
        with transaction.atomic():
            won = self._close(self.State.APPROVED, staff)
            if won:
                Subscription.objects.update_or_create(user=self.user, defaults={"plan": self.plan})
        return won

    def refuse(self, staff: User) -> bool:
        return self._close(self.State.REFUSED, staff)

    def withdraw(self) -> bool:
        return self._close(self.State.WITHDRAWN, None)

    def _close(self, state: State, staff: User | None) -> bool:
        """Only the winner of the UPDATE decides: staff may approve what the user withdraws at the same moment."""
        closed = {"state": state, "decided_at": timezone.now(), "decided_by": staff}
        won = PlanRequest.objects.filter(pk=self.pk, state=self.State.OPEN).update(**closed)
        self.refresh_from_db()
        return bool(won)


class StripeCustomerQuerySet(models.QuerySet["StripeCustomer"]):
    def paying(self) -> StripeCustomerQuerySet:
        """Whose plan is Stripe's affair: a subscription lives, even if its last payment failed."""
        return self.exclude(subscription_id="")


class StripeCustomer(models.Model):
    """What Stripe says of an account, as of the last look (see billing/state.py). Nobody edits it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="stripe_customer")
    customer_id = models.CharField(max_length=255, unique=True)
    subscription_id = models.CharField(max_length=255, blank=True, help_text="The subscription that lives.")
    status = models.CharField(max_length=30, blank=True, help_text="Stripe's word for the subscription's state.")
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, null=True, related_name="+", help_text="The plan that is paid for now."
    )
    renews_at = models.DateTimeField(null=True, help_text="The end of the period that is paid for.")
    next_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, null=True, related_name="+", help_text="The plan from then on, if another."
    )
    looks = models.PositiveIntegerField(default=0, help_text="How often this row was written: the latest look wins.")

    objects = StripeCustomerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.customer_id


class StripeTurn(models.Model):
    """Who changes something for an account at Stripe has its turn (billing/turns.py): one at a time, a lease each."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    holder = models.CharField(max_length=32, blank=True)
    until = models.DateTimeField(null=True, help_text="The lease's end; empty: nobody's turn.")
    # A customer that Stripe was asked for, until its answer is written; empty: none.
    customer_email = models.EmailField(blank=True)
    customer_key = models.CharField(max_length=32, blank=True, help_text="Idempotency-Key.")

    def __str__(self) -> str:
        return f"{self.user_id}: {self.holder}"


class StripeEvent(models.Model):
    """One signed event of Stripe's, by its id: what was handled is not handled again."""

    event_id = models.CharField(max_length=255, unique=True)
    kind = models.CharField(max_length=100)
    customer_id = models.CharField(max_length=255, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    handled_at = models.DateTimeField(null=True, help_text="Empty: it failed, and Stripe sends it again.")

    class Meta:
        ordering = ["-received_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"
