"""A key's end: at once, after a question."""

from django.test import Client

from accounts.models import ApiKey
from tests.accounts.conftest import Person
from tests.conftest import Account


def url(key: ApiKey) -> str:
    return f"/dashboard/keys/{key.pk}/revoke"


def test_it_works(carol: Person) -> None:
    key, secret = ApiKey.objects.issue(carol.user, "laptop")
    program = Client(headers={"X-API-Key": secret})
    assert program.get("/api/v1/stats").status_code == 200

    assert b"cannot be undone" in carol.browser.get(url(key)).content
    assert program.get("/api/v1/stats").status_code == 200  # a question is no answer
    assert carol.browser.post(url(key))["Location"] == "/dashboard/keys"
    assert program.get("/api/v1/stats").status_code == 401


def test_twice(carol: Person) -> None:
    key, _ = ApiKey.objects.issue(carol.user, "laptop")
    carol.browser.post(url(key))
    key.refresh_from_db()
    ended = key.revoked_at

    assert carol.browser.post(url(key)).status_code == 404
    key.refresh_from_db()
    assert key.revoked_at == ended


def test_somebody_elses_key(carol: Person, alice: Account) -> None:
    assert carol.browser.post(url(alice.key)).status_code == 404
    assert ApiKey.objects.for_secret(alice.secret) is not None


def test_a_key_that_never_was(carol: Person) -> None:
    assert carol.browser.post("/dashboard/keys/999999/revoke").status_code == 404
