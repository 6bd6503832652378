"""Requests that wait together are computed together. Forced on the CPU here, with real networks; meant for GPUs."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from inpainting.engine.inpainters.lama import inpainter as predictor
from inpainting.engine.inpainters.lama.inpainter import LamaInpainter
from inpainting.engine.inpainters.lama.network import Lama
from inpainting.engine.queue.batches import Batches


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    results: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        try:
            results[index] = calls[index]()
        except Exception as error:  # noqa: BLE001 - handed to the test
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_it_works() -> None:
    sizes = []

    def double(numbers: list[int]) -> list[int]:
        sizes.append(len(numbers))
        return [2 * number for number in numbers]

    batches = Batches(double, most=4, wait=60)  # so long that a batch which is not full would be noticed
    assert at_once([partial(batches, "same", n) for n in range(8)]) == [2 * n for n in range(8)]
    assert sizes == [4, 4]


def test_only_equals_are_put_together() -> None:
    kinds = []

    def note(arguments: list[str]) -> list[str]:
        kinds.append(set(arguments))
        return arguments

    batches = Batches(note, most=8, wait=0.05)
    at_once([partial(batches, kind, kind) for kind in "aabbcc"])
    assert all(len(kind) == 1 for kind in kinds)


def test_nobody_waits_for_ever() -> None:
    assert Batches(lambda arguments: arguments, most=8, wait=0.01)("kind", 5) == 5


def test_an_error_reaches_everybody_and_the_next_batch_works() -> None:
    batches = Batches(lambda numbers: [1 // number for number in numbers], most=2, wait=60)
    assert [type(error) for error in at_once([lambda: batches("k", 0)] * 2)] == [ZeroDivisionError] * 2
    assert at_once([lambda: batches("k", 1)] * 2) == [1, 1]


def test_a_batch_gives_what_its_requests_would_get_alone(
    small_lama: Lama, scene: Callable[[int, int], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictor, "BATCH_WAIT", 60)
    alone, together = (LamaInpainter(small_lama, "small", batch=batch) for batch in (1, 4))
    jobs = []
    for index in range(4):
        hole = np.zeros((96, 96), bool)
        hole[20 + index : 40, 30 : 50 + index] = True
        jobs.append((np.roll(scene(96, 96), index, axis=1), hole))
    sizes, network = [], together._network

    def counted(x: Any) -> Any:
        sizes.append(len(x))
        return network(x)

    monkeypatch.setattr(together, "_network", counted)
    made = at_once([partial(together.fill, *job) for job in jobs])
    assert sizes == [4]
    for one, job in zip(made, jobs, strict=True):
        assert np.abs(one.astype(int) - alone.fill(*job)).max() <= 1  # rounding may differ with the batch's size
