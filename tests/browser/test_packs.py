"""A pack is bought: from the billing page over Stripe's (a stub) and back, with two clicks and no field of ours."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import pytest
import requests
import stripe
from playwright.sync_api import Browser, Page, Route, expect

from tests.accounts.billing import stripe_stub
from tests.accounts.billing.stripe_stub import StripeStub
from tests.browser.conftest import NARROW, WIDE, Site, assert_accessible

PACKS = (
    "from accounts.models import Pack; "
    "Pack.objects.create(name='Hundred', units=100, valid_days=365, price=5, stripe_price_id='price_pack'); "
    "Pack.objects.create(name='Thousand', units=1000, price=20, stripe_price_id='price_big'); "
    "Pack.objects.create(name='For agencies', units=50000)"
)


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[StripeStub, str]]:
    with stripe_stub.running() as (stub, address):
        stub.pages = "https://checkout.stripe.com"  # where the Content-Security-Policy lets forms go
        yield stub, address


@pytest.fixture(scope="module")
def site(shop: tuple[StripeStub, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(
        tmp_path_factory.mktemp("site"),
        STRIPE_SECRET_KEY=stripe_stub.SECRET_KEY,
        STRIPE_WEBHOOK_SECRET=stripe_stub.WEBHOOK_SECRET,
        STRIPE_API_BASE=shop[1],
    )
    site.start()
    try:
        site.manage("shell", "-c", PACKS)
        yield site
        assert not site.refused
    finally:
        site.stop()


def tell(site: Site, kind: str, about: dict[str, object]) -> int:
    event = {"id": f"evt_{time.monotonic_ns()}", "object": "event", "type": kind, "data": {"object": about}}
    body = json.dumps(event)
    signature = stripe.WebhookSignature.generate_signature_header(body, stripe_stub.WEBHOOK_SECRET)
    headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
    return requests.post(f"{site.url}/billing/webhook", body, headers=headers, timeout=60).status_code


def sell_at(page: Page, site: Site, stub: StripeStub, *, later: bool = False) -> None:
    """Whoever opens Stripe's page pays there and is led back."""

    def pay(route: Route) -> None:
        stub.pay_once(route.request.url, later=later)
        route.fulfill(status=303, headers={"Location": f"{site.url}/billing?paid=1"})

    page.unroute("https://checkout.stripe.com/**")
    page.route("https://checkout.stripe.com/**", pay)


def test_it_works(site: Site, shop: tuple[StripeStub, str], browser: Browser) -> None:
    stub, _ = shop
    page = site.new_page(browser)
    site.sign_up(page, "buyer@example.org")
    page.goto("/billing")
    sell_at(page, site, stub)
    page.get_by_role("button", name="Buy 100 pictures").click()
    expect(page.get_by_role("cell", name="100 of 100")).to_be_visible()

    (first,) = stub.sessions.values()
    assert tell(site, "checkout.session.completed", first) == 200  # Stripe's event comes after them: nothing more
    sell_at(page, site, stub, later=True)
    page.get_by_role("button", name="Buy 1,000 pictures").click()
    expect(page.get_by_text("payment under way")).to_be_visible()
    for scheme in ("light", "dark"):
        for width in (WIDE, NARROW):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            for path in ("/billing", "/pricing", "/dashboard"):
                page.goto(path)
                assert_accessible(page)

    assert tell(site, "charge.refunded", stub.refund(first, 500)) == 200
    page.goto("/billing")
    expect(page.get_by_role("cell", name="0 of 100", exact=True)).to_be_visible()
    expect(page.get_by_text("refunded")).to_be_visible()


def test_a_visitor_sees_them(site: Site, browser: Browser) -> None:
    page = site.new_page(browser, width=NARROW)
    page.goto("/pricing")

    expect(page.get_by_role("heading", name="One-time packs")).to_be_visible()
    expect(page.get_by_role("link", name="Sign up to buy Hundred")).to_have_attribute(
        "href", re.compile(r"^/signup\?next=/billing%3Fpack%3D\d+$")
    )
    expect(page.get_by_role("link", name="Talk to us: For agencies")).to_be_visible()
    assert_accessible(page)
