"""An account that is deleted does not pay on, and leaves nothing at Stripe, whatever it was clicking on."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import Client

from accounts import billing
from accounts.deletion import delete_account
from accounts.models import ApiKey, Pack, StripeCustomer, StripeTurn, User
from config import middleware
from tests.accounts.billing.conftest import Send
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


# --- meanwhile -------------------------------------------------------------------------------------------------------

CLICKS: dict[str, tuple[str, dict[str, str]]] = {
    "choose a plan": ("/billing/choose", {"plan": "pro"}),
    "buy a pack": ("/billing/buy", {"pack": "1"}),
    "take a choice back": ("/billing/undo", {}),
    "see the invoices": ("/billing/portal", {}),
    "come back from paying": ("/billing?paid=1", {}),
}
at_once = pytest.mark.django_db(transaction=True, serialized_rollback=True)  # threads; keys are checked at its end


@pytest.fixture
def dan(db: None, shop: StripeStub) -> Person:
    Pack.objects.create(pk=1, name="Hundred", units=100, price=5, stripe_price_id="price_pack")
    person = Person("dan@example.org")
    person.browser.raise_request_exception = False
    assert person.sign_in() == "/dashboard"
    return person


def click(person: Person, name: str) -> Any:
    path, fields = CLICKS[name]
    return person.browser.get(path) if "?" in path else person.browser.post(path, fields)


def pay_for_basic(shop: StripeStub, person: Person) -> dict[str, Any]:
    """And wish to end it, which can be taken back."""
    subscription = shop.pay(choose(person.browser, "basic")["Location"])
    person.browser.get("/billing?paid=1")
    choose(person.browser, "free")
    return subscription


def nothing_is_left(shop: StripeStub) -> None:
    assert not User.objects.exists()
    assert not shop.customers
    assert not StripeTurn.objects.exists()
    assert not [session for session in shop.sessions.values() if session["status"] == "open"]
    assert not [each for each in shop.subscriptions.values() if each["status"] != "canceled"]


@at_once
@pytest.mark.parametrize("pays", [False, True])
@pytest.mark.parametrize("name", CLICKS)
def test_deleted_before_stripe_is_asked(
    shop: StripeStub, dan: Person, monkeypatch: pytest.MonkeyPatch, name: str, pays: bool
) -> None:
    if pays:
        pay_for_basic(shop, dan)

    def delete_meanwhile(request: HttpRequest, **asked: Any) -> None:
        for user in User.objects.all():
            delete_account(user)

    monkeypatch.setattr(middleware, "get_usage", delete_meanwhile)  # asked between the session and the page
    answer = click(dan, name)

    assert answer.status_code < 500, answer.content
    nothing_is_left(shop)


@at_once
@pytest.mark.parametrize("pays", [False, True])
@pytest.mark.parametrize("name", CLICKS)
def test_deleted_while_stripe_is_asked(shop: StripeStub, dan: Person, name: str, pays: bool) -> None:
    if pays:
        pay_for_basic(shop, dan)
    deletions: list[threading.Thread] = []

    def delete() -> None:
        delete_account(User.objects.get())
        connection.close()

    def delete_meanwhile(method: str, path: str) -> None:
        if not deletions:
            deletions.append(threading.Thread(target=delete))
            deletions[0].start()
            deletions[0].join(0.3)  # it ends, or waits for the click

    shop.before = delete_meanwhile
    answer = click(dan, name)
    if deletions:
        deletions[0].join()
    else:  # there was nothing to ask
        delete()

    assert answer.status_code < 500, answer.content
    nothing_is_left(shop)


@at_once
@pytest.mark.parametrize("kind", ["customer.subscription.updated", "checkout.session.completed"])
def test_deleted_while_an_event_is_handled(shop: StripeStub, dan: Person, send: Send, kind: str) -> None:
    about = pay_for_basic(shop, dan)
    if kind.startswith("checkout"):
        about = shop.pay_once(click(dan, "buy a pack")["Location"])

    def delete() -> None:
        delete_account(User.objects.get())
        connection.close()

    def delete_meanwhile(method: str, path: str) -> None:
        shop.before = lambda method, path: None
        thread = threading.Thread(target=delete)
        thread.start()
        thread.join()

    shop.before = delete_meanwhile

    assert send(kind, about).status_code == 200
    nothing_is_left(shop)


@at_once
@pytest.mark.parametrize("name", ["choose a plan", "come back from paying"])
def test_the_customer_is_deleted_at_stripe_while_it_is_looked_at(shop: StripeStub, dan: Person, name: str) -> None:
    pay_for_basic(shop, dan)

    def delete_meanwhile(method: str, path: str) -> None:
        StripeCustomer.objects.all().delete()
        connection.close()

    shop.before = delete_meanwhile

    assert click(dan, name)["Location"] == "/billing"
    assert "Your payment details were deleted at Stripe meanwhile." in text(dan.browser.get("/billing"))
