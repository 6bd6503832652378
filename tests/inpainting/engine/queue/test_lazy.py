"""A model is loaded once, by whoever needs it first, and unloaded only while nobody uses it."""

import threading
from collections.abc import Callable

import pytest
from pytest_django import Settings

from inpainting.engine.interface import EngineBusy, EngineUnavailable
from inpainting.engine.queue.lazy import Lazy


def counted() -> tuple[list[int], Callable[[], str]]:
    """A loader, and a list that grows with each of its calls."""
    loads: list[int] = []

    def load() -> str:
        loads.append(1)
        return "a model"

    return loads, load


def test_it_works() -> None:
    loads, load = counted()
    lazy = Lazy("model", load)
    assert lazy.made is None
    for _ in range(3):
        with lazy.use() as model:
            assert model == "a model"
    assert loads == [1]


def test_many_threads_load_it_once() -> None:
    loads, load = counted()
    lazy = Lazy("model", load)

    def use() -> None:
        with lazy.use():
            pass

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]


def test_waits_for_a_slow_load_only_so_long(settings: Settings) -> None:
    loading, go_on = threading.Event(), threading.Event()

    def load() -> str:
        loading.set()
        go_on.wait(10)
        return "a model"

    def use() -> None:
        with lazy.use():
            pass

    settings.ENGINE_WAIT, lazy = 0.01, Lazy("model", load)
    thread = threading.Thread(target=use)
    thread.start()
    loading.wait(10)
    assert lazy.loading
    with pytest.raises(EngineBusy), lazy.use():
        pass
    go_on.set()
    thread.join()
    assert (lazy.made, lazy.loading) == ("a model", False)


def test_a_failure_is_remembered_for_a_while_and_then_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = iter([ValueError("no file."), None])

    def load() -> str:
        if error := next(outcomes):
            raise error
        return "a model"

    lazy = Lazy("x", load)
    for _ in range(2):
        with pytest.raises(EngineUnavailable, match=r"The model x is not available: no file\."), lazy.use():
            pass
    monkeypatch.setattr("inpainting.engine.queue.lazy.RETRY_AFTER", 0)
    with lazy.use() as model:
        assert model == "a model"
    assert lazy.error is None


def test_is_unloaded_when_nobody_uses_it_and_loaded_again() -> None:
    lazy = Lazy("model", object)
    assert not lazy.unload()
    with lazy.use() as first:
        assert not lazy.unload()
        with lazy.use():
            pass
        assert not lazy.unload()
    assert lazy.unload()
    assert lazy.made is None
    with lazy.use() as again:
        assert again is not first
