"""Stripe is asked for a bounded time, and for few at once: while it hangs, everybody else is served.

Who waits, for room or for Stripe, leaves its place and its database connection to others (config/workplace.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from accounts.billing import Busy
from config import workplace

CONNECT, TIMEOUT = 3.0, 6.0  # seconds a call
PATIENCE = 8.0  # seconds, all calls of an errand together, with those that are tried again
WAIT = 4.0  # seconds for room


class Room:
    """For errands: all that one click or one event asks of Stripe. Of one caller there is one at a time."""

    def __init__(self, most: int, line: int) -> None:
        """`most` at once; `line`: those that wait."""
        self._most, self._line = most, line
        self._callers: set[Hashable] = set()
        self._waiting = 0
        self._changed = threading.Condition()

    @contextmanager
    def errand(self, caller: Hashable) -> Iterator[None]:
        """Raises Busy."""
        self._enter(caller)
        try:
            yield
        finally:
            with self._changed:
                self._callers.remove(caller)
                self._changed.notify_all()

    def _enter(self, caller: Hashable) -> None:
        with workplace.left(), self._changed:
            wait = WAIT if self._waiting < self._line else 0
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: self._has_room_for(caller), wait):
                    raise Busy
                self._callers.add(caller)
            finally:
                self._waiting -= 1

    def _has_room_for(self, caller: Hashable) -> bool:
        return len(self._callers) < self._most and caller not in self._callers


# Who waits for an account's turn (turns.py) is in the first. Those of the second never do, and find room meanwhile.
changes = Room(most=8, line=32)
looks = Room(most=8, line=32)
events = Room(most=8, line=64)


class Calls(stripe.RequestsClient):
    """Of one errand after another, of one thread."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()

    def begin(self) -> None:
        """An errand."""
        self._deadline = time.monotonic() + PATIENCE

    def request_with_retries(self, *args: Any, **kwargs: Any) -> Any:
        with workplace.left():
            return super().request_with_retries(*args, **kwargs)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise stripe.APIConnectionError("Stripe takes too long.", should_retry=False)  # type: ignore[no-untyped-call]
        self._timeout = (min(CONNECT, left), min(TIMEOUT, left))
        return super().request(*args, **kwargs)
