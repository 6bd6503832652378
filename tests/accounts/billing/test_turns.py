"""Clicks of one account at once, and answers of Stripe's that are lost: one page to pay on, one customer at Stripe."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.billing import turns
from accounts.billing.calls import Room
from accounts.models import StripeCustomer, StripeTurn, User
from tests.accounts.billing.stripe_stub import StripeStub
from tests.accounts.billing.test_checkout import choose, plan_of
from tests.accounts.billing.test_pricing import text
from tests.conftest import Account


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("processes", ["one", "several"])
def test_clicks_at_once(shop: StripeStub, monkeypatch: pytest.MonkeyPatch, processes: str) -> None:
    if processes == "several":  # none knows of another's clicks
        monkeypatch.setattr(Room, "errand", lambda room, caller: nullcontext())
    user = Account("carol@example.org", "free").user
    shop.before = lambda method, path: time.sleep(0.05)

    def click(plan: str) -> Any:
        browser = Client()
        browser.force_login(user)
        try:
            return choose(browser, plan)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as browsers:
        answers = list(browsers.map(click, ["pro", "basic", "pro"]))

    assert all(answer["Location"].startswith(shop.pages) for answer in answers)
    assert sorted(session["status"] for session in shop.sessions.values()) == ["expired", "expired", "open"]
    assert list(shop.customers) == [StripeCustomer.objects.get().customer_id]


def test_paid_while_another_plan_is_chosen(shop: StripeStub, browser: Client) -> None:
    """A page that is paid until the look is seen by it; later it is closed."""
    page = choose(browser, "basic")["Location"]

    def pay(*_: str) -> None:
        if next(session for session in shop.sessions.values() if session["url"] == page)["status"] == "open":
            shop.pay(page)

    shop.after_listing = pay
    choose(browser, "pro")

    opened = [session for session in shop.sessions.values() if session["status"] in ("open", "complete")]
    assert len(opened) == 1


def test_paid_as_it_is_closed(shop: StripeStub, browser: Client, bob: Account) -> None:
    page = choose(browser, "basic")["Location"]
    shop.before = lambda method, path: shop.pay(page) if path.endswith("/expire") else None

    assert choose(browser, "pro")["Location"] == "/billing"
    assert plan_of(bob) == "pro"
    assert [each["status"] for each in shop.sessions.values()] == ["complete"]


def test_who_waits_too_long_is_told(
    shop: StripeStub, browser: Client, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT", 0)
    with turns.turn(bob.user):
        choose(browser)
        assert "Your last click is still being worked on." in text(browser.get("/billing"))
        assert not shop.requests

    assert choose(browser)["Location"].startswith(shop.pages)


def test_whose_process_died_has_had_its_turn(shop: StripeStub, browser: Client, bob: Account) -> None:
    StripeTurn.objects.create(user=bob.user, holder="dead", until=timezone.now() - timedelta(seconds=1))

    assert choose(browser)["Location"].startswith(shop.pages)


@pytest.fixture
def unheard(shop: StripeStub, browser: Client) -> StripeStub:
    """A customer was made for Bob, and the answer was lost."""
    shop.answers_are_lost = True
    choose(browser)
    assert "did not answer in time. What you asked for may still happen" in text(browser.get("/billing"))
    shop.answers_are_lost = False
    assert len(shop.customers) == 1
    assert not StripeCustomer.objects.exists()
    return shop


@pytest.mark.parametrize("keys_are_known", [True, False])
def test_a_lost_answer(unheard: StripeStub, browser: Client, bob: Account, keys_are_known: bool) -> None:
    User.objects.filter(pk=bob.user.pk).update(email="bob@elsewhere.example")
    if not keys_are_known:  # a day later
        unheard._by_idempotency_key.clear()
    assert choose(browser)["Location"].startswith(unheard.pages)

    assert list(unheard.customers) == [StripeCustomer.objects.get().customer_id]


def test_a_call_that_is_still_on_its_way(shop: StripeStub, browser: Client) -> None:
    """It arrives after the next click has looked, and found nothing."""
    shop.answers_are_lost = True
    choose(browser)
    shop.answers_are_lost = False
    hidden, shop.customers = shop.customers, {}
    shop.before = lambda method, path: shop.customers.update(hidden) if path != "/v1/customers" else None
    choose(browser)

    assert list(shop.customers) == [StripeCustomer.objects.get().customer_id]


def test_deleted_after_a_lost_answer(unheard: StripeStub, bob: Account) -> None:
    bob.user.delete()

    assert not unheard.customers


def test_an_error_is_not_had_again(shop: StripeStub, browser: Client) -> None:
    """Stripe answers a key with the same error for a day."""
    shop.makes_no_customers = True
    choose(browser)
    assert "cannot be reached" in text(browser.get("/billing"))
    shop.makes_no_customers = False

    assert choose(browser)["Location"].startswith(shop.pages)
