"""An account has one customer at Stripe, also where Stripe's answer was lost: what was asked for is written before."""

from __future__ import annotations

import uuid
from typing import Any

import stripe
from django.db import transaction

from accounts.models import StripeCustomer, StripeTurn, User


def known(user: User) -> StripeCustomer | None:
    return StripeCustomer.objects.filter(user=user).select_related("plan", "next_plan").first()


def made(api: Any, turn: StripeTurn) -> StripeCustomer:
    """The account's, made now where it has none. Whoever asks has its turn."""
    return known(turn.user) or _written(turn, _found(api, turn) or _created(api, turn))


def _found(api: Any, turn: StripeTurn) -> Any:
    """What came of a wish whose answer was lost, or None. Stripe forgets keys after a day, and no customers."""
    if not turn.customer_key:
        return None
    same_address = api.customers.list({"email": turn.customer_email, "limit": 100}).data
    return next((each for each in same_address if _account(each) == str(turn.user_id)), None)


def _account(customer: Any) -> str | None:
    metadata = customer.metadata
    return metadata["account"] if metadata and "account" in metadata else None


def _created(api: Any, turn: StripeTurn) -> Any:
    if not turn.customer_key:
        turn.customer_email, turn.customer_key = turn.user.email, uuid.uuid4().hex
        turn.save(update_fields=["customer_email", "customer_key"])
    params: Any = {"email": turn.customer_email, "metadata": {"account": str(turn.user_id)}}
    try:
        # The same key until Stripe has answered: a call that is still on its way makes no second customer.
        return api.customers.create(params, {"idempotency_key": turn.customer_key})
    except (stripe.APIConnectionError, stripe.IdempotencyError):
        raise
    except stripe.StripeError:  # Stripe would give the same answer for a day
        turn.customer_key = uuid.uuid4().hex
        turn.save(update_fields=["customer_key"])
        raise


@transaction.atomic
def _written(turn: StripeTurn, customer: Any) -> StripeCustomer:
    turn.customer_email = turn.customer_key = ""
    turn.save(update_fields=["customer_email", "customer_key"])
    return StripeCustomer.objects.create(user_id=turn.user_id, customer_id=customer.id)
