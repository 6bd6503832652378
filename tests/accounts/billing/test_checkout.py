"""/billing with Stripe: subscribe on Stripe's page."""

from typing import Any

from django.test import Client

from accounts.models import Plan, PlanRequest, Subscription
from tests.accounts.billing.conftest import Send
from tests.accounts.billing.stripe_stub import StripeStub
from tests.accounts.billing.test_pricing import text
from tests.conftest import Account


def choose(browser: Client, plan: str = "pro") -> Any:
    return browser.post("/billing/choose", {"plan": plan})


def plan_of(account: Account) -> str:
    return Subscription.objects.get(user=account.user).plan.slug


def test_it_works(shop: StripeStub, browser: Client, bob: Account, send: Send) -> None:
    assert "Upgrade to Pro" in text(browser.get("/billing"))
    page = choose(browser)
    assert page["Location"].startswith("https://checkout.stripe.test/")
    (session,) = shop.sessions.values()
    assert session["line_items"] == [{"price": "price_pro", "quantity": "1"}]
    assert session["client_reference_id"] == str(bob.user.pk)
    assert session["success_url"] == "http://localhost:8080/billing?paid=1"
    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "2"  # nothing is paid yet

    paid = shop.pay(page["Location"])
    assert send("customer.subscription.created", paid).status_code == 200
    assert bob.client.get("/api/v1/stats")["X-RateLimit-Limit"] == "30"
    assert "Pro renews on" in text(browser.get("/billing"))


def test_back_from_payment_before_stripes_event(shop: StripeStub, browser: Client, bob: Account) -> None:
    shop.pay(choose(browser)["Location"])

    assert browser.get("/billing?paid=1")["Location"] == "/billing"
    assert plan_of(bob) == "pro"


def test_back_without_having_paid(shop: StripeStub, browser: Client, bob: Account) -> None:
    choose(browser)
    browser.get("/billing?paid=1")

    assert plan_of(bob) == "free"


def test_only_the_latest_page_can_be_paid(shop: StripeStub, browser: Client) -> None:
    choose(browser, "basic")
    choose(browser, "pro")

    assert [session["status"] for session in shop.sessions.values()] == ["expired", "open"]
    assert len(shop.customers) == 1


def test_a_plan_on_request_is_still_asked_for(shop: StripeStub, browser: Client) -> None:
    assert "Talk to us about Enterprise" in text(browser.get("/billing"))
    choose(browser, "enterprise")

    assert PlanRequest.objects.get().plan.slug == "enterprise"
    assert not shop.requests


def test_a_plan_without_its_stripe_price_is_asked_for(shop: StripeStub, browser: Client) -> None:
    Plan.objects.filter(slug="basic").update(stripe_price_id="")
    choose(browser, "basic")

    assert PlanRequest.objects.get().plan.slug == "basic"


def test_stripe_is_down(shop: StripeStub, browser: Client, bob: Account) -> None:
    shop.down = True
    choose(browser)

    assert "The payment service cannot be reached. Nothing was changed" in text(browser.get("/billing"))
    assert plan_of(bob) == "free"


def test_the_portal(shop: StripeStub, browser: Client) -> None:
    assert "has not paid for anything" in text(browser.post("/billing/portal", follow=True))

    shop.pay(choose(browser)["Location"])
    browser.get("/billing?paid=1")
    assert browser.post("/billing/portal")["Location"].startswith("https://portal.stripe.test/cus_")
