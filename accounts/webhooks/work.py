"""Threads that send what is due, until they are told to stop."""

from __future__ import annotations

import threading

from accounts.webhooks import deliveries
from accounts.webhooks.wake import bell

THREADS = 4  # an address may hang for 20 seconds


class Sender:
    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=bell.answer, args=[deliveries.work_next, self._stopping], name=f"webhooks-{number}", daemon=True
            )
            for number in range(THREADS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more. What is cut off is sent again when its lease ends."""
        self._stopping.set()
        bell.stir()
