"""Stripe is asked for seconds, by few at once, and by nobody who keeps a place of the worker meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from django.test import Client

from accounts.billing import Busy, calls
from accounts.billing.calls import Room
from accounts.models import Pack, StripeEvent, User
from tests.accounts.billing.conftest import Send
from tests.accounts.billing.stripe_stub import StripeStub
from tests.accounts.billing.test_checkout import choose
from tests.accounts.billing.test_pricing import text
from tests.accounts.conftest import Person
from tests.conftest import Account

CLICKS: dict[str, Callable[[Client], Any]] = {
    "choose": choose,
    "buy": lambda browser: browser.post("/billing/buy", {"pack": 1}),
    "take back": lambda browser: browser.post("/billing/undo"),
    "invoices": lambda browser: browser.post("/billing/portal"),
    "back from paying": lambda browser: browser.get("/billing?paid=1"),
}


@pytest.fixture
def subscribed(shop: StripeStub, browser: Client) -> Any:
    """Bob pays for Basic, and has said that he will not for long."""
    Pack.objects.create(pk=1, name="Hundred", units=100, price=5, stripe_price_id="price_pack")
    subscription = shop.pay(choose(browser, "basic")["Location"])
    browser.get("/billing?paid=1")
    choose(browser, "free")
    return subscription


@pytest.fixture
def hanging(shop: StripeStub, subscribed: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeStub]:
    """Stripe answers when the test is over. Nobody has half a second for that."""
    monkeypatch.setattr(calls, "TIMEOUT", 0.2)
    monkeypatch.setattr(calls, "PATIENCE", 0.4)
    over = threading.Event()
    shop.before = lambda method, path: over.wait(60)
    yield shop
    over.set()


@pytest.mark.parametrize("name", CLICKS)
def test_it_hangs(hanging: StripeStub, browser: Client, name: str) -> None:
    began = time.monotonic()
    CLICKS[name](browser)

    assert time.monotonic() - began < 3
    assert "The payment service did not answer in time." in text(browser.get("/billing"))


def test_it_hangs_while_an_account_is_deleted(shop: StripeStub, carol: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(carol.browser)
    carol.confirm_password()
    monkeypatch.setattr(calls, "TIMEOUT", 0.2)
    monkeypatch.setattr(calls, "PATIENCE", 0.4)
    over = threading.Event()
    shop.before = lambda method, path: over.wait(60)
    began = time.monotonic()
    page = carol.browser.post("/account/delete", {"email": "carol@example.org"}, follow=True)
    over.set()

    assert time.monotonic() - began < 3
    assert "Your account is not deleted. The payment service did not answer in time." in text(page)
    assert User.objects.exists()


def test_it_hangs_during_an_event(hanging: StripeStub, subscribed: dict[str, Any], send: Send) -> None:
    began = time.monotonic()

    assert send("customer.subscription.updated", subscribed).status_code == 503
    assert time.monotonic() - began < 3
    assert StripeEvent.objects.get().handled_at is None


def test_many_slow_answers_are_a_slow_one(
    shop: StripeStub, subscribed: dict[str, Any], browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PATIENCE", 1)
    shop.before = lambda method, path: time.sleep(0.4)
    asked = len(shop.requests)
    choose(browser, "pro")  # nine calls

    assert len(shop.requests) - asked <= 3
    assert "did not answer in time" in text(browser.get("/billing"))


@pytest.mark.parametrize("name", CLICKS)
def test_it_is_asked_without_a_place(
    shop: StripeStub, subscribed: dict[str, Any], browser: Client, name: str, left: list[bool]
) -> None:
    asked: list[bool] = []
    shop.before = lambda method, path: asked.append(left[0])
    CLICKS[name](browser)

    assert asked
    assert all(asked)


# --- room ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "WAIT", 0.01)


def test_so_many_at_once(impatient: None) -> None:
    room = Room(most=2, line=4)
    with room.errand("a"), room.errand("b"), pytest.raises(Busy), room.errand("c"):
        pass
    with room.errand("a"), room.errand("c"):  # nothing is taken for good
        pass


def test_one_of_a_caller(impatient: None) -> None:
    room = Room(most=2, line=4)
    with room.errand("a"), pytest.raises(Busy), room.errand("a"):
        pass
    with room.errand("a"):
        pass


def test_who_waits_has_it_next() -> None:
    room, has_it = Room(most=1, line=1), threading.Event()

    def next_one() -> None:
        with room.errand("b"):
            has_it.set()

    with ThreadPoolExecutor(1) as pool:
        with room.errand("a"):
            done = pool.submit(next_one)
            assert not has_it.wait(0.1)
        done.result(10)
    assert has_it.is_set()


def test_too_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    room, refused = Room(most=1, line=1), []

    def wait() -> None:
        with room.errand("b"):
            pass

    with ThreadPoolExecutor(1) as pool:
        with room.errand("a"):
            waits = pool.submit(wait)
            while not room._waiting:
                time.sleep(0.001)
            began = time.monotonic()
            with pytest.raises(Busy), room.errand("c"):
                refused.append("c")
            assert time.monotonic() - began < 1
        waits.result(10)
    assert not refused


@pytest.mark.parametrize("name", CLICKS)
def test_there_is_no_room(
    shop: StripeStub, subscribed: dict[str, Any], browser: Client, impatient: None, name: str
) -> None:
    asked = len(shop.requests)
    with ExitStack() as others:
        for number in range(8):
            others.enter_context(calls.looks.errand(f"other {number}"))
            others.enter_context(calls.changes.errand(f"other {number}"))
        CLICKS[name](browser)

    assert len(shop.requests) == asked
    assert "The payment service is busy. Nothing was changed" in text(browser.get("/billing"))


def test_there_is_no_room_for_an_event(
    shop: StripeStub, subscribed: dict[str, Any], bob: Account, send: Send, impatient: None
) -> None:
    with calls.events.errand(bob.user.stripe_customer.customer_id):
        assert send("customer.subscription.updated", subscribed, id="evt_1").status_code == 503
    assert StripeEvent.objects.get().handled_at is None

    assert send("customer.subscription.updated", subscribed, id="evt_1").status_code == 200
