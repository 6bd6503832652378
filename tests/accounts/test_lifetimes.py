"""For how long files are kept: what an account may choose, and its page /dashboard/lifetimes."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts import lifetimes
from accounts.lifetimes import Kind
from accounts.models import Lifetime, Plan
from tests.accounts.conftest import Person
from tests.conftest import Account

HOUR, DAY, WEEK = Lifetime.HOUR.value, Lifetime.DAY.value, Lifetime.WEEK.value
KINDS: list[Kind] = ["upload", "result"]


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().replace("\xa0", " ").split())


def checked(response: Any, name: str) -> str:
    """The value of the radio button that is chosen."""
    (button,) = [
        tag for tag in re.findall("<input[^>]*>", text(response)) if f'name="{name}"' in tag and "checked" in tag
    ]
    return str(button).split('value="')[1].split('"')[0]


def test_it_works(carol: Person) -> None:
    page = text(carol.browser.get("/dashboard/lifetimes"))
    assert page.count("The usual: 1 day") == 2
    assert "Until downloaded, 10 minutes at most" in page
    assert "1 week" not in page  # Free

    saved = carol.browser.post("/dashboard/lifetimes", {"upload": HOUR, "result": "0"}, follow=True)
    assert "Saved." in text(saved)
    carol.user.refresh_from_db()
    assert (carol.user.upload_lifetime, carol.user.result_lifetime) == (HOUR, 0)
    assert (checked(saved, "upload"), checked(saved, "result")) == (str(HOUR), "0")

    carol.browser.post("/dashboard/lifetimes", {"upload": "", "result": ""})
    carol.user.refresh_from_db()
    assert (carol.user.upload_lifetime, carol.user.result_lifetime) == (None, None)


@pytest.mark.parametrize("value", [WEEK, "59", "-1", "long"])
def test_what_the_plan_does_not_allow(carol: Person, value: Any) -> None:
    page = text(carol.browser.post("/dashboard/lifetimes", {"upload": value, "result": HOUR}))

    assert "Select a valid choice" in page
    carol.user.refresh_from_db()
    assert (carol.user.upload_lifetime, carol.user.result_lifetime) == (None, None)


def test_the_page_is_the_accounts_own(public: Client) -> None:
    assert public.get("/dashboard/lifetimes")["Location"].startswith("/login")


@pytest.mark.parametrize("kind", KINDS)
def test_the_call_goes_before_the_account_and_the_account_before_the_service(alice: Account, kind: Kind) -> None:
    assert lifetimes.chosen(kind, None) == lifetimes.chosen(kind, alice.user) == DAY

    setattr(alice.user, f"{kind}_lifetime", WEEK)
    assert lifetimes.chosen(kind, alice.user) == WEEK
    assert lifetimes.chosen(kind, alice.user, asked=90) == 90
    assert lifetimes.chosen(kind, alice.user, asked=0) == lifetimes.ONCE


@pytest.mark.parametrize("kind", KINDS)
def test_a_smaller_plan_shortens_what_was_chosen(alice: Account, kind: Kind) -> None:
    setattr(alice.user, f"{kind}_lifetime", WEEK)
    alice.user.subscription.plan = Plan.objects.get(slug="free")

    assert lifetimes.chosen(kind, alice.user) == DAY
    assert lifetimes.choices(kind, alice.user) == [Lifetime.ONCE, Lifetime.HOUR, Lifetime.DAY]


def test_the_page_of_a_smaller_plan_shows_what_holds(alice: Account) -> None:
    alice.user.result_lifetime = WEEK
    alice.user.save()
    alice.user.subscription.plan = Plan.objects.get(slug="free")
    alice.user.subscription.save()
    browser = Client()
    browser.force_login(alice.user)

    assert checked(browser.get("/dashboard/lifetimes"), "result") == str(DAY)


@pytest.mark.parametrize(("kind", "setting"), [("upload", "UPLOAD_TTL"), ("result", "RESULT_TTL")])
def test_a_plan_that_says_nothing_allows_the_services_own(
    alice: Account, settings: Settings, kind: Kind, setting: str
) -> None:
    Plan.objects.update(longest_lifetime=None)
    alice.user.refresh_from_db()
    setattr(settings, setting, 2 * HOUR)

    assert lifetimes.longest(kind, alice.user) == lifetimes.longest(kind, None) == 2 * HOUR
    assert lifetimes.chosen(kind, alice.user) == 2 * HOUR


def test_staff_give_an_account_a_bound_of_its_own(bob: Account) -> None:
    bob.limit(longest_lifetime=WEEK)
    bob.user.refresh_from_db()

    assert lifetimes.longest("result", bob.user) == WEEK


def test_the_plans_of_the_documents(db: None) -> None:
    plans = dict(Plan.objects.values_list("slug", "longest_lifetime"))

    assert plans == {"free": DAY, "basic": WEEK, "pro": WEEK, "enterprise": WEEK}
