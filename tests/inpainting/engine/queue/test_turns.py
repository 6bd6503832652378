import threading
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from inpainting.engine.interface import EngineBusy
from inpainting.engine.queue.turns import Turns


def test_it_works() -> None:
    turns = Turns(slots=1, queue=0, wait=1)
    for _ in range(3):
        with turns.take():
            pass


def test_as_many_run_at_once_as_there_are_slots() -> None:
    with ExitStack() as stack:
        turns = Turns(slots=2, queue=0, wait=1)
        stack.enter_context(turns.take())
        stack.enter_context(turns.take())
        with pytest.raises(EngineBusy), turns.take():
            pass


def test_gives_up_waiting() -> None:
    turns = Turns(slots=1, queue=1, wait=0.01)
    with turns.take(), pytest.raises(EngineBusy) as busy, turns.take():
        pass
    assert busy.value.retry_after >= 1
    with turns.take():  # the one who gave up has left the queue
        pass


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns(slots=1, queue=0, wait=1)
    with pytest.raises(ZeroDivisionError), turns.take():
        _ = 1 / 0
    with turns.take():
        pass


def test_who_waits_gets_the_next_turn() -> None:
    turns, done = Turns(slots=1, queue=8, wait=10), []

    def work() -> None:
        with turns.take():
            done.append(threading.get_ident())

    with turns.take():
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8


def test_a_turn_tells_how_long_it_took_without_the_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waiting, taken = [0.0], threading.Event(), []
    monkeypatch.setattr("inpainting.engine.queue.turns.time", SimpleNamespace(monotonic=lambda: now[0]))
    turns = Turns(slots=1, queue=1, wait=60)

    def work() -> None:
        waiting.set()
        with turns.take() as turn:
            now[0] += 3
        taken.append(turn.seconds)

    thread = threading.Thread(target=work)
    with turns.take() as first:
        thread.start()
        waiting.wait(10)
        now[0] += 100
    thread.join()
    assert (first.seconds, taken) == (100, [3])
