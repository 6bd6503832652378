"""A key's name, expiry and rights changed in the dashboard; its secret stays."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from tests.accounts.conftest import Person
from tests.conftest import Account

ALL = ["process", "read", "webhooks"]


@pytest.fixture
def key(carol: Person) -> ApiKey:
    expires_at = timezone.now() + timedelta(days=20)
    return ApiKey.objects.issue(carol.user, "laptop", expires_at=expires_at, cap=9, networks=["203.0.113.0/24"])[0]


def url(key: ApiKey) -> str:
    return f"/dashboard/keys/{key.pk}/edit"


def as_it_is(carol: Person, key: ApiKey) -> dict[str, object]:
    """What a browser sends where nothing was changed."""
    form = carol.browser.get(url(key)).context["form"]
    values = {field.name: field.value() for field in form.visible_fields()}
    return {name: value for name, value in values.items() if value is not None}


def test_nothing_changes_unless_it_is_changed(carol: Person, key: ApiKey) -> None:
    before = ApiKey.objects.values().get()

    assert carol.browser.post(url(key), as_it_is(carol, key))["Location"] == "/dashboard/keys"
    assert ApiKey.objects.values().get() == before


def test_all_of_it(carol: Person, key: ApiKey) -> None:
    changed = {"name": "desk", "expires": "90", "scopes": ["read"], "cap": "5", "cap_period": "month"}
    carol.browser.post(url(key), {**changed, "networks": "198.51.100.7"})

    key.refresh_from_db()
    assert (key.name, key.scopes, key.cap, key.cap_period) == ("desk", ["read"], 5, "month")
    assert key.networks == ["198.51.100.7/32"]
    assert key.expires_at is not None
    assert timedelta(days=89, hours=23) < key.expires_at - timezone.now() <= timedelta(days=90)


def test_limits_are_taken_away(carol: Person, key: ApiKey) -> None:
    carol.browser.post(url(key), {"name": "laptop", "expires": "", "scopes": ALL})

    key.refresh_from_db()
    assert (key.expires_at, key.cap, key.networks) == (None, None, [])


def test_the_next_request_is_held_to_it(carol: Person) -> None:
    key, secret = ApiKey.objects.issue(carol.user, "laptop")
    program = Client(headers={"X-API-Key": secret})
    assert program.get("/api/v1/stats").status_code == 200

    carol.browser.post(url(key), {"name": "laptop", "scopes": ["process"]})

    response = program.get("/api/v1/stats")
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


def test_a_later_expiry_is_mailed_about_again(carol: Person, key: ApiKey) -> None:
    ApiKey.objects.update(told_days=7)
    carol.browser.post(url(key), {**as_it_is(carol, key), "expires": "30"})

    assert ApiKey.objects.get().told_days is None


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"scopes": []}, {"scopes": ["rule"]}, {"cap": "0"}, {"networks": "home"}, {"expires": "31"}]
)
def test_what_was_typed_is_not_accepted(carol: Person, key: ApiKey, wrong: dict[str, object]) -> None:
    before = ApiKey.objects.values().get()

    assert b"errorlist" in carol.browser.post(url(key), {**as_it_is(carol, key), **wrong}).content
    assert ApiKey.objects.values().get() == before


def test_a_key_without_expiry_is_offered_none_to_keep(carol: Person) -> None:
    key, _ = ApiKey.objects.issue(carol.user, "laptop")

    assert b"As it is" not in carol.browser.get(url(key)).content
    assert "expires" not in as_it_is(carol, key)


def test_a_revoked_key_has_no_such_page(carol: Person, key: ApiKey) -> None:
    key.revoke()

    assert carol.browser.get(url(key)).status_code == 404
    assert carol.browser.post(url(key), {"name": "desk", "scopes": ALL}).status_code == 404


def test_other_peoples_keys(carol: Person, alice: Account) -> None:
    key, _ = ApiKey.objects.issue(alice.user, "theirs")

    assert carol.browser.post(url(key), {"name": "mine", "scopes": ALL}).status_code == 404
    key.refresh_from_db()
    assert key.name == "theirs"


def test_the_list_leads_there(carol: Person, key: ApiKey) -> None:
    assert url(key).encode() in carol.browser.get("/dashboard/keys").content
