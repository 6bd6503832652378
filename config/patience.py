"""A client's socket that is slow or never goes on: what it may take in time and bytes, and who gives way to others."""

from __future__ import annotations

import errno
import heapq
import math
import random
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, ClassVar
from weakref import WeakSet

from gunicorn.http.errors import InvalidChunkSize

from config import workplace
from config.postgres import lend_connection

HEAD = 10.0  # seconds until a head is whole
PAUSE = 20.0  # seconds in which a client may send or take nothing
SLOWEST = 4096  # bytes a second, on average, past that
UNFINISHED = 1 << 30  # bytes of bodies, of all connections together, that may wait for the rest; for a second twice
# Bytes a second of a body that is not idle, and seconds that one at this pace may be behind it: a line that hesitates.
PACE, HESITATION = 1 << 16, 5.0
IDLE = 1.0  # seconds behind it past which a body is idle; before that its next piece may be on its way
# A body may come in so many chunks however small, and in more where they have so many bytes on average: reading one
# costs as much as reading kilobytes.
SMALL_CHUNKS, CHUNK = 1000, 64
# Seconds between reads of a client that sends so little at a time on average, once it was read from so often, and after
# every so many small chunks: hundreds of such clients keep Python's lock from everybody else. Each rests for another
# time, by half as much more or less: those who connected together would be read from together.
REST, OFTEN, LITTLE = 0.25, 20, 1024
# Of the silent connections of the client that has most, one in so many gives way at a time: choosing them looks at all.
GIVING_WAY = 16


class PatientSocket:
    """A client's socket. Waiting for it leaves a place in `working` to others, and has an end: TimeoutError.

    Waiting takes from its patience, bytes give some back: after the head 1/SLOWEST seconds each, up to PAUSE.
    """

    _lock = threading.Lock()
    _waiting: ClassVar[set[PatientSocket]] = set()
    _all: ClassVar[WeakSet[PatientSocket]] = WeakSet()
    _unfinished = 0  # bytes, of all of them

    def __init__(self, sock: socket.socket, working: threading.Semaphore, client: Hashable = None) -> None:
        """`client`: whose it is, among those that give way to others."""
        self._sock, self._working, self.client = sock, working, client
        self.has_place = False
        self._all.add(self)
        self._sock.setblocking(False)
        self.expect_head()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def expect_head(self) -> None:
        self.in_head, self._patience, self._received, self._reads = True, HEAD, 0, 0
        self._idle = 0.0  # seconds that it is behind PACE, of those in which it was waited for
        self.idle_since = time.monotonic()

    def expect_body(self) -> None:
        self.in_head, self._patience = False, PAUSE

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of those who work."""
        with self._working:
            self.has_place = True
            token = workplace.LEAVE.set(self.no_place)
            try:
                yield
            finally:
                workplace.LEAVE.reset(token)
                self.has_place = False

    @property
    def is_late(self) -> bool:
        return self._patience <= 0

    def setblocking(self, blocking: bool) -> None:
        """It never blocks gunicorn's loop, and always the thread that reads or writes."""

    def gettimeout(self) -> float:
        """gunicorn sets it anew after it has read what was left of a body."""
        return self._patience

    def settimeout(self, seconds: float | None) -> None:
        if seconds is not None:
            self._patience = seconds

    def recv(self, size: int) -> bytes:
        while True:
            try:
                data = self._sock.recv(size)
            except BlockingIOError:
                self._wait(select.POLLIN)
            else:
                self._earn(len(data))
                self._received += len(data)
                self._reads += 1
                return data

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                sent = self._sock.send(rest)
            except BlockingIOError:
                self._wait(select.POLLOUT)
            else:
                self._earn(sent)
                rest = rest[sent:]

    def _wait(self, event: int) -> None:
        poll, start = select.poll(), time.monotonic()
        poll.register(self._sock, event)
        self._event, self.idle_since = event, start - self._idle
        with self._lock:
            self._waiting.add(self)
            PatientSocket._unfinished += self._received
            if self._unfinished > UNFINISHED:
                self._make_room(start)
        try:
            with self.no_place():
                poll.poll(max(0.0, self._patience) * 1000)
                self._idle, self.idle_since = time.monotonic() - self.idle_since, math.inf
                if event == select.POLLIN and self._reads > OFTEN and self._received < self._reads * LITTLE:
                    _rest()
        finally:
            with self._lock:
                self._patience = self._patience - (time.monotonic() - start) if self in self._waiting else 0.0
                self._waits_no_more()
        if self.is_late:
            # Of all errors of sockets gunicorn logs none with this number: it is the client's own fault.
            raise TimeoutError(errno.ECONNRESET, "The client is too slow.")

    @classmethod
    def _make_room(cls, now: float) -> None:
        """Until those who wait hold no more than UNFINISHED, whoever lets most bytes lie idle for longest is cut off.

        So neither a few who hold much nor many who hold little get those cut off who go on sending; where these hold
        twice as much, they are, too. The largest that goes on is not counted, and may be of any size that its call may
        have.
        """
        going_on = (each for each in cls._waiting if now - each.idle_since < HESITATION)
        spared = max(going_on, key=lambda each: each._received, default=None)
        counted = cls._waiting - {spared}
        held = sum(each._received for each in counted)
        idle = {each for each in counted if now - each.idle_since > IDLE}
        for chosen, most in ((idle, UNFINISHED), (counted - idle, 2 * UNFINISHED)):
            while chosen and held > most:
                idlest = max(chosen, key=lambda each: each._received * (1 + max(0.0, now - each.idle_since)))
                chosen.remove(idlest)
                held -= idlest._received
                idlest._cut_off()

    @classmethod
    def give_way(cls, idle: Iterable[PatientSocket]) -> list[PatientSocket]:
        """Of `idle` and of those that are waited for: whoever has most connections gives way, the longest idle first.

        Those that are waited for are cut off. Nobody gives way to who has far more, none of them idle.
        """
        counts = Counter(each.client for each in cls._all if each.fileno() >= 0)
        most = max(counts.values(), default=0)
        with cls._lock:
            silent = [each for each in (*idle, *cls._waiting) if 2 * counts[each.client] >= most]
            chosen = heapq.nsmallest(
                max(1, most // GIVING_WAY), silent, lambda each: (-counts[each.client], each.idle_since)
            )
            for each in cls._waiting.intersection(chosen):
                each._cut_off()
        return chosen

    def _cut_off(self) -> None:
        """Its thread wakes, and sees that it is not waited for any more."""
        self._waits_no_more()
        with suppress(OSError):  # it has gone by itself
            self._sock.shutdown(socket.SHUT_RD if self._event == select.POLLIN else socket.SHUT_RDWR)

    def _waits_no_more(self) -> None:
        if self in self._waiting:
            self._waiting.remove(self)
            PatientSocket._unfinished -= self._received

    def no_crumbs(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """A body's chunks, slowly while they are small; InvalidChunkSize where those are too many."""
        size = 0
        for count, chunk in enumerate(chunks, 1):
            size += len(chunk)
            if size < count * CHUNK and count > SMALL_CHUNKS:
                raise InvalidChunkSize(b"chunks of less than %d bytes" % CHUNK)
            if size < count * CHUNK and count % OFTEN == 0:
                with self.no_place():
                    _rest()
            yield chunk

    @contextmanager
    def no_place(self) -> Iterator[None]:
        """Another has it meanwhile, and the connection to the database, of which there are not as many as clients."""
        lend_connection()
        had_place, self.has_place = self.has_place, False
        if had_place:
            self._working.release()
        try:
            yield
        finally:
            if had_place:
                self._working.acquire()
            self.has_place = had_place

    def _earn(self, transferred: int) -> None:
        self._idle = max(0.0, self._idle - transferred / PACE)
        if not self.in_head:
            self._patience = min(PAUSE, self._patience + transferred / SLOWEST)


def _rest() -> None:
    time.sleep(REST * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
