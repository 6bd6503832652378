"""GET /pricing: the documents' tables, from the rows that staff edit."""

import re

import pytest
from django.test import Client

from accounts.models import Plan, Subscription
from tests.conftest import Account


def text(response: object) -> str:
    """What a reader sees, in one line."""
    page = response.content.decode()  # type: ignore[attr-defined]
    page = re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).replace("&nbsp;", " ").replace("\xa0", " ")
    return re.sub(r"\s+", " ", page)


@pytest.mark.parametrize(
    "row",
    [
        "Free 2 requests a minute 5 10 pictures a day 10 MB, 4,096 px a side",
        "Basic 10 requests a minute 20 3,000 pictures a month",
        "Pro 30 requests a minute 60 20,000 pictures a month",
        "Enterprise custom custom custom",
        "Free 95% Community",
        "Basic 99% 48 hours",
        "Pro 99.5% 24 hours",
        "Enterprise 99.9% 4 hours",
    ],
)
def test_it_works(public: Client, row: str) -> None:
    assert row in text(public.get("/pricing"))


def test_where_no_price_is_set(public: Client) -> None:
    page = text(public.get("/pricing"))

    assert "USD 0 a month 10 pictures a day 2 requests a minute no card needed Sign up" in page
    assert "3,000 pictures a month 10 requests a minute Talk to us" in page
    assert "Custom as many pictures as you need custom rate Talk to us" in page
    assert page.count("Talk to us") == 3
    assert "Where no price is shown, talk to us" in page
    assert "request" not in page.partition("Limits")[0].replace("requests a minute", "")  # no column of "On request"


def test_where_every_price_is_set(public: Client) -> None:
    Plan.objects.filter(price=None).update(price=9)

    assert "Where no price is shown" not in text(public.get("/pricing"))


def test_staffs_changes_show_at_once(public: Client) -> None:
    Plan.objects.filter(slug="pro").update(price=49, quota=25_000, max_side=2048, support_response="")

    page = text(public.get("/pricing"))
    assert "USD 49 a month" in page
    assert "25,000 pictures a month 10 MB, 2,048 px a side" in page
    assert "Pro 99.5% not promised" in page


def test_a_plan_that_is_not_offered_is_not_shown(public: Client) -> None:
    Plan.objects.filter(slug="basic").update(offered=False)

    assert "Basic" not in text(public.get("/pricing"))


@pytest.mark.parametrize(
    ("on", "steps"),
    [
        ("", ["Sign up", "Sign up", "Sign up", "Talk to us"]),
        ("free", ["", "Upgrade", "Upgrade", "Talk to us"]),
        ("pro", ["Downgrade", "Downgrade", "", "Talk to us"]),
        ("enterprise", ["Downgrade", "Downgrade", "Downgrade", ""]),
    ],
)
def test_each_plan_says_what_choosing_it_is(public: Client, bob: Account, on: str, steps: list[str]) -> None:
    for slug, price in (("basic", 9), ("pro", 29)):
        Plan.objects.filter(slug=slug).update(price=price)
    if on:
        Subscription.objects.update(plan=Plan.objects.get(slug=on))
        public.force_login(bob.user)

    response = public.get("/pricing")
    assert [step for _, step in response.context["offers"]] == steps
    assert text(response).count("Current plan") == (1 if on else 0)
