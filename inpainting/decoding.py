"""Who may decode now: so many pixels at once, so many pictures waiting, for so long. Others hear that it is busy.

Decoders run outside of Python's lock, so what is needed is a bound on how many cores and threads they hold; without one
a few hundred kilobytes sent by many kept every thread of the server, and with them the answer of /health, for minutes.
The body has been read by then: gunicorn's main thread, by which all others live, waits up to two seconds for each
client that is answered before.

How long one decoder may take is bounded by what `containers` and the limit of sides let through: 0.1 to 2 seconds.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

# Seconds until a waiting picture is refused, and how many may wait: with those that wait for the engine they leave
# threads of the server free.
WAIT, MOST_WAITING = 10, 8


class DecodersBusy(Exception):
    """Come later: too many pictures are being decoded."""

    retry_after = 2  # seconds

    def __init__(self) -> None:
        super().__init__("The server is busy decoding pictures. Please try again later.")


class Room:
    """For `pixels` at once; a larger picture has it alone."""

    def __init__(self, pixels: int, most_waiting: int, wait: float) -> None:
        self._pixels, self._most_waiting, self._wait = pixels, most_waiting, wait
        self._taken = self._waiting = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Room for one picture while it is decoded. DecodersBusy: too many wait, or it did not come free in time."""
        pixels = min(pixels, self._pixels)
        with self._changed:
            if self._taken + pixels > self._pixels:
                self._wait_for(pixels)
            self._taken += pixels
        try:
            yield
        finally:
            with self._changed:
                self._taken -= pixels
                self._changed.notify_all()

    def _wait_for(self, pixels: int) -> None:
        if self._waiting >= self._most_waiting:
            raise DecodersBusy
        self._waiting += 1
        try:
            if not self._changed.wait_for(lambda: self._taken + pixels <= self._pixels, self._wait):
                raise DecodersBusy
        finally:
            self._waiting -= 1


# As many of the largest pictures as there are cores.
room = Room((os.cpu_count() or 1) * settings.MAX_SIDE**2, MOST_WAITING, WAIT)
