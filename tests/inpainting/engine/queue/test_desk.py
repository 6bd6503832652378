"""A model as the door has it: its state, its turns, its place in memory."""

import pytest
from pytest_django import Settings

from inpainting.engine.interface import EngineBusy, EngineUnavailable
from inpainting.engine.queue.desk import Desk
from inpainting.engine.queue.memory import Memory
from inpainting.engine.registry import Entry


def desk(entry: Entry[str], budget: float = 100) -> Desk[str]:
    return Desk(entry, Memory(lambda: budget))


def entry(name: str = "a") -> Entry[str]:
    return Entry(name, lambda: name, slots=lambda _: 1, megabytes=lambda: 60)


def test_it_works() -> None:
    one = desk(entry())
    assert (one.state, one.model) == ("idle", None)
    with one.turn() as (model, turn):
        assert (model, one.state) == ("a", "ready")
    assert turn.seconds > 0
    assert one.load() == one.model == "a"


def test_the_queue_is_bounded_once_the_model_is_there(settings: Settings) -> None:
    settings.ENGINE_QUEUE, one = 0, desk(entry())
    one.check_room()
    with one.turn():
        with pytest.raises(EngineBusy):
            one.check_room()
        with pytest.raises(EngineBusy), one.turn():
            pass
    one.check_room()


def test_says_that_it_is_loading_and_why_it_failed() -> None:
    states: list[str] = []

    def load() -> str:
        states.append(one.state)
        raise ValueError("no file.")

    one = desk(Entry("x", load, slots=lambda _: 1, megabytes=lambda: 0))
    with pytest.raises(EngineUnavailable):
        one.load()
    assert (states, one.state, one.error) == (["loading"], "failed", "The model x is not available: no file.")


def test_desks_share_the_memory() -> None:
    memory = Memory(lambda: 100)
    first, second = Desk(entry("a"), memory), Desk(entry("b"), memory)
    first.load()
    second.load()
    assert (first.state, second.state) == ("idle", "ready")
    with second.turn():
        first.load()
        assert (first.state, second.state) == ("ready", "ready")
