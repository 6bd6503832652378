"""Few places that callers share fairly: who has many of them makes room for who has none.

As long as places are free, a caller may have as many as would be left (dynamic thresholds, Choudhury and Hahne 1998).
When none is left for somebody who has fewer than others, the oldest of who has most gives way.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Hashable
from concurrent.futures import Future


class NoPlace(Exception):
    pass


class Place:
    """Somebody's, until it is left or given to another."""

    def __init__(self, caller: Hashable) -> None:
        self.caller = caller
        self.group: Hashable = None  # of callers that have as many: whose group has most places gives way
        self.gave_way: Future[None] = Future()  # done: who has it should end
        self._since = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds."""
        return time.monotonic() - self._since


class Places:
    """May be used by many threads."""

    def __init__(self, most: int, each: int, *, leaving: int, even: float, uneven: float) -> None:
        """`most`: in all; `each`: of one caller; `leaving`: those that gave way and go on, past `most`.

        Seconds that a place is kept for whatever others want, `even`: where nobody has more than one more than another,
        `uneven`: where its caller has more than that.
        """
        self.most, self.each, self.leaving, self.even, self.uneven = most, each, leaving, even, uneven
        self.taken: list[Place] = []
        self._left: set[Place] = set()  # gave way, and go on
        self._lock = threading.Lock()

    def take(self, caller: Hashable) -> Place:
        """Raises NoPlace."""
        with self._lock:
            greedy = self._giving_way(caller)
            if greedy is not None:
                self.taken.remove(greedy)
                self._left.add(greedy)
            place = Place(caller)
            self.taken.append(place)
        if greedy is not None:
            greedy.gave_way.set_result(None)  # without the lock: others' functions are called
        return place

    def leave(self, place: Place) -> None:
        """A second time does nothing."""
        with self._lock:
            self._left.discard(place)
            if place in self.taken:
                self.taken.remove(place)

    def _giving_way(self, caller: Hashable) -> Place | None:
        """None: there is a place. Raises NoPlace."""
        have, free = Counter(place.caller for place in self.taken), self.most - len(self.taken)
        if have[caller] < min(self.each, free):
            return None
        groups = Counter(place.group for place in self.taken)

        def may(place: Place) -> bool:
            if have[place.caller] > have[caller] + 1:
                return place.age > self.uneven
            return not have[caller] and place.age > self.even

        others = [place for place in self.taken if may(place)]
        if have[caller] >= self.each or len(self._left) >= self.leaving or not others:
            raise NoPlace
        return max(others, key=lambda place: (have[place.caller], groups[place.group], place.age))
