"""Threads that do jobs: as many as there are jobs at a time. Of those that are done some stay for later jobs."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Any


class Threads:
    """In each of them torch may keep threads of its own, of the same nice value. They end with the process."""

    def __init__(self, name: str, kept: int, nice: int = 0) -> None:
        """`kept`: how many stay. `nice`: by how much they let others go first, 0 to 19; on Linux, where threads may."""
        self._name, self._kept, self._nice = name, kept, nice
        self._forget()
        os.register_at_fork(after_in_child=self._forget)  # a child has none of its parent's threads

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            start = self._idle == 0
            self._idle -= not start
        self._jobs.put((future, partial(function, *arguments)))
        if start:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Its result or exception, computed by one of them in the caller's context."""
        return self.submit(copy_context().run, function, *arguments).result()

    def shutdown(self, wait: bool = True) -> None:
        """As gunicorn asks for it. There is nothing to do."""

    def _forget(self) -> None:
        self._idle, self._lock = 0, threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()

    def _work(self) -> None:
        if self._nice and sys.platform == "linux":
            me = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, me, os.getpriority(os.PRIO_PROCESS, me) + self._nice)
        stays = True
        while stays:
            future, job = self._jobs.get()
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
                future.set_exception(error)
            del future, job
            with self._lock:
                stays = self._idle < self._kept
                self._idle += stays
