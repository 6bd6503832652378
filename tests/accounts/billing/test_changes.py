"""Another plan while one is paid for: up at once, down and out at the period's end, and second thoughts."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiKey, StripeCustomer, Subscription, Usage
from tests.accounts.billing.conftest import Send
from tests.accounts.billing.stripe_stub import StripeStub
from tests.accounts.billing.test_checkout import choose, plan_of
from tests.accounts.billing.test_pricing import text
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send as send_picture


@pytest.fixture
def subscribed(shop: StripeStub, browser: Client) -> Any:
    """Bob pays for Pro; this is Stripe's side of it."""
    subscription = shop.pay(choose(browser)["Location"])
    browser.get("/billing?paid=1")
    return subscription


def price(subscription: dict[str, Any]) -> str:
    return str(subscription["items"]["data"][0]["price"]["id"])


def test_up_at_once(shop: StripeStub, browser: Client, bob: Account) -> None:
    subscription = shop.pay(choose(browser, "basic")["Location"])
    browser.get("/billing?paid=1")
    assert "Upgrade to Pro Takes effect at once" in text(browser.get("/billing"))

    choose(browser, "pro")
    assert plan_of(bob) == "pro"
    assert price(subscription) == "price_pro"
    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "30"
    assert len(shop.subscriptions) == 1  # changed, not paid for a second time


def test_up_with_a_card_that_is_refused(shop: StripeStub, browser: Client, bob: Account) -> None:
    subscription = shop.pay(choose(browser, "basic")["Location"])
    browser.get("/billing?paid=1")
    shop.card_is_refused = True

    choose(browser, "pro")
    assert "Your card was declined. Nothing was changed." in text(browser.get("/billing"))
    assert (plan_of(bob), price(subscription)) == ("basic", "price_basic")


def test_down_at_the_periods_end(
    shop: StripeStub, browser: Client, bob: Account, subscribed: dict[str, Any], send: Send
) -> None:
    choose(browser, "basic")
    assert (plan_of(bob), price(subscribed)) == ("pro", "price_pro")
    assert "After that the account moves to Basic" in text(browser.get("/billing"))

    shop.period_ends(subscribed)
    send("customer.subscription.updated", subscribed)
    assert (plan_of(bob), price(subscribed)) == ("basic", "price_basic")
    assert "Basic renews on" in text(browser.get("/billing"))


def test_out_at_the_periods_end_and_nothing_lost(
    shop: StripeStub, browser: Client, bob: Account, subscribed: dict[str, Any], send: Send
) -> None:
    bob.user.refresh_from_db()
    send_picture(bob.client)
    choose(browser, "free")
    assert plan_of(bob) == "pro"
    assert "After that the account moves to Free" in text(browser.get("/billing"))

    shop.period_ends(subscribed)
    send("customer.subscription.deleted", subscribed)
    assert plan_of(bob) == "free"
    assert bob.client.get("/api/v1/stats").json()["success"] == 1
    assert ApiKey.objects.filter(user=bob.user, revoked_at=None).exists()
    assert Usage.objects.filter(user=bob.user).exists()


def test_not_paid(shop: StripeStub, browser: Client, bob: Account, subscribed: dict[str, Any], send: Send) -> None:
    shop.card_is_refused = True
    shop.period_ends(subscribed)
    send("invoice.payment_failed", {"object": "invoice", "id": "in_1", "customer": subscribed["customer"]})
    assert plan_of(bob) == "free"
    assert "The last payment failed" in text(browser.get("/billing"))
    choose(browser, "basic")  # would be a second subscription beside the one that is owed
    assert "Pay it first" in text(browser.get("/billing"))

    subscribed["status"] = "active"
    send("invoice.paid", {"object": "invoice", "id": "in_1", "customer": subscribed["customer"]})
    assert plan_of(bob) == "pro"


@pytest.mark.parametrize("target", ["basic", "free"])
def test_second_thoughts(shop: StripeStub, browser: Client, subscribed: dict[str, Any], target: str) -> None:
    choose(browser, target)
    assert "Keep Pro" in text(browser.get("/billing"))
    browser.post("/billing/undo")
    assert "Pro renews on" in text(browser.get("/billing"))

    shop.period_ends(subscribed)
    browser.get("/billing?paid=1")
    assert "Pro renews on" in text(browser.get("/billing"))
    assert price(subscribed) == "price_pro"


def test_down_then_out_then_down(shop: StripeStub, browser: Client, subscribed: dict[str, Any]) -> None:
    """Each choice replaces the one before; Stripe allows a schedule or a cancellation, not both."""
    for plan, then in (("basic", "Basic"), ("free", "Free"), ("basic", "Basic")):
        choose(browser, plan)
        assert f"After that the account moves to {then}" in text(browser.get("/billing"))


def test_up_while_a_downgrade_waits(shop: StripeStub, browser: Client, bob: Account) -> None:
    subscription = shop.pay(choose(browser, "basic")["Location"])
    browser.get("/billing?paid=1")
    choose(browser, "free")

    choose(browser, "pro")
    assert plan_of(bob) == "pro"
    assert not subscription["cancel_at_period_end"]
    assert "Pro renews on" in text(browser.get("/billing"))


def test_cancelled_in_stripes_portal(
    shop: StripeStub, browser: Client, bob: Account, subscribed: dict[str, Any], send: Send
) -> None:
    subscribed["cancel_at"] = subscribed["items"]["data"][0]["current_period_end"]  # newer accounts use this field
    send("customer.subscription.updated", subscribed)
    assert "After that the account moves to Free" in text(browser.get("/billing"))

    browser.post("/billing/undo")
    assert subscribed["cancel_at"] is None
    assert "Pro renews on" in text(browser.get("/billing"))


def test_staff_may_choose_after_it_ended(
    shop: StripeStub, browser: Client, bob: Account, subscribed: dict[str, Any], send: Send
) -> None:
    subscribed["status"] = "canceled"
    send("customer.subscription.deleted", subscribed)
    Subscription.objects.filter(user=bob.user).update(plan=3)

    send("customer.subscription.deleted", subscribed)  # late, or once more
    assert Subscription.objects.get(user=bob.user).plan_id == 3


def test_own_limits_stay(shop: StripeStub, browser: Client, bob: Account, subscribed: dict[str, Any]) -> None:
    bob.limit(quota=7)
    choose(browser, "basic")
    browser.get("/billing?paid=1")

    assert Subscription.objects.get(user=bob.user).quota == 7


def test_one_customer_row_follows(shop: StripeStub, browser: Client, subscribed: dict[str, Any]) -> None:
    row = StripeCustomer.objects.get()

    assert (row.subscription_id, row.status, row.plan.slug) == (subscribed["id"], "active", "pro")  # type: ignore[union-attr]
    assert row.renews_at is not None
