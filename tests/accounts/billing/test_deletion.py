"""An account that is deleted does not pay on."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts import billing
from accounts.models import ApiKey, StripeCustomer, User
from tests.accounts.billing.stripe_stub import StripeStub
from tests.accounts.billing.test_checkout import choose
from tests.accounts.billing.test_pricing import text
from tests.accounts.conftest import Person
from tests.conftest import Account


@pytest.fixture
def subscribed(shop: StripeStub, browser: Client) -> Any:
    subscription = shop.pay(choose(browser)["Location"])
    browser.get("/billing?paid=1")
    return subscription


def test_it_works(shop: StripeStub, subscribed: dict[str, Any], bob: Account) -> None:
    bob.user.delete()

    assert subscribed["status"] == "canceled"
    assert not shop.customers
    assert not StripeCustomer.objects.exists()


def test_without_an_answer_it_is_not_deleted(shop: StripeStub, subscribed: dict[str, Any], bob: Account) -> None:
    shop.down = True
    with pytest.raises(billing.Unavailable), transaction.atomic():
        bob.user.delete()

    assert User.objects.filter(pk=bob.user.pk).exists()
    assert subscribed["status"] == "active"


def test_on_the_page_that_deletes(shop: StripeStub, carol: Person) -> None:
    subscription = shop.pay(choose(carol.browser)["Location"])
    carol.browser.get("/billing?paid=1")
    key, _ = ApiKey.objects.issue(carol.user, "laptop")
    carol.confirm_password()
    shop.down = True
    page = carol.browser.post("/account/delete", {"email": "carol@example.org"}, follow=True)
    assert "Your account is not deleted. The payment service cannot be reached." in text(page)
    key.refresh_from_db()
    assert key.revoked_at is None  # nothing has happened

    shop.down = False
    carol.browser.post("/account/delete", {"email": "carol@example.org"})
    assert subscription["status"] == "canceled"
    assert not User.objects.exists()


def test_closed_before_by_whoever_deletes(shop: StripeStub, subscribed: dict[str, Any], bob: Account) -> None:
    billing.gateway().close(bob.user)
    asked = len(shop.requests)
    bob.user.delete()

    assert len(shop.requests) == asked


def test_a_customer_that_stripe_does_not_know_any_more(
    shop: StripeStub, subscribed: dict[str, Any], bob: Account
) -> None:
    shop.customers.clear()
    bob.user.delete()

    assert not User.objects.exists()


def test_who_never_paid(shop: StripeStub, bob: Account) -> None:
    bob.user.delete()

    assert not shop.requests


def test_without_stripe_the_log_tells(bob: Account, caplog: pytest.LogCaptureFixture) -> None:
    StripeCustomer.objects.create(user=bob.user, customer_id="cus_1", subscription_id="sub_1")
    bob.user.delete()

    assert "cus_1 is deleted here and still charged" in caplog.text
