"""Few streams of events: accounts that follow many batches do not keep others from following one."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from inpainting.api import events
from inpainting.api.events import EACH, STREAMS, Event, Stream, TooManyStreams
from tests.conftest import Account
from tests.inpainting.api.test_batch import send

GREEDY = [1001] * EACH + [1002] * EACH + [1003] * EACH
EVENTS = [Event("batch", "1", {"status": "queued"})]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(events, "close_old_connections", lambda: None)  # the test's own stays open
    monkeypatch.setattr(events, "LOOK_EVERY", 0.0)
    yield
    assert not events._places.taken


def followed(*accounts: int) -> list[Stream]:
    """Streams of as many of them as are let in."""
    streams = []
    for account in accounts:
        with suppress(TooManyStreams):
            streams.append(Stream(account, lambda: EVENTS))
    return streams


def close(*streams: Stream) -> None:
    for stream in streams:
        stream.close()


def test_three_accounts_do_not_shut_others_out() -> None:
    streams = followed(*GREEDY)
    assert len(streams) >= STREAMS - 1

    others = [Stream(account, lambda: EVENTS) for account in (1004, 1005, 1006)]

    have = Counter(place.caller for place in events._places.taken)
    assert sum(have.values()) == STREAMS
    assert max(have.values()) == 2
    assert list(streams[0]) == []  # the oldest of an account that had three ends
    assert next(iter(others[0])).startswith(b"event: batch")
    close(*streams, *others)


def test_who_has_as_many_as_others_gets_none_of_theirs() -> None:
    streams = followed(*range(STREAMS), 0)
    assert len(streams) == STREAMS
    with pytest.raises(TooManyStreams):
        Stream(0, lambda: EVENTS)
    assert [next(iter(stream)) for stream in streams] == [EVENTS[0].encode()] * STREAMS
    close(*streams)


def test_accounts_with_one_each_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = followed(*range(STREAMS))
    with pytest.raises(TooManyStreams):
        Stream(STREAMS, lambda: EVENTS)

    monkeypatch.setattr(events._places, "even", 0.0)
    streams += followed(STREAMS)
    assert [list(stream) == [] for stream in streams[:2]] == [True, False]
    close(*streams)


def test_clients_that_do_not_read_what_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """They keep their threads for a while: no more of them than a few."""
    monkeypatch.setattr(events._places, "leaving", 2)
    streams = followed(*GREEDY, *range(2000, 2020))

    assert len(streams) == STREAMS + 2
    close(*streams)


def test_polling_remains(alice: Account) -> None:
    batch = send(alice.client).json()
    streams = followed(*range(1000, 1000 + STREAMS))

    assert alice.client.get(batch["links"]["self"]).status_code == 200
    refused = alice.client.get(batch["links"]["events"])
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    close(*streams)
