"""Which pictures are let in: so many bytes of memory for all that are worked on, so many pixels that decode at once.

What there is no room for waits, a few at a time and for seconds; others hear that it is busy. The body has been read by
then: gunicorn's main thread, by which all others live, waits up to two seconds for each client that is answered before.

Memory: without a bound 64 clients, who send a hundred kilobytes each, take all that a machine has. Decoders run outside
of Python's lock: without a bound a few files held every core and thread, and with them the answer of /health, for
minutes. How long one may take is bounded by what `containers` and the limit of sides let through: 0.1 to 2 seconds.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from django.conf import settings

from config import workplace
from inpainting.engine import hardware

# Seconds until a waiting picture is refused, and how many may wait in a room: they leave places of the server free.
WAIT, MOST_WAITING = 10, 4
# Bytes for each pixel of a picture, at its peak: of one with alpha and a mask, which is repainted, and of one in which
# a watermark is looked for (measured, docs/performance.md).
REPAINTED, DETECTED = 10, 40
COPIES = 3  # of a file: the body's, the field's, the decoder's
# Bytes from which what a picture took is given back to the system, and what many small ones took together: they leave
# holes in the heap, which grows by a tenth until every mixture of them has been there.
LARGE, MANY = 64_000_000, 1_000_000_000


class NoRoom(Exception):
    """Come later: too many pictures are being decoded or worked on."""

    retry_after = 2  # seconds

    def __init__(self) -> None:
        super().__init__("The server is busy with other pictures. Please try again later.")


class Room:
    """For `size` at once, bytes or pixels; a larger picture has it alone."""

    def __init__(self, size: int, most_waiting: int, wait: float) -> None:
        self._size, self._most_waiting, self._wait = size, most_waiting, wait
        self._taken = self._waiting = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, size: int) -> Iterator[None]:
        """Room for one picture, until the end. NoRoom: too many wait, or it did not come free in time."""
        size = min(size, self._size)
        with self._changed:
            if self._taken + size > self._size:
                self._wait_for(size)
            self._taken += size
        try:
            yield
        finally:
            with self._changed:
                self._taken -= size
                self._changed.notify_all()

    def _wait_for(self, size: int) -> None:
        if self._waiting >= self._most_waiting:
            raise NoRoom
        self._waiting += 1
        try:
            if not self._changed.wait_for(lambda: self._taken + size <= self._size, self._wait):
                raise NoRoom
        finally:
            self._waiting -= 1


# As many of the largest pictures as there are cores.
decoders = Room((os.cpu_count() or 1) * settings.MAX_SIDE**2, MOST_WAITING, WAIT)
memory = Room(int((settings.REQUEST_MEMORY or hardware.memory() / 4) * 1e6), MOST_WAITING, WAIT)
_turns: WeakValueDictionary[int | None, Room] = WeakValueDictionary()  # by account, while somebody has or awaits one
_finding = threading.Lock()
_ended: list[int] = []  # bytes of each picture that has ended since memory was given back


@contextmanager
def worked_on(pixels: int, files: int, *, detects: bool) -> Iterator[None]:
    """Room in the memory for all that is made of a picture; `files`: bytes that were sent. NoRoom: come later."""
    size = pixels * (DETECTED if detects else REPAINTED) + COPIES * files
    try:
        with memory.take(size):
            yield
    finally:
        _ended.append(size)


@contextmanager
def turn(account: int | None) -> Iterator[None]:
    """One after another of an account's, for what its pages ask for at once: no account has all rooms for itself.

    Whoever waits and works here leaves its place and its database connection to others. NoRoom: too many wait.
    """
    with _finding:
        room = _turns.setdefault(account, Room(1, most_waiting=50, wait=30))
    with workplace.left(), room.take(1):
        yield


def give_back() -> None:
    """To the system, what a large or many pictures took, once they are done: C's allocator keeps it (script/server)."""
    if max(_ended, default=0) >= LARGE or sum(_ended) >= MANY:
        _ended.clear()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
        if trim is not None:
            trim(0)
