"""Keys that may be used from some networks only."""

import pytest
from django.test import Client

from accounts.models import ApiKey
from tests.accounts.conftest import Person
from tests.conftest import Account

URL = "/dashboard/keys/new"


def status(account: Account, networks: list[str], address: str) -> int:
    _, secret = ApiKey.objects.issue(account.user, "bound", networks=networks)
    client = Client(headers={"X-API-Key": secret}, REMOTE_ADDR=address)
    return client.get("/api/v1/stats").status_code


def test_it_works(alice: Account) -> None:
    key, secret = ApiKey.objects.issue(alice.user, "bound", networks=["203.0.113.0/24"])
    response = Client(headers={"X-API-Key": secret}, REMOTE_ADDR="198.51.100.1").get("/api/v1/stats")

    assert (response.status_code, response.json()["code"]) == (403, "address_not_allowed")
    key.refresh_from_db()
    assert key.last_used_at is None


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("203.0.113.9", 200),
        ("::ffff:203.0.113.9", 200),
        ("2001:db8::7", 200),
        ("203.0.114.9", 403),
        ("2001:db9::7", 403),
        ("", 403),  # a Unix socket
    ],
)
def test_addresses(alice: Account, address: str, answer: int) -> None:
    assert status(alice, ["203.0.113.0/24", "2001:db8::/32"], address) == answer


def test_a_page_takes_them(carol: Person) -> None:
    text = "203.0.113.7\n198.51.100.9/24, 2001:db8::/32\n::ffff:192.0.2.0/120"
    carol.browser.post(URL, {"name": "bound", "scopes": "read", "networks": text, "once": "a"})

    networks = ["203.0.113.7/32", "198.51.100.0/24", "2001:db8::/32", "192.0.2.0/24"]
    assert ApiKey.objects.get().networks == networks
    assert f"from {', '.join(networks)}" in carol.browser.get("/dashboard/keys").content.decode()


def test_a_network_that_is_none(carol: Person) -> None:
    page = carol.browser.post(URL, {"name": "bound", "scopes": "read", "networks": "10.0.0.0/33", "once": "a"})

    assert "10.0.0.0/33" in str(page.context["form"].errors["networks"])
    assert "<details open>" in page.content.decode()
    assert not ApiKey.objects.exists()
