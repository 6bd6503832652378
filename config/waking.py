"""Tell workers that there is something to do. Losing a wake-up, or hearing it twice, does no harm: rows say what is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.conf import settings
from django.db import connections

logger = logging.getLogger(__name__)

EXPIRES = 60  # seconds after which nobody needs to hear it: the web processes look for rows more often
LOOK_EVERY = 2.0  # seconds between looks of one that nobody wakes
MOST = 32  # wake-ups at once: each worker that does something wakes another


class Bell:
    """One for each kind of work; `task`: what Celery calls it (config/celery.py)."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._rung = threading.Event()

    def wake(self, workers: int = 1) -> None:
        """Wake this process's own worker, or through the broker so many others. Raises nothing."""
        self.stir()
        if settings.CELERY_BROKER_URL:
            from config.celery import app  # celery is only imported where there is a broker

            try:
                for _ in range(min(workers, MOST)):
                    app.send_task(self._task, expires=EXPIRES, retry=False)
            except Exception:  # every broker has its own
                logger.exception("the broker cannot be reached; work waits until somebody looks for it")

    def stir(self) -> None:
        """Wake this process's own worker."""
        self._rung.set()

    def answer(self, work_next: Callable[[], bool], stopping: threading.Event) -> None:
        """Work one thing after the other until told to stop. `work_next`: whether there was one."""
        while not stopping.is_set():
            try:
                worked = work_next()
            except Exception:
                logger.exception("work failed; it comes back when its lease ends")
                worked = False
            finally:
                connections.close_all()
            if not worked:
                self._rung.wait(LOOK_EVERY)
                self._rung.clear()
