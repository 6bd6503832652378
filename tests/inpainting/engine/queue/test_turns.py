"""Whose turn it is: round the callers, the patient last, and nobody waits in vain."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inpainting.engine.interface import EngineBusy, TooManyCalls
from inpainting.engine.queue.line import Caller, Line, Turn
from inpainting.engine.queue.turns import LONG, Turns, on_behalf_of

Clock = Callable[[float], None]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Lets so many seconds pass, of a clock that stands still otherwise."""
    now = [0.0]
    monkeypatch.setattr("inpainting.engine.queue.turns.time", SimpleNamespace(monotonic=lambda: now[0]))

    def passed(seconds: float) -> None:
        now[0] += seconds

    return passed


class Crowd:
    """Threads that take a turn each, one after the other in line."""

    def __init__(self, turns: Turns) -> None:
        self.turns, self.done, self.threads = turns, list[str](), list[threading.Thread]()

    def joins(self, name: str, *, patient: bool = False, work: Callable[[str], None] | None = None) -> None:
        line = self.turns._patient if patient else self.turns._waiting
        before = self._length(line)
        work = work or partial(self._work, patient=patient)
        self.threads.append(threading.Thread(target=work, args=(name,)))
        self.threads[-1].start()
        while self._length(line) == before:
            pass

    def _length(self, line: Line) -> int:
        with self.turns._lock:
            return len(line)

    def _work(self, name: str, *, patient: bool) -> None:
        with on_behalf_of(name, patient=patient), self.turns.take():
            self.done.append(name)

    def ends(self) -> str:
        for thread in self.threads:
            thread.join()
        return " ".join(self.done)


def test_it_works() -> None:
    turns = Turns(slots=1, queue=0, wait=1, each=1)
    for _ in range(3):
        with turns.take():
            pass


def test_the_next_turn_goes_round_the_callers() -> None:
    turns = Turns(slots=1, queue=16, wait=60, each=16)
    crowd = Crowd(turns)
    with turns.take():
        for name in ("greedy", "greedy", "greedy", "greedy", "modest", "other", "modest"):
            crowd.joins(name)
    assert crowd.ends() == "greedy modest other greedy modest greedy greedy"


@given(st.lists(st.sampled_from(["join a", "join b", "join c", "leave a", "leave b", "pop", "pop"]), max_size=60))
def test_while_somebody_waits_no_other_caller_has_two_turns(steps: list[str]) -> None:
    """In whatever order they come, come again, queue up and leave."""
    line, waiting = Line(), dict[str, list[Turn]]()
    served: dict[str, list[str]] = {}  # by who waits: whose turns it has seen go before its own
    for step in steps:
        act, _, name = step.partition(" ")
        if act == "join":
            turn = Turn(Caller(name))
            line.join(turn)
            waiting.setdefault(name, []).append(turn)
            served.setdefault(name, [])
        elif act == "leave" and name in waiting:
            line.leave(waiting[name].pop())
        elif act == "pop" and line:
            turn = line.pop()
            name = str(turn.caller.key)
            assert turn is waiting[name].pop(0)
            served[name] = []
            for other in served:
                served[other] += [name] * (other != name)
        waiting = {name: turns for name, turns in waiting.items() if turns}
        served = {name: seen for name, seen in served.items() if name in waiting}
        assert all(len(set(seen)) == len(seen) for seen in served.values())


def test_who_is_patient_lets_everybody_else_go_first() -> None:
    turns = Turns(slots=1, queue=1, wait=60, each=1)
    crowd = Crowd(turns)
    with turns.take():
        for _ in range(3):  # no room in the queue is taken
            crowd.joins("batch", patient=True)
        crowd.joins("quick")
    assert crowd.ends() == "quick batch batch batch"


def test_a_caller_has_only_so_many_calls_inside() -> None:
    turns = Turns(slots=1, queue=16, wait=60, each=2)
    crowd = Crowd(turns)
    with on_behalf_of("greedy"), turns.take():
        crowd.joins("greedy")
        with pytest.raises(TooManyCalls) as refused:
            turns.check_room()
        with pytest.raises(TooManyCalls), turns.take():
            pass
        crowd.joins("modest")
        with on_behalf_of("greedy", patient=True):
            turns.check_room()
    assert refused.value.retry_after >= 1
    assert crowd.ends() == "greedy modest"


def test_who_would_wait_too_long_hears_it_at_once_and_when_to_come_again(passes: Clock) -> None:
    turns = Turns(slots=1, queue=16, wait=200, each=16)
    for _ in range(40):
        with turns.take():
            passes(20)  # seconds that turns take here
    crowd = Crowd(turns)
    with on_behalf_of("greedy"), turns.take():
        for _ in range(3):
            crowd.joins("greedy")
        with pytest.raises(EngineBusy) as refused:  # 10 s of the one that runs, and three of 20 s: over 0.3 of 200
            turns.check_room()
        with on_behalf_of("modest"):
            turns.check_room()  # is the second in line
    assert 40 <= refused.value.retry_after <= 60  # half of them are done then; not all are told the same moment
    assert crowd.ends() == "greedy greedy greedy"


def waits(turns: Turns) -> bool:
    with turns._lock:
        return bool(turns._waiting)


def test_who_was_served_by_one_model_is_let_into_the_line_of_another() -> None:
    detector, inpainter = (Turns(slots=1, queue=0, wait=1, each=1) for _ in range(2))
    done = list[str]()

    def whole_job() -> None:
        with on_behalf_of("alice"):
            with detector.take():
                started.set()
                go_on.wait()
            with inpainter.take():
                done.append("alice")

    started, go_on, thread = threading.Event(), threading.Event(), threading.Thread(target=whole_job)
    thread.start()
    started.wait()
    with on_behalf_of("alice"), inpainter.take():
        go_on.set()
        while not waits(inpainter):
            pass
        with on_behalf_of("bob"), pytest.raises(EngineBusy):
            inpainter.check_room()
    thread.join()
    assert done == ["alice"]


def test_a_new_call_of_who_was_served_is_refused_as_any() -> None:
    turns = Turns(slots=1, queue=0, wait=1, each=1)
    for _ in range(2):
        with on_behalf_of("alice"), turns.take(), on_behalf_of("bob"), pytest.raises(EngineBusy):
            turns.check_room()


def test_who_leaves_the_line_is_not_counted() -> None:
    line, (one, other) = Line(), (Caller("one"), Caller("other"))
    first, second, third = Turn(one), Turn(one), Turn(other)
    for turn in (first, second, third):
        line.join(turn)
    assert (len(line), line.before(one), line.before(other), line.before(Caller("new"))) == (3, 3, 3, 2)
    line.leave(first)
    line.leave(third)
    assert (len(line), line.of(one), line.of(other)) == (1, 1, 0)
    assert line.pop() is second
    assert not line


def test_as_many_run_at_once_as_there_are_slots() -> None:
    with ExitStack() as stack:
        turns = Turns(slots=2, queue=0, wait=1, each=9)
        stack.enter_context(turns.take())
        stack.enter_context(turns.take())
        with pytest.raises(EngineBusy), turns.take():
            pass


def test_gives_up_waiting() -> None:
    turns = Turns(slots=1, queue=1, wait=0.01, each=9)
    for _ in range(40):
        with turns.take():  # so quick that the next one is not refused at once
            pass
    with turns.take(), pytest.raises(EngineBusy) as busy, turns.take():
        pass
    assert busy.value.retry_after >= 1
    with turns.take():  # the one who gave up has left the queue
        pass


def test_a_long_turn_gives_way_between_its_parts_and_tells_its_own_time(passes: Clock) -> None:
    turns, taken = Turns(slots=1, queue=16, wait=60, each=16), list[float]()
    crowd = Crowd(turns)

    def long(name: str, *, patient: bool = False) -> None:
        with on_behalf_of(name, patient=patient), turns.take() as turn:
            for part in range(3):
                turn.give_way()
                crowd.done.append(f"{name}{part}")
                passes(LONG)
        taken.append(turn.seconds)

    with turns.take():
        for name in ("greedy", "other"):
            crowd.joins(name, work=long)
        crowd.joins("batch", work=partial(long, patient=True), patient=True)
        crowd.joins("modest")
    assert crowd.ends() == "greedy0 other0 modest greedy1 other1 greedy2 other2 batch0 batch1 batch2"
    assert taken == [3 * LONG] * 3


def test_who_is_patient_gives_way_to_others_until_nobody_waits(passes: Clock) -> None:
    turns = Turns(slots=1, queue=16, wait=60, each=16)
    crowd = Crowd(turns)
    with on_behalf_of("batch", patient=True), turns.take() as turn:
        turn.give_way()
        for name in ("quick", "quick", "late"):
            crowd.joins(name)
        turn.give_way()  # not yet
        assert crowd.done == []
        passes(LONG)
        turn.give_way()
        assert crowd.ends() == "quick late quick"


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns(slots=1, queue=0, wait=1, each=9)
    with pytest.raises(ZeroDivisionError), turns.take():
        _ = 1 / 0
    with turns.take():
        pass


def test_who_waits_gets_the_next_turn() -> None:
    turns, done = Turns(slots=1, queue=8, wait=60, each=9), []

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
    turns = Turns(slots=1, queue=1, wait=60, each=9)

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
