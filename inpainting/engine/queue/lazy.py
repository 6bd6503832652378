"""A model that is loaded once, by whoever needs it first; the others wait for it. Imports no torch."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.conf import settings

from inpainting.engine.interface import EngineBusy, EngineUnavailable

logger = logging.getLogger(__name__)

RETRY_AFTER = 30  # seconds until a model that could not be loaded is tried again

Model = TypeVar("Model")


class Lazy(Generic[Model]):
    """`made` is the model once it is loaded; `error` why it could not be, in a sentence."""

    def __init__(self, name: str, load: Callable[[], Model]) -> None:
        self.name = name
        self.made: Model | None = None
        self.loading = False
        self.error: str | None = None
        self._load = load
        self._failed_at = 0.0
        self._lock = threading.Lock()

    def get(self) -> Model:
        """The model. EngineUnavailable: it cannot be loaded. EngineBusy: somebody has been loading it for long."""
        if self.made is not None:
            return self.made
        if not self._lock.acquire(timeout=settings.ENGINE_WAIT):
            raise EngineBusy(RETRY_AFTER)
        try:
            if self.error is not None and time.monotonic() - self._failed_at < RETRY_AFTER:
                raise EngineUnavailable(self.error)
            if self.made is None:
                self.made = self._loaded()
            return self.made
        finally:
            self._lock.release()

    def _loaded(self) -> Model:
        self.loading, self.error = True, None
        start = time.monotonic()
        try:
            made = self._load()
        except Exception as error:
            self.error, self._failed_at = f"The model {self.name} is not available: {error}", time.monotonic()
            raise EngineUnavailable(self.error) from error
        finally:
            self.loading = False
        logger.info("%s is ready, loaded in %.1f s", self.name, time.monotonic() - start)
        return made
