"""/dashboard: plan, quota, the last 30 days, requests."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiKey, Plan, Subscription, Usage
from accounts.views.dashboard import PAGE_SIZE
from tests.accounts.conftest import Person
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send

URL = "/dashboard"


@pytest.fixture
def program(carol: Person) -> Client:
    return Client(headers={"X-API-Key": ApiKey.objects.issue(carol.user, "laptop")[1]})


@pytest.fixture
def used(carol: Person) -> Callable[..., Usage]:
    """Makes rows of usage: used(days_ago=3, state=..., ...)."""

    def make(days_ago: int = 0, **fields: Any) -> Usage:
        row = {
            "user": carol.user,
            "endpoint": "/api/v1/remove-watermark",
            "request_id": "0" * 32,
            "state": "succeeded",
            "status": 200,
            "seconds": 1.0,
            "milliseconds": 1200,
            "charged": 1,
            "created_at": timezone.now() - timedelta(days=days_ago),
        }
        return Usage.objects.create(**{**row, **fields})

    return make


def page(person: Person, query: str = "") -> str:
    return person.browser.get(URL + query).content.decode()


def test_it_works(carol: Person, program: Client) -> None:
    sent = send(program)
    refused = send(program, image=SimpleUploadedFile("a.png", b""))
    text = page(carol)

    assert "9 left" in text
    assert "1 of 10 pictures used" in text
    assert "2 requests a minute, 5 at once" in text
    assert "1 picture cleaned, 1 request failed" in text
    for part in (
        "invalid_image",
        "96\N{MULTIPLICATION SIGN}64",
        sent["X-Request-Id"],
        refused["X-Request-Id"],
        "laptop",
    ):
        assert part in text


def test_first_use_leads_to_a_key(carol: Person) -> None:
    text = page(carol)

    assert 'action="/dashboard/keys/new"' in text
    assert "10 left" in text


def test_first_use_leads_to_the_editor(carol: Person) -> None:
    assert 'href="/editor">Clean a picture' in page(carol)


def test_the_editor_without_a_key(carol: Person, used: Callable[..., Usage]) -> None:
    used(endpoint="/editor/remove-watermark")
    used(endpoint="/editor/remove-watermark")
    used()  # with a key that was deleted
    text = page(carol)

    rows = carol.browser.get(URL).context["by_key"]
    assert [(row.key, row.in_editor, row.succeeded) for row in rows] == [(None, True, 2), (None, False, 1)]
    assert "the editor" in text
    assert "You have no live key" not in text


def test_a_key_and_no_request_yet(carol: Person, program: Client) -> None:
    assert "No pictures in these days" in page(carol)


def test_without_a_live_key_it_says_so(carol: Person, program: Client) -> None:
    ApiKey.objects.get().revoke()

    assert "You have no live key" in page(carol)


def test_days_and_keys(carol: Person, used: Callable[..., Usage]) -> None:
    key, _ = ApiKey.objects.issue(carol.user, "laptop")
    used(0, seconds=1.0, api_key=key)
    used(0, seconds=2.0, api_key=key)
    used(3, state="failed", status=400, charged=0)
    used(29)
    used(30)  # too long ago
    used(1, state="reserved", status=None)  # still running
    context = carol.browser.get(URL).context

    days = context["days"]
    assert len(days) == 30
    assert (days[-1].succeeded, days[-1].seconds, days[-4].failed, days[0].succeeded) == (2, 1.5, 1, 1)
    assert (context["succeeded"], context["failed"]) == (3, 1)
    by_key = {row.key: (row.succeeded, row.failed) for row in context["by_key"]}
    assert by_key == {key: (2, 0), None: (1, 1)}


def test_the_picture_has_what_the_table_has(carol: Person, program: Client, used: Callable[..., Usage]) -> None:
    for ago in (0, 1, 2, 5):
        used(ago)
    used(2, state="failed", status=400)
    chart = carol.browser.get(URL).context["chart"]

    assert [bar.good_height > 0 for bar in chart.bars[-6:]] == [True, False, False, True, True, True]
    assert [bar.bad_height > 0 for bar in chart.bars[-3:]] == [True, False, False]
    assert all(12 <= bar.bad_y <= bar.good_y <= chart.bottom for bar in chart.bars)
    assert len(chart.points) == 4
    assert len(chart.lines) == 1  # the lonely day five days ago is a point only


@pytest.mark.parametrize(("asked", "shown"), [("", 30), ("?days=7", 7), ("?days=90", 90), ("?days=8", 30)])
def test_how_many_days(carol: Person, used: Callable[..., Usage], asked: str, shown: int) -> None:
    used(0)
    used(60)
    context = carol.browser.get(URL + asked).context

    assert len(context["days"]) == len(context["chart"].bars) == shown
    assert context["succeeded"] == (2 if shown == 90 else 1)


@pytest.mark.parametrize("requests", [1, 2, 3, 5, 11])
def test_requests_are_counted_in_whole_numbers(carol: Person, used: Callable[..., Usage], requests: int) -> None:
    for _ in range(requests):
        used(0)

    rows = carol.browser.get(URL).context["chart"].rows
    assert all(row.left.isdigit() for row in rows)
    assert int(rows[-1].left) >= requests


def test_the_first_keys_name_is_there_already(carol: Person) -> None:
    assert 'value="My first key"' in page(carol)


def test_requests_come_in_pages(carol: Person, program: Client, used: Callable[..., Usage]) -> None:
    for number in range(PAGE_SIZE + 1):
        used(request_id=f"{number:032}", created_at=timezone.now() - timedelta(minutes=number))

    first, second = page(carol), page(carol, "?page=2")
    assert f"{0:032}" in first
    assert f"{PAGE_SIZE:032}" not in first
    assert f"{PAGE_SIZE:032}" in second
    assert page(carol, "?page=nonsense").count("<tr>") == first.count("<tr>")
    assert "Page 2 of 2" in page(carol, "?page=99")


def test_the_number_of_queries_is_the_same_for_any_usage(
    carol: Person, program: Client, used: Callable[..., Usage]
) -> None:
    used()
    page(carol)  # the first look puts the account on its plan
    with CaptureQueriesContext(connection) as few:
        page(carol)
    for ago in range(28):
        used(ago, api_key=ApiKey.objects.issue(carol.user, str(ago))[0] if ago < 10 else None)
    with CaptureQueriesContext(connection) as many:
        page(carol)

    assert len(many) == len(few) <= 14


def test_other_peoples_requests_are_not_there(carol: Person, program: Client, alice: Account) -> None:
    response = send(alice.client)

    assert response["X-Request-Id"] not in page(carol)


def test_unlimited(carol: Person, program: Client) -> None:
    Subscription.objects.create(user=carol.user, plan=Plan.objects.get(slug="enterprise"))

    text = page(carol)
    assert "Your plan has no quota." in text
    assert "No limit on requests a minute." in text


def test_signed_out(public: Client) -> None:
    assert public.get(URL)["Location"] == f"/login?next={URL}"
