"""Who may compute now: so many at once, so many waiting, for so long. Everybody else hears at once that it is busy.

The next turn goes round the callers, so that whoever asks most does not wait least; and to somebody who is patient only
while nobody else waits. What takes long gives its turn back between its parts, and waits for its next one.
"""

import math
import random
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from inpainting.engine.interface import EngineBusy, TooManyCalls
from inpainting.engine.queue.line import Caller, Line, Turn

SMOOTHING = 0.2  # weight of the newest duration in the running average
# Share of the longest wait that may be likely. Estimates err where pictures differ, and where many come after few: then
# each takes up to three times as long. Whoever is let in and waits the whole minute in vain is served worst of all.
LIKELY = 0.3
LONG = 5.0  # seconds past which a turn gives way


NOBODY = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=NOBODY)
# Whether this call has had a turn: it is let into the lines of other models, so that what was computed is not in vain.
SERVED: ContextVar[bool] = ContextVar("served", default=False)


@contextmanager
def on_behalf_of(key: Hashable, *, patient: bool = False) -> Iterator[None]:
    """What this thread asks the engine for meanwhile is for that caller."""
    caller, served = CALLER.set(Caller(key, patient)), SERVED.set(False)
    try:
        yield
    finally:
        CALLER.reset(caller)
        SERVED.reset(served)


class Turns:
    """A bounded queue for calls that share a processor.

    At most `slots` calls run at once. At most `queue` more wait, each at most `wait` seconds; whoever is likely to wait
    more than LIKELY of that is refused at once. At most `each` calls of one caller run and wait. Those who are patient
    count in neither; and who has been served by another model is not refused.
    """

    def __init__(self, slots: int, queue: int, wait: float, each: int) -> None:
        self._slots, self._queue, self._wait, self._each = slots, queue, wait, each
        self._lock = threading.Lock()
        self._running: list[Caller] = []
        self._waiting, self._patient = Line(), Line()
        self._seconds = 1.0  # running average of a turn

    @contextmanager
    def take(self) -> Iterator[Turn]:
        """Hold one of the slots. TooManyCalls: the caller has as many as may be. EngineBusy: too many wait."""
        caller = CALLER.get()
        turn, line = Turn(caller), self._line(caller)
        turn.give_way = partial(self._give_way, turn)
        with self._lock:
            self._check_room(caller)
            line.join(turn)
            self._grant()
        if not turn.granted.wait(self._wait):
            with self._lock:
                if not turn.granted.is_set():  # not even in this instant
                    line.leave(turn)
                    raise EngineBusy(self._retry_after())
        turn.since = time.monotonic()
        try:
            yield turn
        finally:
            SERVED.set(caller is not NOBODY)
            with self._lock:
                self._end(turn)
                self._grant()

    def _give_way(self, turn: Turn) -> None:
        """Of a turn that is held: it goes to the end of its line. It waits as long as it takes: half a call is no use.

        Nobody waits for it forever: each other caller has one turn before it, and that gives way as well. Who is
        patient lets all others go first, as ever.
        """
        line = self._line(turn.caller)
        if time.monotonic() - turn.since < LONG:
            return
        with self._lock:
            if not (self._waiting or line):
                return
            self._end(turn)
            turn.granted.clear()
            line.join(turn)
            self._grant()
        left = time.monotonic()
        turn.granted.wait()
        turn.since = time.monotonic()
        turn.gave_way += turn.since - left

    def _end(self, turn: Turn) -> None:
        took = time.monotonic() - turn.since
        turn.seconds += took
        self._running.remove(turn.caller)
        self._seconds += SMOOTHING * (took - self._seconds)

    def _line(self, caller: Caller) -> Line:
        return self._patient if caller.patient else self._waiting

    def check_room(self) -> None:
        """TooManyCalls or EngineBusy, if whoever came now would be refused."""
        with self._lock:
            self._check_room(CALLER.get())

    def _check_room(self, caller: Caller) -> None:
        if caller.patient or SERVED.get():
            return
        likely = self._likely_wait(caller)
        if len(self._running) + len(self._waiting) >= self._slots + self._queue or likely > LIKELY * self._wait:
            raise EngineBusy(self._retry_after(likely))
        if self._running.count(caller) + self._waiting.of(caller) >= self._each:
            raise TooManyCalls(self._retry_after())

    def _grant(self) -> None:
        while len(self._running) < self._slots and (line := self._waiting or self._patient):
            turn = line.pop()
            self._running.append(turn.caller)
            turn.granted.set()

    def _likely_wait(self, caller: Caller) -> float:
        """Seconds, if turns take as long as lately. Of those that run, half is over on average."""
        ends = len(self._running) + self._waiting.before(caller) - self._slots + 0.5  # turns that have to end first
        return max(0.0, self._seconds * ends / self._slots)

    def _retry_after(self, likely: float = 0.0) -> int:
        """Seconds until about half of those inside are done, and whoever comes is not likely to wait too long.

        Each hears another time, by half as much more at most: those who came together would come together again.
        """
        half = self._seconds * (len(self._running) + len(self._waiting)) / self._slots / 2
        until = max(half, likely - LIKELY * self._wait)
        return max(1, math.ceil(until * random.uniform(1, 1.5)))  # noqa: S311 - no secret
