"""Packs that are paid once. As with plans Stripe's present state is the truth, and an event says where to look.

What is written only moves forward, each step by ONE conditional UPDATE: who makes a purchase paid gives its units. So
looks may come twice, at once, late or in any order.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import stripe
from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Pack, PackPurchase, QuotaGrant, StripeCustomer, User

logger = logging.getLogger(__name__)

State = PackPurchase.State
SESSION_EVENTS = {
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
}
LOOKED_UP = 3  # of an account's payment pages, the latest, when it comes back from Stripe


@dataclass(frozen=True)
class Payment:
    """What Stripe says of a payment page. `amount`, `refunded`: in the currency's smallest unit."""

    state: PackPurchase.State
    payment_id: str = ""
    amount: int = 0
    refunded: int = 0


def open_page(api: Any, customer: StripeCustomer, pack: Pack, price: Decimal) -> str:
    """The address of a payment page. The purchase is written before anybody can know it."""
    back = settings.SITE_URL + reverse("billing")
    params: Any = {
        "mode": "payment",
        "customer": customer.customer_id,
        "client_reference_id": str(customer.user_id),
        "line_items": [{"price": pack.stripe_price_id, "quantity": 1}],
        "invoice_creation": {"enabled": True},
        "success_url": f"{back}?paid=1",
        "cancel_url": back,
    }
    session = api.checkout.sessions.create(params)
    PackPurchase.objects.create(
        user_id=customer.user_id,
        pack=pack,
        units=pack.units,
        valid_days=pack.valid_days,
        price=price,
        currency=pack.currency,
        session_id=session.id,
    )
    return str(session.url)


def look_at_latest(api: Any, user: User) -> None:
    waiting = PackPurchase.objects.filter(user=user, state__lt=State.CLOSED)
    for purchase in waiting.order_by("-created_at")[:LOOKED_UP]:
        write(purchase, look(api, purchase.session_id))


def look_at_session(api: Any, session_id: str) -> None:
    purchase = PackPurchase.objects.filter(session_id=session_id).first()
    if purchase is None:  # others than ours may use the same Stripe account
        logger.info("Stripe's payment page %s was not opened here", session_id)
        return
    write(purchase, look(api, session_id))


def look_at_payment(api: Any, payment_id: str) -> None:
    """A refund is told of the charge, perhaps before it was told that the page was paid."""
    for session in api.checkout.sessions.list({"payment_intent": payment_id}).data:
        look_at_session(api, session.id)


def look(api: Any, session_id: str) -> Payment:
    try:
        session = api.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent.latest_charge"]})
        intent = _whole(session.payment_intent, api.payment_intents)
        return read(session, intent, _whole(intent.latest_charge, api.charges) if intent else None)
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing":  # of a test, before the keys were changed to live ones
            return Payment(State.CLOSED)
        raise


def _whole(found: Any, service: Any) -> Any:
    """What Stripe gives by its id where it has not followed our wish to have it whole."""
    return service.retrieve(found) if isinstance(found, str) else found


def read(session: Any, intent: Any, charge: Any) -> Payment:
    """`session`: Stripe's; with its payment intent and that one's latest charge, or None."""
    payment_id = intent.id if intent else ""
    if session.payment_status != "unpaid":
        return Payment(State.PAID, payment_id, session.amount_total, charge.amount_refunded if charge else 0)
    if session.status == "open":
        return Payment(State.OPEN)
    has_failed = intent is None or intent.status in ("canceled", "requires_payment_method")
    return Payment(State.CLOSED if session.status == "expired" or has_failed else State.PENDING, payment_id)


@transaction.atomic
def write(purchase: PackPurchase, payment: Payment) -> None:
    row = PackPurchase.objects.filter(pk=purchase.pk)
    moved = row.filter(state__lt=payment.state).update(state=payment.state, payment_id=payment.payment_id)
    if moved and payment.state == State.PAID:
        now = timezone.now()
        grant = QuotaGrant.objects.create(
            user_id=purchase.user_id,
            units=purchase.units,
            reason=f"Bought: {purchase.pack} ({purchase.session_id[:100]})",
            expires_at=None if purchase.valid_days is None else now + timedelta(days=purchase.valid_days),
        )
        row.update(grant=grant, paid_at=now, amount=payment.amount)
    if row.filter(state=State.PAID, refunded__lt=payment.refunded).update(refunded=payment.refunded):
        _take_back(row.get())


def _take_back(purchase: PackPurchase) -> None:
    """What is unused: all of it, or of a partial refund the same part of the units, rounded for the buyer."""
    grant = QuotaGrant.objects.filter(purchase=purchase)
    if purchase.refunded >= purchase.amount:
        now = timezone.now()
        grant.exclude(expires_at__lt=now).update(expires_at=now)
    else:
        kept = purchase.units - purchase.units * purchase.refunded // purchase.amount
        grant.update(units=Greatest(F("used"), Value(kept)))
