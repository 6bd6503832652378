"""Turns whose waits and durations are told to Prometheus, to the log of slow requests and to traces."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from config import logs, metrics, telemetry
from inpainting.engine.queue.desk import Desk
from inpainting.engine.queue.line import Turn

Model = TypeVar("Model")


@contextmanager
def measured_turn(desk: Desk[Model], stage: str) -> Iterator[tuple[Model, Turn]]:
    """`Desk.turn` for one stage of a request: inpaint, detect, find_text, lift or shared_mark.

    Who is refused has not waited.
    """
    model = desk.entry.name
    with ExitStack() as turns:
        started = time.monotonic()
        with telemetry.span("wait", model=model), metrics.ENGINE_WAITING.labels(model).track_inprogress():
            held = turns.enter_context(desk.turn())
        waited = time.monotonic() - started
        metrics.ENGINE_WAIT_SECONDS.labels(model).observe(waited)
        logs.spend("engine_wait", waited)
        with telemetry.span(stage, model=model):
            started = time.monotonic()
            try:
                yield held
            finally:
                gave_way = held[1].gave_way
                took = time.monotonic() - started - gave_way
                metrics.ENGINE_SECONDS.labels(stage, model).observe(took)
                logs.spend(stage, took)
                logs.spend("engine_wait", gave_way)
