"""Turns whose waits and durations are told to Prometheus, to the log of slow requests and to traces.

What is computed in them is computed by threads of their own, which let all others go first: on a machine whose cores
all compute, whoever answers health, or says that it is busy, would wait for a core as long as they do.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from config import logs, metrics, telemetry
from config.threads import Threads
from inpainting.engine import hardware
from inpainting.engine.queue.desk import Desk
from inpainting.engine.queue.line import Turn

Model = TypeVar("Model")
Result = TypeVar("Result")

# With 64 clients on two cores /health takes 4 ms instead of 6 (median), and a 503 23 ms instead of 42.
NICE = 5
_threads = Threads("engine", kept=hardware.cores(), nice=NICE)


def compute(desk: Desk[Model], stage: str, work: Callable[[Model, Turn], Result]) -> tuple[Result, float]:
    """What `work` makes of the model, and the seconds that took, in the caller's turn.

    `stage`: of a request: inpaint, detect, find_text, lift or shared_mark. Raises what `Desk.turn` and `work` do. Who
    is refused has not waited.
    """
    model = desk.entry.name
    with ExitStack() as turns:
        started = time.monotonic()
        with telemetry.span("wait", model=model), metrics.ENGINE_WAITING.labels(model).track_inprogress():
            held, turn = turns.enter_context(desk.turn())
        waited = time.monotonic() - started
        metrics.ENGINE_WAIT_SECONDS.labels(model).observe(waited)
        logs.spend("engine_wait", waited)
        with telemetry.span(stage, model=model):
            started = time.monotonic()
            try:
                result: Result = _threads.call(work, held, turn)
            finally:
                took = time.monotonic() - started - turn.gave_way
                metrics.ENGINE_SECONDS.labels(stage, model).observe(took)
                logs.spend(stage, took)
                logs.spend("engine_wait", turn.gave_way)
    return result, turn.seconds
