"""The place that a request has among those that a process works on. Whoever waits leaves it meanwhile: for the engine,
for a turn to hash a password, for Stripe.

The engine has lines of its own, one for each model. Together they hold more requests than there are places: with all
places taken by those who stand in them, others would wait for seconds to hear that it is busy.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar

# Set by config/worker.py, for a request's thread.
LEAVE: ContextVar[Callable[[], AbstractContextManager[None]]] = ContextVar("leave", default=nullcontext)


def left() -> AbstractContextManager[None]:
    """Meanwhile another has it; afterwards it is waited for."""
    return LEAVE.get()()
