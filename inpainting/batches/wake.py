"""Tell workers that there is something to do. Losing a wake-up, or hearing it twice, does no harm: rows say what is."""

from __future__ import annotations

import logging
import threading

from django.conf import settings

logger = logging.getLogger(__name__)

EXPIRES = 60  # seconds after which nobody needs to hear it: the web processes look for rows more often

MOST = 32  # wake-ups at once: each worker that does an item wakes another

_something = threading.Event()


def wake(workers: int = 1) -> None:
    """Wake this process's own worker, or through the broker so many others. Raises nothing."""
    stir()
    if settings.CELERY_BROKER_URL:
        from config.celery import app  # celery is only imported where there is a broker

        try:
            for _ in range(min(workers, MOST)):
                app.send_task("work", expires=EXPIRES, retry=False)
        except Exception:  # every broker has its own
            logger.exception("the broker cannot be reached; items wait until somebody looks for them")


def stir() -> None:
    """Wake this process's own worker."""
    _something.set()


def wait(seconds: float) -> None:
    """Until this process is woken, or so long."""
    _something.wait(seconds)
    _something.clear()
