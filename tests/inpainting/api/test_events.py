"""Streams of server-sent events hold threads: few at once, and none for ever."""

from collections.abc import Iterator

import pytest

from inpainting.api import events
from inpainting.api.events import Event, Stream, TooManyStreams

FEW = [Event("batch", "1", {"status": "queued"})]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "close_old_connections", lambda: None)  # the test's own stays open
    monkeypatch.setattr(events, "LOOK_EVERY", 0.0)


def test_it_works() -> None:
    looks = iter([FEW, [], None])
    stream = Stream(1, lambda: next(looks))

    assert list(stream) == [b'event: batch\nid: 1\ndata: {"status": "queued"}\n\n']
    stream.close()


def test_it_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LASTS", 0.0)
    stream = Stream(1, lambda: FEW)

    assert list(stream) == []
    stream.close()


def test_it_tells_that_the_connection_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "ALIVE_EVERY", 0.0)
    looks: Iterator[list[Event] | None] = iter([[], None])
    stream = Stream(1, lambda: next(looks))

    assert list(stream) == [b": alive\n\n"]
    stream.close()


def test_few_at_once() -> None:
    streams = [Stream(account, lambda: None) for account in range(events.STREAMS)]
    with pytest.raises(TooManyStreams):
        Stream(9, lambda: None)

    streams[0].close()
    streams[0].close()  # a second time makes no more room
    streams[0] = Stream(0, lambda: None)
    with pytest.raises(TooManyStreams):
        Stream(9, lambda: None)
    for stream in streams:
        stream.close()


def test_no_account_has_them_all() -> None:
    streams = [Stream(1, lambda: None) for _ in range(events.EACH)]
    with pytest.raises(TooManyStreams):
        Stream(1, lambda: None)

    for stream in [*streams, Stream(2, lambda: None)]:
        stream.close()
