"""The place that a request has among those that a process works on. Whoever waits for the engine leaves it meanwhile.

The engine has lines of its own, one for each model. Together they hold more requests than there are places: with all
places taken by those who stand in them, others would wait for seconds to hear that it is busy.
"""

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Protocol


class Leave(Protocol):
    def __call__(self) -> AbstractContextManager[None]: ...


LEAVE: ContextVar[Leave] = ContextVar("leave", default=nullcontext)  # set by config/worker.py, for a request's thread


def left() -> AbstractContextManager[None]:
    """Meanwhile another has it; afterwards it is waited for."""
    return LEAVE.get()()
