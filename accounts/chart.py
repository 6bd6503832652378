"""The picture of the last days: where its bars, line and labels stand, for templates/accounts/chart.svg."""

from __future__ import annotations

import math
from dataclasses import dataclass

from accounts.statistics import Day

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 44, 12, 26  # room for the labels
GAP = 0.25  # of a day's width


@dataclass(frozen=True)
class Bar:
    x: float
    width: float
    good_y: float
    good_height: float
    bad_y: float
    bad_height: float
    label: str


@dataclass(frozen=True)
class Label:
    position: float
    left: str
    right: str


@dataclass(frozen=True)
class Chart:
    """In SVG units: bars of requests (scale at the left), a line of mean seconds (scale at the right)."""

    bars: list[Bar]
    lines: list[str]  # points of polylines: a day without successes breaks the line
    points: list[tuple[float, float]]
    rows: list[Label]
    columns: list[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(days: list[Day]) -> Chart:
    most = max(2, _round_up(max(day.total for day in days)))  # half of it is a whole number
    slowest = max((day.seconds or 0.0 for day in days), default=0.0)
    longest = _round_up(slowest) if slowest else 0.0
    step = (WIDTH - LEFT - RIGHT) / len(days)
    height = HEIGHT - TOP - BOTTOM
    floor = HEIGHT - BOTTOM

    def middle(index: int) -> float:
        return round(LEFT + step * (index + 0.5), 1)

    bars = []
    for index, day in enumerate(days):
        good, bad = (round(height * count / most, 1) for count in (day.succeeded, day.failed))
        x = round(LEFT + step * (index + GAP / 2), 1)
        label = f"{day.date:%-d %b}: {day.succeeded} succeeded, {day.failed} failed"
        bars.append(Bar(x, round(step * (1 - GAP), 1), floor - good, good, round(floor - good - bad, 1), bad, label))
    at = {
        index: (middle(index), round(floor - height * day.seconds / longest, 1))
        for index, day in enumerate(days)
        if day.seconds is not None and longest
    }
    rows = [
        Label(round(floor - height * part, 1), _number(most * part), f"{_number(longest * part)} s" if longest else "")
        for part in (0, 0.5, 1)
    ]
    every = math.ceil(len(days) / 7)  # days a label
    columns = [(middle(index), f"{days[index].date:%-d %b}") for index in range(len(days) - 1, -1, -every)]
    return Chart(bars, _polylines(at), list(at.values()), rows, columns)


def _polylines(at: dict[int, tuple[float, float]]) -> list[str]:
    lines: list[list[str]] = []
    previous = None
    for index, (x, y) in at.items():
        if previous != index - 1:
            lines.append([])
        lines[-1].append(f"{x},{y}")
        previous = index
    return [" ".join(line) for line in lines if len(line) > 1]


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 10, 20, 40, ... or 0.1, 0.2, 0.4 (halves of them read well); at least 2 for counts of 0."""
    if value <= 0:
        return 2
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 2, 4, 10) if power * factor >= value)


def _number(value: float) -> str:
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
