"""Accounts whose addresses drip keep places of a process while nobody else wants one, and for seconds otherwise."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

import pytest
from pytest_django import Settings

from accounts.webhooks import deliveries
from config import fetching
from config.fetching import EACH, LEAVING, MOST_AT_ONCE, FetchError, GaveWay, TooManyFetches
from config.places import Places
from tests.accounts.webhooks.test_deliveries import listening, tell
from tests.conftest import Account
from tests.web import Web, serving

PICTURE = b"a picture" * 100


@pytest.fixture(autouse=True)
def _young(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(fetching, "_places", Places(MOST_AT_ONCE, EACH, leaving=LEAVING, even=60, uneven=60))
    settings.FETCH_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def web() -> Iterator[Web]:
    with serving("127.0.8.1") as server:
        server.put("/", PICTURE)
        yield server


class Drip:
    """An answer of a byte now and then, until `end`."""

    def __init__(self, end: threading.Event) -> None:
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
        while not self._end.wait(0.05):
            yield b"a"


@contextmanager
def dripping(*callers: str, host: str = "127.0.9.1") -> Iterator[list[Future[str]]]:
    """Each of the callers fetches, one after the other, and gets no end: whose call it was, and what became of it."""

    def fetched(url: str, caller: str) -> str:
        try:
            fetching.get(url, 1 << 20, caller)
        except (FetchError, TooManyFetches, GaveWay) as error:
            return f"{caller}: {type(error).__name__}"
        return f"{caller}: OK"

    end = threading.Event()
    with serving(host) as server, ThreadPoolExecutor(len(callers)) as pool:
        server.pages["/"] = Drip(end)
        calls: list[Future[str]] = []
        for caller in callers:
            calls.append(pool.submit(fetched, server.url(), caller))
            until(lambda: connected(host) == running(calls))
        try:
            yield calls
        finally:
            end.set()


def grow_old() -> None:
    """All that run have run for longer than nobody is disturbed."""
    fetching._places.even = fetching._places.uneven = 0


def running(calls: list[Future[str]]) -> int:
    return sum(not call.done() for call in calls)


def connected(host: str) -> int:
    return sum(place.group == ip_network(f"{host}/24", strict=False) for place in list(fetching._places.taken))


def ended(calls: list[Future[str]]) -> list[str]:
    return [call.result() for call in calls if call.done()]


def until(so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_six_accounts_have_all_places(web: Web) -> None:
    with dripping(*(f"attacker {number // EACH}" for number in range(6 * EACH))) as calls:
        assert running(calls) == MOST_AT_ONCE
        with pytest.raises(TooManyFetches):
            fetching.get(web.url(), 1 << 12, "alice")
        before = len(ended(calls))
        grow_old()

        assert fetching.get(web.url(), 1 << 12, "alice") == PICTURE
        until(lambda: len(ended(calls)) > before)
        assert fetching.get(web.url(), 1 << 12, "bob") == PICTURE  # the place that alice left
        assert [each for each in ended(calls) if "TooMany" not in each] == ["attacker 0: GaveWay"]
        assert running(calls) == MOST_AT_ONCE - 1

    assert not fetching._places.taken


def test_the_host_that_most_wait_for_gives_way_first(web: Web) -> None:
    """Of accounts that have as much as each other."""
    with (
        dripping("carol", host="127.0.7.1") as carols,
        dripping(*(f"attacker {number}" for number in range(MOST_AT_ONCE - 1))) as calls,
    ):
        grow_old()

        assert fetching.get(web.url(), 1 << 12, "alice") == PICTURE
        until(lambda: bool(ended(calls)))
        assert ended(carols) == []


def test_who_has_as_much_takes_nothing_from_others() -> None:
    with dripping(*(f"caller {number // 2}" for number in range(MOST_AT_ONCE))) as calls:
        assert running(calls) == MOST_AT_ONCE - 1
        grow_old()

        with pytest.raises(TooManyFetches):
            fetching.get("http://127.0.8.1/", 1 << 12, "caller 0")
        assert running(calls) == MOST_AT_ONCE - 1


def test_a_name_that_is_not_resolved(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives way as well."""
    answers, real = threading.Event(), socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **named: Any) -> Any:
        if host == "silent.test":
            answers.wait(30)
            raise socket.gaierror
        return real(host, *arguments, **named)

    monkeypatch.setattr(fetching._places, "most", 1)
    monkeypatch.setattr("socket.getaddrinfo", resolve)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(fetching.get, "http://silent.test/", 9, "attacker")
        until(lambda: bool(fetching._places.taken))
        grow_old()

        started = time.monotonic()
        assert fetching.get(web.url(), 1 << 12, "alice") == PICTURE
        with pytest.raises(GaveWay):
            call.result()
        assert time.monotonic() - started < fetching.RESOLVE / 2
    answers.set()
    until(lambda: not fetching._resolving)


def test_few_are_on_their_way_out(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """What gives way may take seconds to notice, in a thread of the server."""
    monkeypatch.setattr(fetching._places, "leaving", 0)
    with dripping(*(f"attacker {number}" for number in range(MOST_AT_ONCE))) as calls:
        grow_old()
        with pytest.raises(TooManyFetches):
            fetching.get(web.url(), 1 << 12, "alice")
        assert running(calls) == MOST_AT_ONCE


def test_a_webhook_that_gives_way_is_a_try(alice: Account, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be sent for ever."""

    def give_way(*_: object) -> None:
        raise GaveWay

    endpoint, _ = listening(alice, "https://127.0.8.1/")
    tell(alice)
    monkeypatch.setattr(fetching, "post", give_way)

    assert deliveries.work_next()
    assert endpoint.deliveries.get().tries == 1
    assert "slow" in endpoint.deliveries.get().log.get().error
