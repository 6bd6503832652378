"""Who may compute now: so many at once, so many waiting, for so long. Everybody else hears at once that it is busy."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inpainting.engine.interface import EngineBusy

SMOOTHING = 0.2  # weight of the newest duration in the running average


@dataclass
class Turn:
    seconds: float = 0.0  # that it took, once it is over


class Turns:
    """A bounded queue for calls that share a processor.

    At most `slots` calls run at once. At most `queue` more wait, each at most `wait` seconds.
    """

    def __init__(self, slots: int, queue: int, wait: float) -> None:
        self._slots, self._queue, self._wait = slots, queue, wait
        self._free = threading.Semaphore(slots)
        self._lock = threading.Lock()
        self._inside = 0  # running and waiting
        self._seconds = 1.0  # running average of a turn

    @contextmanager
    def take(self) -> Iterator[Turn]:
        """Hold one of the slots. EngineBusy if too many wait, or if none came free in time."""
        with self._lock:
            self.check_room()
            self._inside += 1
        try:
            if not self._free.acquire(timeout=self._wait):
                raise EngineBusy(self._retry_after())
            start, turn = time.monotonic(), Turn()
            try:
                yield turn
            finally:
                turn.seconds = time.monotonic() - start
                self._free.release()
                self._seconds += SMOOTHING * (turn.seconds - self._seconds)
        finally:
            with self._lock:
                self._inside -= 1

    def check_room(self) -> None:
        """EngineBusy, if whoever came now could not even wait."""
        if self._inside >= self._slots + self._queue:
            raise EngineBusy(self._retry_after())

    def _retry_after(self) -> int:
        """Seconds until about half of those inside are done."""
        return max(1, math.ceil(self._seconds * self._inside / self._slots / 2))
