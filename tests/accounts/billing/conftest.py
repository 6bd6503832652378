"""Stripe, as far as billing sees it: the stub's address in the settings, prices in the plans."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe
from django.test import Client

from accounts.models import Plan
from tests.accounts.billing import stripe_stub
from tests.accounts.billing.stripe_stub import StripeStub
from tests.conftest import Account


@pytest.fixture
def shop(db: None, settings: Any) -> Iterator[StripeStub]:
    """Basic costs 9 and Pro 29 a month; Enterprise stays on request."""
    for slug, price in (("basic", 9), ("pro", 29)):
        Plan.objects.filter(slug=slug).update(price=price, stripe_price_id=f"price_{slug}")
    with stripe_stub.running() as (stub, address):
        settings.STRIPE_SECRET_KEY = stripe_stub.SECRET_KEY
        settings.STRIPE_WEBHOOK_SECRET = stripe_stub.WEBHOOK_SECRET
        settings.STRIPE_API_BASE = address
        yield stub


@pytest.fixture
def browser(bob: Account) -> Client:
    client = Client()
    client.force_login(bob.user)
    return client


Send = Callable[..., Any]


@pytest.fixture
def send() -> Send:
    """Stripe's webhook: an event about an object, signed as Stripe signs."""

    def send(kind: str, about: dict[str, Any], secret: str = stripe_stub.WEBHOOK_SECRET, **event: Any) -> Any:
        event = {
            "id": f"evt_{uuid.uuid4().hex}",
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "data": {"object": about},
            **event,
        }
        body = json.dumps(event)
        signature = stripe.WebhookSignature.generate_signature_header(body, secret)
        headers = {"Stripe-Signature": signature}
        return Client().post("/billing/webhook", body, content_type="application/json", headers=headers)

    return send
