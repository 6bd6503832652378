"""Which models stay loaded: as many as the memory allows, those that were used last."""

import threading
from collections.abc import Callable
from typing import Any

from inpainting.engine import hardware
from inpainting.engine.queue.lazy import Lazy


class Memory:
    """Keeps models within a budget. What was used longest ago is unloaded first; what is in use never is."""

    def __init__(self, budget: Callable[[], float]) -> None:
        """`budget`: megabytes that all models together may take."""
        self._budget = budget
        self._sizes: dict[Lazy[Any], float] = {}  # megabytes
        self._lock = threading.Lock()

    def admit(self, newcomer: Lazy[Any], megabytes: float) -> None:
        """Make room for a model before it is loaded. Where all others are in use, or it is too large alone, it is
        loaded nevertheless: a request is worth more than the budget.
        """
        with self._lock:
            self._sizes = {
                model: size
                for model, size in self._sizes.items()
                if model is not newcomer and (model.made is not None or model.loading)
            }
            lacking = sum(self._sizes.values()) + megabytes - self._budget()
            unloaded = False
            for model in sorted(self._sizes, key=lambda model: model.last_use):
                if lacking > 0 and model.unload():
                    lacking -= self._sizes.pop(model)
                    unloaded = True
            self._sizes[newcomer] = megabytes
        if unloaded:
            hardware.release_memory()
