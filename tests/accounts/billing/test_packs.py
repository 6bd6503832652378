"""Packs: paid once on Stripe's page, given once, whatever Stripe says how often and in which order; refunds."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.billing.packs import Payment, write
from accounts.models import Pack, PackPurchase, QuotaGrant, StripeEvent, Usage
from accounts.quota import quota_of
from accounts.reservations import reserve
from tests.accounts.billing.conftest import Send
from tests.accounts.billing.stripe_stub import StripeStub
from tests.accounts.billing.test_checkout import choose
from tests.accounts.billing.test_checks import found
from tests.accounts.billing.test_pricing import text
from tests.accounts.test_grants import call, spend
from tests.conftest import Account

State = PackPurchase.State


@pytest.fixture
def pack(db: None) -> Pack:
    return Pack.objects.create(name="Hundred", units=100, valid_days=365, price=5, stripe_price_id="price_pack")


def buy(browser: Client, pack: Pack) -> Any:
    return browser.post("/billing/buy", {"pack": pack.pk})


def test_who_is_signed_out_comes_back_with_the_choice(pack: Pack, client: Client, alice: Account) -> None:
    response = buy(client, pack)
    assert response.status_code == 302
    back = parse_qs(urlsplit(response["Location"]).query)["next"][0]
    assert back == f"/billing?pack={pack.pk}"

    client.force_login(alice.user)
    page = client.get(back)
    assert page.status_code == 200
    assert f'<section class="card chosen" aria-labelledby="pack-{pack.pk}">' in page.content.decode()


@pytest.mark.parametrize("path", ["choose", "buy", "undo", "quota-mails", "portal"])
def test_no_sign_in_leads_to_a_page_that_is_none(path: str, client: Client, db: None) -> None:
    response = client.post(f"/billing/{path}")
    assert response["Location"] == "/login?next=/billing"
    assert client.get(f"/billing/{path}").status_code == 405


def left(account: Account) -> int:
    """Units that packs have left."""
    return quota_of(account.user).granted


def units_used(account: Account, used: int) -> None:
    """As if the account had cleaned as many pictures with its pack."""
    QuotaGrant.objects.filter(user=account.user).update(used=used)


@pytest.fixture
def paid(shop: StripeStub, browser: Client, pack: Pack) -> dict[str, Any]:
    """Bob has paid for the pack, and nobody here knows it yet."""
    return shop.pay_once(buy(browser, pack)["Location"])


def test_it_works(shop: StripeStub, browser: Client, bob: Account, pack: Pack, send: Send) -> None:
    assert "Hundred USD 5 once 100 pictures valid for 365 days Buy 100 pictures" in text(browser.get("/billing"))
    page = buy(browser, pack)
    assert page["Location"].startswith("https://checkout.stripe.test/")
    (session,) = shop.sessions.values()
    assert (session["mode"], session["line_items"]) == ("payment", [{"price": "price_pack", "quantity": "1"}])
    assert left(bob) == 0  # nothing is paid yet

    assert send("checkout.session.completed", shop.pay_once(page["Location"])).status_code == 200
    assert left(bob) == 100
    assert bob.client.get("/api/v1/stats").json()["quota"]["limit"] == 110  # 10 a day of Free
    (grant,) = QuotaGrant.objects.all()
    assert grant.expires_at is not None
    assert timedelta(days=364) < grant.expires_at - timezone.now() <= timedelta(days=365)
    shown = text(browser.get("/billing"))
    assert "Hundred USD 5 paid 100 of 100" in shown
    assert "100 pictures left, used after the plan's quota" in shown
    assert "100 of those left are from packs" in text(browser.get("/dashboard"))


@pytest.mark.parametrize("expands", [True, False])
def test_stripe_tells_of_a_payment_whole_or_by_its_id(
    shop: StripeStub, paid: dict[str, Any], bob: Account, send: Send, expands: bool
) -> None:
    shop.expands = expands
    intent = shop.intents[paid["payment_intent"]]
    told = {**paid, "payment_intent": intent, "customer": shop.customers[paid["customer"]]}
    assert send("checkout.session.completed", told if expands else paid).status_code == 200
    assert left(bob) == 100

    charge = shop.refund(paid, 250)
    assert send("charge.refunded", {**charge, "payment_intent": intent} if expands else charge).status_code == 200
    assert left(bob) == 50


def test_the_plans_quota_goes_first_then_the_pack_that_ends_first(
    shop: StripeStub, browser: Client, bob: Account, pack: Pack
) -> None:
    bob.limit(quota=1)
    bob.user.refresh_from_db()
    soon = Pack.objects.create(name="Soon", units=1, valid_days=30, price=20, stripe_price_id="price_big")
    for bought in (pack, soon):
        shop.pay_once(buy(browser, bought)["Location"])
    browser.get("/billing?paid=1")

    spend(bob, 3)
    names = [usage.quota_grant and usage.quota_grant.purchase.pack.name for usage in Usage.objects.order_by("pk")]
    assert names == [None, "Soon", "Hundred"]


# --- exactly once ----------------------------------------------------------------------------------------------------


def test_the_same_event_and_other_events_again(paid: dict[str, Any], browser: Client, bob: Account, send: Send) -> None:
    for event_id in ("evt_1", "evt_1", "evt_2"):
        send("checkout.session.completed", paid, id=event_id)
    send("checkout.session.async_payment_succeeded", paid)
    browser.get("/billing?paid=1")

    assert left(bob) == 100
    assert QuotaGrant.objects.count() == 1
    assert StripeEvent.objects.filter(handled_at=None).count() == 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_many_events_at_once(shop: StripeStub, send: Send) -> None:
    account = Account("carol@example.org", "free")
    browser = Client()
    browser.force_login(account.user)
    pack = Pack.objects.create(name="Hundred", units=100, price=5, stripe_price_id="price_pack")
    session = shop.pay_once(buy(browser, pack)["Location"])

    def one(number: int) -> int:
        try:
            return int(send("checkout.session.completed", session, id=f"evt_{number % 8}").status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(one, range(24))) == {200}
    assert left(account) == 100
    assert QuotaGrant.objects.count() == 1


def test_back_from_payment_before_stripes_event(paid: dict[str, Any], browser: Client, bob: Account) -> None:
    assert browser.get("/billing?paid=1")["Location"] == "/billing"
    assert left(bob) == 100


def test_the_event_is_not_believed(shop: StripeStub, browser: Client, bob: Account, pack: Pack, send: Send) -> None:
    """It says paid; Stripe, asked, does not."""
    buy(browser, pack)
    (session,) = shop.sessions.values()
    send("checkout.session.completed", {**session, "status": "complete", "payment_status": "paid"})

    assert left(bob) == 0


def test_the_terms_of_the_day_it_was_bought(
    shop: StripeStub, browser: Client, bob: Account, pack: Pack, send: Send
) -> None:
    page = buy(browser, pack)["Location"]
    Pack.objects.update(units=1, price=99, offered=False)
    send("checkout.session.completed", shop.pay_once(page))

    assert left(bob) == 100
    assert "Hundred USD 5 paid" in text(browser.get("/billing"))


def test_two_pages_are_two_packs(shop: StripeStub, browser: Client, bob: Account, pack: Pack) -> None:
    for page in [buy(browser, pack)["Location"] for _ in range(2)]:
        shop.pay_once(page)
    browser.get("/billing?paid=1")

    assert left(bob) == 200


def test_a_plans_page_closes_no_packs_page(shop: StripeStub, browser: Client, bob: Account, pack: Pack) -> None:
    page = buy(browser, pack)["Location"]
    choose(browser)
    shop.pay_once(page)
    browser.get("/billing?paid=1")

    assert left(bob) == 100


# --- payments that take days, fail, or are never made ----------------------------------------------------------------


def test_paid_later(shop: StripeStub, browser: Client, bob: Account, pack: Pack, send: Send) -> None:
    session = shop.pay_once(buy(browser, pack)["Location"], later=True)
    send("checkout.session.completed", session)
    assert left(bob) == 0
    assert "payment under way" in text(browser.get("/billing"))

    shop.money_arrives(session)
    send("checkout.session.async_payment_succeeded", session)
    assert left(bob) == 100


def test_not_paid_later(shop: StripeStub, browser: Client, bob: Account, pack: Pack, send: Send) -> None:
    session = shop.pay_once(buy(browser, pack)["Location"], later=True)
    send("checkout.session.completed", session)
    shop.money_does_not_arrive(session)
    send("checkout.session.async_payment_failed", session)

    assert left(bob) == 0
    assert "Hundred USD 5 not paid" in text(browser.get("/billing"))


def test_a_page_that_nobody_paid_on(shop: StripeStub, browser: Client, pack: Pack, send: Send) -> None:
    buy(browser, pack)
    (session,) = shop.sessions.values()
    session["status"] = "expired"
    send("checkout.session.expired", session)

    assert PackPurchase.objects.get().state == State.CLOSED
    assert "Packs you bought" not in text(browser.get("/billing"))


# --- refunds ---------------------------------------------------------------------------------------------------------


def test_a_refund_takes_what_is_unused(
    shop: StripeStub, paid: dict[str, Any], browser: Client, bob: Account, send: Send
) -> None:
    send("checkout.session.completed", paid)
    units_used(bob, 30)
    send("charge.refunded", shop.refund(paid, 500))

    assert left(bob) == 0
    assert QuotaGrant.objects.get().used == 30
    assert "Hundred USD 5 refunded 0 of 100" in text(browser.get("/billing"))


@pytest.mark.parametrize("case", [(250, 0, 50), (250, 30, 20), (250, 80, 0), (1, 0, 100)])
def test_a_refund_in_part_takes_its_part(
    shop: StripeStub, paid: dict[str, Any], bob: Account, send: Send, case: tuple[int, int, int]
) -> None:
    cents, used, expected = case
    send("checkout.session.completed", paid)
    units_used(bob, used)
    send("charge.refunded", shop.refund(paid, cents))

    assert left(bob) == expected


def test_the_same_refund_again_takes_nothing(shop: StripeStub, paid: dict[str, Any], bob: Account, send: Send) -> None:
    send("checkout.session.completed", paid)
    charge = shop.refund(paid, 250)
    for _ in range(3):
        send("charge.refunded", charge)

    assert left(bob) == 50


@pytest.mark.parametrize(("cents", "outcome", "expected"), [(500, "refunded", 0), (250, "refunded in part", 50)])
def test_a_look_from_before_the_refund_is_written_after_it(
    pack: Pack, bob: Account, cents: int, outcome: str, expected: int
) -> None:
    purchase = PackPurchase.objects.create(user=bob.user, pack=pack, units=100, price=5, session_id="cs_1")
    for refunded in (cents, 0):
        write(purchase, Payment(State.PAID, "pi_1", 500, refunded))
    write(purchase, Payment(State.PENDING, "pi_1"))

    purchase.refresh_from_db()
    assert (purchase.outcome, left(bob)) == (outcome, expected)


def test_a_refund_that_is_told_before_the_payment(
    shop: StripeStub, paid: dict[str, Any], bob: Account, send: Send
) -> None:
    send("charge.refunded", shop.refund(paid, 500))
    send("checkout.session.completed", paid)

    assert left(bob) == 0
    assert PackPurchase.objects.get().outcome == "refunded"


def test_what_fails_after_the_refund_does_not_come_back(
    shop: StripeStub, paid: dict[str, Any], bob: Account, send: Send
) -> None:
    bob.limit(quota=0)
    bob.user.refresh_from_db()
    send("checkout.session.completed", paid)
    with reserve(call(bob.user)):  # and the engine fails
        send("charge.refunded", shop.refund(paid, 500))

    assert left(bob) == 0
    assert QuotaGrant.objects.get().used == 0


# --- what is none of ours, or cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, 1, [], {}, "", "\x00", "cs 1", "a" * 300])
def test_a_session_without_a_name(shop: StripeStub, send: Send, name: Any) -> None:
    about = {"object": "checkout.session", "mode": "payment", "id": name}

    assert send("checkout.session.completed", about).status_code == 400
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("payment", [1, ["pi_1"], {"id": 1}, {}, "\x00"])
def test_a_charge_of_no_payment(shop: StripeStub, send: Send, payment: Any) -> None:
    assert send("charge.refunded", {"object": "charge", "payment_intent": payment}).status_code == 400


def test_somebody_elses_page_and_charge(shop: StripeStub, send: Send) -> None:
    session = {"object": "checkout.session", "mode": "payment", "id": "cs_of_a_webshop", "payment_status": "paid"}
    assert send("checkout.session.completed", session).status_code == 200
    assert send("charge.refunded", {"object": "charge", "payment_intent": "pi_of_a_webshop"}).status_code == 200
    assert send("charge.refunded", {"object": "charge", "payment_intent": None}).status_code == 200

    assert not QuotaGrant.objects.exists()


def test_a_page_that_stripe_does_not_know(shop: StripeStub, browser: Client, pack: Pack) -> None:
    """It was opened with the keys for tests, and now the live ones are set."""
    buy(browser, pack)
    shop.sessions.clear()
    browser.get("/billing?paid=1")

    assert PackPurchase.objects.get().state == State.CLOSED


def test_stripe_is_down(shop: StripeStub, paid: dict[str, Any], bob: Account, send: Send) -> None:
    shop.down = True
    assert send("checkout.session.completed", paid, id="evt_1").status_code == 503
    assert left(bob) == 0

    shop.down = False
    assert send("checkout.session.completed", paid, id="evt_1").status_code == 200
    assert left(bob) == 100


def test_stripe_is_down_when_buying(shop: StripeStub, browser: Client, pack: Pack) -> None:
    shop.down = True
    buy(browser, pack)

    assert "The payment service cannot be reached. Nothing was changed" in text(browser.get("/billing"))
    assert not PackPurchase.objects.exists()


@pytest.mark.parametrize("pack_id", ["", "0", "-1", "x", "9" * 30])
def test_no_such_pack(shop: StripeStub, browser: Client, pack: Pack, pack_id: str) -> None:
    page = text(browser.post("/billing/buy", {"pack": pack_id}, follow=True))

    assert "This pack is not offered." in page or "Choose a pack." in page
    assert not shop.requests


def test_a_pack_that_is_not_offered(shop: StripeStub, browser: Client, pack: Pack) -> None:
    Pack.objects.update(offered=False)

    assert "This pack is not offered." in text(browser.post("/billing/buy", {"pack": pack.pk}, follow=True))
    assert "Hundred" not in text(browser.get("/pricing")) + text(browser.get("/billing"))


def test_who_has_no_quota_needs_no_pack(shop: StripeStub, browser: Client, bob: Account, pack: Pack) -> None:
    browser.force_login(Account("dora@example.org", "enterprise").user)

    assert "Buy 100 pictures" not in text(browser.get("/billing"))
    assert "Your plan has no quota" in text(browser.post("/billing/buy", {"pack": pack.pk}, follow=True))


def test_a_visitor_buys_nothing(shop: StripeStub, pack: Pack) -> None:
    assert buy(Client(), pack)["Location"].startswith("/login?next=")


def test_deleting_the_account_closes_its_pages(shop: StripeStub, browser: Client, bob: Account, pack: Pack) -> None:
    buy(browser, pack)
    bob.user.delete()

    assert [session["status"] for session in shop.sessions.values()] == ["expired"]
    assert not PackPurchase.objects.exists()


# --- what people and staff see ---------------------------------------------------------------------------------------


def test_on_the_pricing_page(shop: StripeStub, public: Client, browser: Client, pack: Pack) -> None:
    assert "Hundred USD 5 once 100 pictures valid for 365 days Sign up" in text(public.get("/pricing"))
    assert "valid for 365 days Buy 100 pictures" in text(browser.get("/pricing"))
    Pack.objects.update(valid_days=None)
    assert "100 pictures valid until used" in text(public.get("/pricing"))


def test_without_packs_nothing_is_said(public: Client) -> None:
    assert isinstance(public.get("/pricing").context["user"], AnonymousUser)
    assert "packs" not in text(public.get("/pricing"))


def test_without_stripe(browser: Client, pack: Pack) -> None:
    for page in ("/pricing", "/billing"):
        assert "valid for 365 days Talk to us" in text(browser.get(page))
    assert "This pack cannot be paid online." in text(browser.post("/billing/buy", {"pack": pack.pk}, follow=True))


@pytest.mark.parametrize("lacking", [{"stripe_price_id": ""}, {"price": None}])
def test_a_pack_that_cannot_be_paid(shop: StripeStub, browser: Client, pack: Pack, lacking: dict[str, Any]) -> None:
    Pack.objects.update(**lacking)

    assert "valid for 365 days Talk to us" in text(browser.get("/billing"))
    assert "This pack cannot be paid online." in text(browser.post("/billing/buy", {"pack": pack.pk}, follow=True))
    assert not shop.requests


def test_the_checks_warn(shop: StripeStub, settings: Any, pack: Pack) -> None:
    assert not found("accounts.W003")
    assert not found("accounts.W004")

    Pack.objects.update(stripe_price_id="")
    assert "Hundred has a price, but cannot be paid" in found("accounts.W004")[0].msg
    settings.STRIPE_SECRET_KEY = settings.STRIPE_WEBHOOK_SECRET = ""
    assert not found("accounts.W004")
    Pack.objects.update(price=None)
    assert "Hundred is offered without a price" in found("accounts.W003")[0].msg
    Pack.objects.update(offered=False)
    assert not found("accounts.W003")


def test_the_database_refuses_a_second_purchase_of_a_payment(pack: Pack, bob: Account) -> None:
    bought = {"user": bob.user, "pack": pack, "units": 1, "price": 1, "payment_id": "pi_1"}
    PackPurchase.objects.create(**bought, session_id="cs_1")

    with pytest.raises(IntegrityError), transaction.atomic():
        PackPurchase.objects.create(**bought, session_id="cs_2")
