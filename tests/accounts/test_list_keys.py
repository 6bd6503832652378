"""/dashboard/keys."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from tests.accounts.conftest import Person
from tests.conftest import Account

URL = "/dashboard/keys"


def test_it_works(carol: Person, alice: Account) -> None:
    key, secret = ApiKey.objects.issue(carol.user, "laptop")
    Client(headers={"X-API-Key": secret}).get("/api/v1/stats")
    page = carol.browser.get(URL).content.decode()

    assert key.prefix in page
    assert "laptop" in page
    assert "now" in page  # last used
    assert key.digest not in page
    assert alice.key.prefix not in page


def test_dead_keys_are_apart(carol: Person) -> None:
    revoked, _ = ApiKey.objects.issue(carol.user, "revoked one")
    revoked.revoke()
    ApiKey.objects.issue(carol.user, "expired one", expires_at=timezone.now() - timedelta(days=1))
    response = carol.browser.get(URL)

    assert response.context["live"] == []
    assert {key.name for key in response.context["dead"]} == {"revoked one", "expired one"}
    assert b"You have no live key, so" in response.content


def test_names_are_text(carol: Person) -> None:
    ApiKey.objects.issue(carol.user, "<script>alert(1)</script>")

    assert b"<script>alert" not in carol.browser.get(URL).content


def test_signed_out(public: Client) -> None:
    assert public.get(URL)["Location"] == f"/login?next={URL}"


def test_what_a_key_was_last_used_for(carol: Person) -> None:
    _, secret = ApiKey.objects.issue(carol.user, "reader")
    Client(headers={"X-API-Key": secret}).get("/api/v1/stats")

    assert "<code>GET /api/v1/stats</code>" in carol.browser.get("/dashboard/keys").content.decode()
