"""How long an answer of a check serves, and who waits for it. The clock is the test's."""

import threading
from types import SimpleNamespace

import pytest

from inpainting import health
from inpainting.health import Check


class Asked:
    """What is checked: counts how often it is asked, and is away when told so."""

    def __init__(self) -> None:
        self.times, self.away = 0, False

    def __call__(self) -> None:
        self.times += 1
        if self.away:
            raise OSError


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def settle(check: Check) -> None:
    """Until a question asked in the background is answered."""
    assert check._asking is not None
    check._asking.result(10)


def test_it_works(now: list[float]) -> None:
    asked = Asked()
    check = Check("disk", asked, lasts=4)

    assert check.passes()
    now[0] += 1
    assert check.passes()
    assert asked.times == 1


def test_an_old_answer_is_renewed_while_it_still_serves(now: list[float]) -> None:
    asked = Asked()
    check = Check("disk", asked, lasts=4)
    check.passes()
    asked.away = True
    now[0] += 3

    check.passes()
    settle(check)
    assert not check.passes()
    assert asked.times == 2


def test_after_a_pause_nobody_is_told_an_old_answer(now: list[float]) -> None:
    asked = Asked()
    check = Check("disk", asked, lasts=4)
    check.passes()
    asked.away = True
    now[0] += 60

    assert not check.passes()


def test_what_comes_back_passes_again(now: list[float]) -> None:
    asked = Asked()
    asked.away = True
    check = Check("disk", asked, lasts=4)
    assert not check.passes()
    asked.away = False
    now[0] += 60

    assert check.passes()


def test_nobody_waits_while_an_old_answer_is_renewed(now: list[float]) -> None:
    """200 clients who send a byte at a time kept the machine so busy that /health took two seconds."""
    answer, asked = threading.Event(), Asked()

    def wait() -> None:
        asked()
        assert asked.times == 1 or answer.wait(10)

    check = Check("disk", wait, lasts=4)
    check.passes()
    now[0] += 4 + health.TIMEOUT / 2

    assert check.passes()  # at once: the clock stands still
    now[0] += health.TIMEOUT
    assert not check.passes()
    answer.set()


def test_no_answer_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "TIMEOUT", 0.01)
    answer = threading.Event()

    def wait() -> None:
        answer.wait(10)

    check = Check("disk", wait, lasts=4)

    assert not check.passes()
    answer.set()
    settle(check)
    assert check.passes()
