"""A model that is loaded by whoever needs it first, and can be unloaded while nobody uses it. Imports no torch."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from django.conf import settings

from inpainting.engine.interface import EngineBusy, EngineUnavailable

logger = logging.getLogger(__name__)

RETRY_AFTER = 30  # seconds until a model that could not be loaded is tried again

Model = TypeVar("Model")


class Lazy(Generic[Model]):
    """`made` is the model while it is loaded; `error` why it could not be, in a sentence."""

    def __init__(self, name: str, load: Callable[[], Model]) -> None:
        self.name = name
        self.made: Model | None = None
        self.loading = False
        self.error: str | None = None
        self.last_use = 0.0  # of a clock that only runs forward
        self._load = load
        self._failed_at = 0.0
        self._lock = threading.Lock()  # held while it is loaded
        self._users, self._counting = 0, threading.Lock()  # held for an instant

    @contextmanager
    def use(self) -> Iterator[Model]:
        """The model, which stays loaded meanwhile.

        EngineUnavailable: it cannot be loaded. EngineBusy: somebody has been loading it for long.
        """
        with self._counting:
            self._users += 1
        try:
            yield self._get()
        finally:
            with self._counting:
                self._users -= 1
                self.last_use = time.monotonic()

    def unload(self) -> bool:
        """Forget the model, unless somebody uses it or it is not there; whether that was so."""
        with self._counting:
            if self._users or self.made is None:
                return False
            self.made = None
        logger.info("%s is unloaded", self.name)
        return True

    def _get(self) -> Model:
        made = self.made
        if made is not None:
            return made
        if not self._lock.acquire(timeout=settings.ENGINE_WAIT):
            raise EngineBusy(RETRY_AFTER)
        try:
            if self.error is not None and time.monotonic() - self._failed_at < RETRY_AFTER:
                raise EngineUnavailable(self.error)
            if self.made is None:
                self.made = self._load_now()
            return self.made
        finally:
            self._lock.release()

    def _load_now(self) -> Model:
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
