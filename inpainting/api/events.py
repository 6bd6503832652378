"""Server-sent events (WHATWG HTML, 9.2): a stream that ends with what it tells of, or after a while."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import close_old_connections
from django.http import StreamingHttpResponse

from config.places import NoPlace, Places

LASTS = 60.0  # seconds; a browser's EventSource then connects again by itself
LOOK_EVERY = 1.0
ALIVE_EVERY = 15.0  # so that proxies see that the connection lives
EVENT_STREAM = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would collect it
}
# At once in a process, where each holds one of its threads; and of one account, which must not have them all.
STREAMS, EACH = 8, 3
# Seconds that a stream goes on for, where accounts without one find no place. Where its account has more of them it
# ends at once. Its client connects again and is told what it missed, or asks for the batch itself.
UNDISTURBED = 10.0
LEAVING = 4  # that should end, while their clients do not read

_places = Places(STREAMS, EACH, leaving=LEAVING, even=UNDISTURBED, uneven=0)


class TooManyStreams(Exception):
    retry_after = 5

    def __init__(self) -> None:
        super().__init__("Too many clients follow batches just now. Ask for the batch itself, or try again.")


@dataclass(frozen=True)
class Event:
    """`id`: what a client that connects again sends back as Last-Event-ID."""

    kind: str
    id: str
    body: dict[str, Any]

    def encode(self) -> bytes:
        return f"event: {self.kind}\nid: {self.id}\ndata: {json.dumps(self.body, cls=DjangoJSONEncoder)}\n\n".encode()


class Stream:
    """What `look` gives, until that is None or the place is another's. Raises TooManyStreams; close() leaves it."""

    def __init__(self, account: int, look: Callable[[], list[Event] | None]) -> None:
        try:
            self._place = _places.take(account)
        except NoPlace:
            raise TooManyStreams from None
        self._look = look

    def __iter__(self) -> Iterator[bytes]:
        ends = time.monotonic() + LASTS
        quiet_since = time.monotonic()
        gave_way = self._place.gave_way
        while not gave_way.done() and (events := self._look()) is not None and time.monotonic() < ends:
            close_old_connections()  # none is held while nothing happens
            if events or time.monotonic() - quiet_since > ALIVE_EVERY:
                quiet_since = time.monotonic()
                yield b"".join(event.encode() for event in events) or b": alive\n\n"
            wait([gave_way], LOOK_EVERY)

    def close(self) -> None:
        _places.leave(self._place)


def streamed(account: int, look: Callable[[], list[Event] | None]) -> StreamingHttpResponse:
    """Raises TooManyStreams."""
    return StreamingHttpResponse(Stream(account, look), headers=EVENT_STREAM)
