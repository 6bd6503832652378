"""A model as the door has it: loaded when it is first needed, and with a bounded queue before it. Imports no torch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from django.conf import settings

from inpainting.engine.interface import State
from inpainting.engine.queue.lazy import Lazy
from inpainting.engine.queue.line import Turn
from inpainting.engine.queue.memory import Memory
from inpainting.engine.queue.turns import Turns
from inpainting.engine.registry import Entry

Model = TypeVar("Model")


class Desk(Generic[Model]):
    def __init__(self, entry: Entry[Model], memory: Memory) -> None:
        self.entry = entry
        self._memory = memory
        self._lazy: Lazy[tuple[Model, Turns]] = Lazy(entry.name, self._open)

    @property
    def model(self) -> Model | None:
        """None while it is not loaded."""
        made = self._lazy.made
        return None if made is None else made[0]

    @property
    def state(self) -> State:
        lazy = self._lazy
        return "ready" if lazy.made else "loading" if lazy.loading else "failed" if lazy.error else "idle"

    @property
    def error(self) -> str | None:
        """Why it could not be loaded, in a sentence."""
        return self._lazy.error

    def load(self) -> Model:
        """The model, loaded now if it is not. EngineUnavailable, EngineBusy: as `Lazy.use`."""
        with self._lazy.use() as (model, _):
            return model

    @contextmanager
    def turn(self) -> Iterator[tuple[Model, Turn]]:
        """The model, when it is the caller's turn; loads it if need be. EngineUnavailable, EngineBusy: come later."""
        with self._lazy.use() as (model, turns), turns.take() as turn:
            yield model, turn

    def check_room(self) -> None:
        """EngineBusy, if it is loaded and whoever came now could not even wait."""
        made = self._lazy.made
        if made is not None:
            made[1].check_room()

    def _open(self) -> tuple[Model, Turns]:
        self._memory.admit(self._lazy, self.entry.megabytes())
        model = self.entry.load()
        limits = settings.ENGINE_QUEUE, settings.ENGINE_WAIT, settings.ENGINE_CONCURRENCY
        return model, Turns(self.entry.slots(model), *limits)
