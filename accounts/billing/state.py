"""What Stripe says of a customer, read into our words and written here.

A subscription that lives and is paid for puts its account on the plan of its price; nothing else that it says counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Plan, StripeCustomer, Subscription

PAID = ("active", "trialing")
OWED = ("past_due", "unpaid", "paused")  # the subscription lives, its plan does not


class UnknownPrice(Exception):
    """Stripe charges for a price that no plan has."""


@dataclass(frozen=True)
class State:
    """What Stripe says of a customer: the subscription that lives, and the plan that is paid for."""

    subscription_id: str = ""
    status: str = ""
    plan: Plan | None = None
    renews_at: datetime | None = None
    next_plan: Plan | None = None


def read(subscription: Any) -> State:
    """`subscription`: Stripe's, with its schedule expanded."""
    item = subscription["items"].data[0]
    if subscription.status not in PAID:
        return State(subscription.id, subscription.status)
    following = None
    if subscription.cancel_at_period_end or subscription.cancel_at:
        following = Plan.objects.get(slug=Plan.FREE)
    elif subscription.schedule:
        later = [phase for phase in subscription.schedule.phases if phase.start_date > timezone.now().timestamp()]
        following = _plan(later[0]["items"][0].price) if later else None
    plan = _plan(item.price)
    ends = subscription.cancel_at or item.current_period_end
    return State(
        subscription.id,
        subscription.status,
        plan,
        datetime.fromtimestamp(ends, UTC),
        None if following == plan else following,
    )


def write(customer: StripeCustomer, state: State) -> bool:
    """The state, and the account's plan with it; False where another look was written since `customer` was read."""
    with transaction.atomic():
        unchanged = StripeCustomer.objects.filter(pk=customer.pk, looks=customer.looks)
        if not unchanged.update(**vars(state), looks=F("looks") + 1):
            return False
        if state.plan or customer.plan:  # else staff may have put the account on any plan
            plan = state.plan or Plan.objects.get(slug=Plan.FREE)
            Subscription.objects.update_or_create(user_id=customer.user_id, defaults={"plan": plan})
    return True


def worth(plan: Plan | None) -> Decimal:
    """Which of two plans is the higher: the dearer one. A price that has to be asked for is the highest."""
    if plan is None:
        return Decimal(-1)
    return Decimal("Infinity") if plan.price is None else plan.price


def _plan(price: Any) -> Plan:
    price_id = price if isinstance(price, str) else price.id
    plan = Plan.objects.filter(stripe_price_id=price_id).first()
    if plan is None:
        raise UnknownPrice(f"Stripe charges for {price_id}. Enter this price id in the plan that it is for.")
    return plan
