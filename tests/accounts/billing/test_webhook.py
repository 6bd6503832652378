"""POST /billing/webhook: signed, once by id, in any order."""

import json
import threading
import time
from typing import Any

import pytest
import stripe
from django.db import connection
from django.test import Client

from accounts.billing.stripe import StripeGateway
from accounts.models import Plan, StripeCustomer, StripeEvent, Subscription
from tests.accounts.billing.conftest import Send
from tests.accounts.billing.stripe_stub import WEBHOOK_SECRET, StripeStub
from tests.accounts.billing.test_checkout import choose, plan_of
from tests.conftest import Account

URL = "/billing/webhook"


@pytest.fixture
def subscribed(shop: StripeStub, browser: Client) -> Any:
    """Bob has paid for Pro, and nobody here knows it yet."""
    return shop.pay(choose(browser)["Location"])


def test_it_works(subscribed: dict[str, Any], bob: Account, send: Send) -> None:
    response = send("customer.subscription.created", subscribed, id="evt_1")

    assert (response.status_code, response.json()) == (200, {"received": True})
    assert plan_of(bob) == "pro"
    event = StripeEvent.objects.get()
    assert (event.event_id, event.kind) == ("evt_1", "customer.subscription.created")
    assert event.handled_at is not None


def test_another_signature(subscribed: dict[str, Any], bob: Account, send: Send) -> None:
    assert send("customer.subscription.created", subscribed, secret="whsec_a_guess").status_code == 400
    assert plan_of(bob) == "free"
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("header", [{}, {"Stripe-Signature": ""}, {"Stripe-Signature": "t=1,v1=00"}])
def test_no_signature(shop: StripeStub, header: dict[str, str]) -> None:
    assert Client().post(URL, "{}", content_type="application/json", headers=header).status_code == 400


def test_a_signature_that_is_old(shop: StripeStub) -> None:
    body = json.dumps({"id": "evt_1", "object": "event", "type": "invoice.paid", "data": {"object": {}}})
    old = stripe.WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET, int(time.time()) - 3600)

    response = Client().post(URL, body, content_type="application/json", headers={"Stripe-Signature": old})
    assert response.status_code == 400


@pytest.mark.parametrize("ahead", [3600, 10**9, 10**15])
def test_a_signature_of_the_future(shop: StripeStub, ahead: int) -> None:
    body = json.dumps(EVENT)
    for moment, status in ((int(time.time()) + ahead, 400), (int(time.time()) + 60, 200)):
        signature = stripe.WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET, moment)

        response = Client().post(URL, body, content_type="application/json", headers={"Stripe-Signature": signature})
        assert response.status_code == status


def test_more_than_any_event_has(shop: StripeStub, caplog: pytest.LogCaptureFixture) -> None:
    response = Client().post(URL, b" " * (3 << 20), content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("body", ["", "not JSON", b"\xff\xfe"])
def test_signed_nonsense(shop: StripeStub, body: Any) -> None:
    text = body.decode("latin-1") if isinstance(body, bytes) else body
    signature = stripe.WebhookSignature.generate_signature_header(text, WEBHOOK_SECRET)

    response = Client().post(URL, body, content_type="application/json", headers={"Stripe-Signature": signature})
    assert response.status_code == 400


STRANGE: list[Any] = [None, 1, [], {}, "", "\x00", "\ud800", "a" * 300]
NO_OBJECT: list[Any] = [None, 1, "a", [], [{}]]
ABOUT = {"object": "subscription", "customer": "cus_1"}
EVENT = {"id": "evt_1", "object": "event", "type": "invoice.paid", "data": {"object": ABOUT}}


@pytest.mark.parametrize(
    "event",
    [
        *([], {}, 1, None, "evt_1", {"id": "evt_1"}, {"object": "event"}),
        *({**EVENT, name: value} for name in EVENT for value in STRANGE),
        *({**EVENT, "data": {"object": value}} for value in NO_OBJECT),
        *(
            {**EVENT, "data": {"object": {**ABOUT, "customer": value}}}
            for value in (1, [1], {"id": 1}, {"a": 1}, "\x00")
        ),
    ],
)
def test_signed_but_malformed(shop: StripeStub, event: Any) -> None:
    text = json.dumps(event)
    signature = stripe.WebhookSignature.generate_signature_header(text, WEBHOOK_SECRET)

    response = Client().post(URL, text, content_type="application/json", headers={"Stripe-Signature": signature})
    is_event = isinstance(event, dict) and event.get("id") == "evt_1" and event.get("type") == "invoice.paid"
    assert response.status_code == 400 or (is_event and event["data"] == EVENT["data"])


def test_the_same_event_twice(shop: StripeStub, subscribed: dict[str, Any], send: Send) -> None:
    send("customer.subscription.created", subscribed, id="evt_1")
    asked = len(shop.requests)

    assert send("customer.subscription.created", subscribed, id="evt_1").status_code == 200
    assert len(shop.requests) == asked
    assert StripeEvent.objects.count() == 1


def test_out_of_order(subscribed: dict[str, Any], bob: Account, send: Send) -> None:
    """The event says active, and was overtaken: what Stripe says now counts."""
    before = {**subscribed}
    subscribed["status"] = "canceled"

    send("customer.subscription.deleted", subscribed)
    send("customer.subscription.created", before)
    assert plan_of(bob) == "free"


def test_an_old_subscriptions_end_does_not_end_the_new_one(
    shop: StripeStub, subscribed: dict[str, Any], bob: Account, send: Send
) -> None:
    subscribed["status"] = "canceled"
    shop.subscribe(subscribed["customer"], "price_basic")
    send("customer.subscription.deleted", subscribed)

    assert plan_of(bob) == "basic"


def test_stripe_is_down(shop: StripeStub, subscribed: dict[str, Any], bob: Account, send: Send) -> None:
    shop.down = True
    assert send("customer.subscription.created", subscribed, id="evt_1").status_code == 503
    assert StripeEvent.objects.get().handled_at is None

    shop.down = False
    assert send("customer.subscription.created", subscribed, id="evt_1").status_code == 200
    assert plan_of(bob) == "pro"


def test_a_price_that_no_plan_has(subscribed: dict[str, Any], bob: Account, send: Send) -> None:
    Plan.objects.filter(slug="pro").update(stripe_price_id="")
    assert send("customer.subscription.created", subscribed, id="evt_1").status_code == 503
    assert plan_of(bob) == "free"

    Plan.objects.filter(slug="pro").update(stripe_price_id="price_pro")
    send("customer.subscription.created", subscribed, id="evt_1")
    assert plan_of(bob) == "pro"


def test_somebody_elses_customer(shop: StripeStub, send: Send) -> None:
    assert send("invoice.paid", {"object": "invoice", "id": "in_1", "customer": "cus_of_a_webshop"}).status_code == 200
    assert not shop.requests


def test_an_event_we_do_not_use(shop: StripeStub, subscribed: dict[str, Any], send: Send) -> None:
    asked = len(shop.requests)

    assert send("charge.succeeded", {"object": "charge", "customer": subscribed["customer"]}).status_code == 200
    assert len(shop.requests) == asked


def test_the_customer_was_deleted_at_stripe(
    shop: StripeStub, subscribed: dict[str, Any], browser: Client, bob: Account, send: Send
) -> None:
    send("customer.subscription.created", subscribed)
    customer = shop.customers.pop(subscribed["customer"])
    send("customer.deleted", customer)
    assert plan_of(bob) == "free"

    assert choose(browser)["Location"].startswith("https://checkout.stripe.test/")  # as a new customer


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_looks_at_once_the_later_counts(shop: StripeStub) -> None:
    """A look that began before the cancellation must not be written after the one that saw it."""
    account = Account("carol@example.org", "free")
    customer = StripeCustomer.objects.create(user=account.user, customer_id="cus_1")
    shop.customers["cus_1"] = {}
    subscription = shop.subscribe("cus_1", "price_pro")
    in_between = threading.Event()

    def overtake() -> None:
        """While the first look's answer is on its way: the cancellation, and a second look that is written first."""
        if in_between.is_set():
            return
        in_between.set()
        thread = threading.Thread(target=second_look)
        thread.start()
        thread.join()

    def second_look() -> None:
        StripeGateway().sync(StripeCustomer.objects.get())
        connection.close()
        subscription["status"] = "canceled"
        StripeGateway().sync(StripeCustomer.objects.get())
        connection.close()

    shop.after_listing = overtake
    StripeGateway().sync(customer)

    assert Subscription.objects.get(user=account.user).plan.slug == "free"
    assert customer.looks == 3
