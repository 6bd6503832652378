"""Threads that send what is due, until they are told to stop."""

from __future__ import annotations

import logging
import threading

from django.db import connections

from accounts.webhooks import deliveries
from accounts.webhooks.wake import bell

logger = logging.getLogger(__name__)

THREADS = 4  # an address may hang for 20 seconds
LOOK_EVERY = 2.0  # seconds between looks of one that nobody wakes


class Sender:
    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True) for number in range(THREADS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more. What is cut off is sent again when its lease ends."""
        self._stopping.set()
        bell.stir()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                worked = deliveries.work_next()
            except Exception:
                logger.exception("a delivery failed; it comes back when its lease ends")
                worked = False
            finally:
                connections.close_all()
            if not worked:
                bell.wait(LOOK_EVERY)
