"""A new key for an old one, which may live on for a while."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import MAX_LIVE_KEYS, ApiKey
from tests.accounts.conftest import Person
from tests.accounts.test_create_key import secret_in
from tests.conftest import Account


@pytest.fixture
def old(carol: Person) -> tuple[ApiKey, str]:
    return ApiKey.objects.issue(carol.user, "laptop")


def url(key: ApiKey) -> str:
    return f"/dashboard/keys/{key.pk}/rotate"


def test_it_works(carol: Person, old: tuple[ApiKey, str]) -> None:
    key, secret = old
    new_secret = secret_in(carol.browser.post(url(key), {"grace": "24", "once": "a"}).content)

    new = ApiKey.objects.for_secret(new_secret)
    assert new is not None
    assert (new.name, new.expires_at) == ("laptop", None)
    assert ApiKey.objects.for_secret(secret) == key
    key.refresh_from_db()
    assert key.expires_at is not None
    assert timedelta(hours=23) < key.expires_at - timezone.now() <= timedelta(hours=24)


def test_at_once(carol: Person, old: tuple[ApiKey, str]) -> None:
    key, secret = old
    new_secret = secret_in(carol.browser.post(url(key), {"grace": "0", "once": "a"}).content)

    assert ApiKey.objects.for_secret(secret) is None
    assert ApiKey.objects.for_secret(new_secret) is not None


def test_an_old_key_never_lives_longer_than_it_would_have(carol: Person, old: tuple[ApiKey, str]) -> None:
    key, _ = old
    ends = timezone.now() + timedelta(minutes=5)
    ApiKey.objects.update(expires_at=ends)
    carol.browser.post(url(key), {"grace": "168", "once": "a"})

    key.refresh_from_db()
    assert key.expires_at == ends


def test_where_both_may_not_live(carol: Person, old: tuple[ApiKey, str]) -> None:
    key, _ = old
    for number in range(MAX_LIVE_KEYS - 1):
        ApiKey.objects.issue(carol.user, str(number))

    page = carol.browser.post(url(key), {"grace": "24", "once": "a"})
    assert b"20 live keys" in page.content
    key.refresh_from_db()
    assert key.expires_at is None  # nothing has happened
    secret_in(carol.browser.post(url(key), {"grace": "0", "once": "a"}).content)


def test_a_reload_rotates_once(carol: Person, old: tuple[ApiKey, str]) -> None:
    key, _ = old
    carol.browser.post(url(key), {"grace": "24", "once": "a"})

    assert carol.browser.post(url(key), {"grace": "24", "once": "a"})["Location"] == "/dashboard/keys"
    assert ApiKey.objects.count() == 2


def test_a_grace_that_is_not_offered(carol: Person, old: tuple[ApiKey, str]) -> None:
    assert b"errorlist" in carol.browser.post(url(old[0]), {"grace": "9999", "once": "a"}).content


def test_a_dead_key(carol: Person, old: tuple[ApiKey, str]) -> None:
    old[0].revoke()

    assert carol.browser.get(url(old[0])).status_code == 404


def test_somebody_elses_key(carol: Person, alice: Account) -> None:
    assert carol.browser.get(url(alice.key)).status_code == 404
    assert carol.browser.post(url(alice.key), {"grace": "0", "once": "a"}).status_code == 404
    assert ApiKey.objects.for_secret(alice.secret) is not None
