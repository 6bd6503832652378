"""Those who wait for a turn. The next one goes round the callers, so that whoever asks most does not wait least."""

import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import NamedTuple


class Caller(NamedTuple):
    """On whose behalf something is computed."""

    key: Hashable = None  # equal for all calls of one account or address
    patient: bool = False  # lets everybody go first who is not


@dataclass(eq=False)
class Turn:
    caller: Caller
    seconds: float = 0.0  # that it took, once it is over, without what it gave way for
    gave_way: float = 0.0  # seconds
    since: float = 0.0  # when it was granted last
    granted: threading.Event = field(default_factory=threading.Event)
    # To be called between parts of what may take long: those who wait go first, if it has been long.
    give_way: Callable[[], None] = lambda: None


class Line:
    """Turns by caller, the callers in the order in which they have the next one, each with the oldest first."""

    def __init__(self) -> None:
        self._turns: dict[Caller, deque[Turn]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._turns.values()))

    def of(self, caller: Caller) -> int:
        return len(self._turns.get(caller, ()))

    def before(self, caller: Caller) -> int:
        """How many turns come before that of the caller, joining now."""
        own = self.of(caller)
        return own + sum(min(len(turns), own + 1) for other, turns in self._turns.items() if other != caller)

    def join(self, turn: Turn) -> None:
        self._turns.setdefault(turn.caller, deque()).append(turn)

    def pop(self) -> Turn:
        """The next turn; its caller goes behind all others."""
        caller, turns = next(iter(self._turns.items()))
        del self._turns[caller]
        turn = turns.popleft()
        if turns:
            self._turns[caller] = turns
        return turn

    def leave(self, turn: Turn) -> None:
        turns = self._turns[turn.caller]
        turns.remove(turn)
        if not turns:
            del self._turns[turn.caller]
