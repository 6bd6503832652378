"""X-Forwarded-For is believed from configured proxies alone."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from config import middleware
from config.middleware import TrustedProxies


@pytest.fixture
def behind(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8"]


def client_of(remote: str, forwarded: str | None) -> tuple[str, bool]:
    """The address that the application sees, and whether X-Forwarded-Proto got through."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = remote
    request.META["HTTP_X_FORWARDED_PROTO"] = "https"
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    TrustedProxies(lambda request: HttpResponse())(request)
    return request.META["REMOTE_ADDR"], "HTTP_X_FORWARDED_PROTO" in request.META


@pytest.mark.parametrize(
    ("remote", "forwarded", "seen"),
    [
        ("10.1.1.1", "203.0.113.9", "203.0.113.9"),
        ("10.1.1.1", "203.0.113.9, 10.2.2.2", "203.0.113.9"),
        ("10.1.1.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),  # the client wrote 1.2.3.4 himself
        ("10.1.1.1", "nonsense", "10.1.1.1"),
        ("10.1.1.1", None, "10.1.1.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.1.1.1", "203.0.113.9", "203.0.113.9"),
        ("10.1.1.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.1.1.1", "203.0.113.9:51234", "203.0.113.9"),
        ("10.1.1.1", "203.0.113.9:51234, 10.2.2.2:80", "203.0.113.9"),
        ("10.1.1.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("10.1.1.1", "[2001:db8::7]", "2001:db8::7"),
        ("10.1.1.1", "fe80::1%" + "a" * 300, "fe80::1"),
        ("10.1.1.1", "unknown, 203.0.113.9", "203.0.113.9"),
        ("10.1.1.1", "[", "10.1.1.1"),
        ("10.1.1.1", ",,", "10.1.1.1"),
    ],
)
def test_it_works(behind: None, remote: str, forwarded: str | None, seen: str) -> None:
    assert client_of(remote, forwarded) == (seen, True)


@pytest.mark.parametrize("remote", ["203.0.113.9", "", "unix:"])
def test_anybody_elses_is_dropped(behind: None, remote: str) -> None:
    assert client_of(remote, "1.2.3.4") == (remote, False)


@pytest.mark.parametrize(("peer", "seen"), [("::ffff:203.0.113.9", "203.0.113.9"), ("2001:DB8::7", "2001:db8::7")])
def test_each_has_an_address_of_its_own(behind: None, peer: str, seen: str) -> None:
    """A server on [::] sees IPv4 clients in IPv6, and limits count whole IPv6 networks."""
    assert client_of(peer, None) == (seen, False)


def test_without_proxies_none_is_believed(settings: Any) -> None:
    settings.TRUSTED_PROXIES = []

    assert client_of("127.0.0.1", "1.2.3.4") == ("127.0.0.1", False)


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::/64"),
        ("2001:db8::ffff:7", "2001:db8::/64"),
        ("10.1.1.1", None),
        ("fd00::1", None),
        ("", None),
    ],
)
def test_whose_a_connection_is(behind: None, peer: str, client: str | None) -> None:
    """A proxy's are many clients', as those of a Unix socket; who has an IPv6 address has its network."""
    assert middleware.client_of(peer) == client
