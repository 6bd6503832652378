"""Text on a bar along the top or bottom of a picture comes off to the bar's colour, if it is a mark."""

import cv2
import numpy as np
import pytest

from inpainting.engine.crops.boxes import Box
from inpainting.engine.interface import Detection
from inpainting.engine.watermark.bars import apart, bars, wiped
from inpainting.engine.watermark.components import Decision, LogisticModel, Mark, Thresholds, confidence
from inpainting.engine.watermark.pyramid import Prediction
from tests.pictures import photo

LIMITS = Thresholds(0.8, 2.5, 0.8, 0.8, LogisticModel(0, {}), LogisticModel(0, {}))
THICK = 24  # pixels
NOTHING = Decision(None, [], [])


def barred(text: str = "2014-05-12 AM", colour: int = 0) -> np.ndarray:
    """A photograph with a bar at its bottom, and what is written there."""
    picture = photo(400, 300).clip(60, 200)
    picture[-THICK:] = colour
    return cv2.putText(picture, text, (10, 294), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255 - colour,) * 3, 1, cv2.LINE_AA)


def mark_at(box: Box, log_odds: float) -> Mark:
    return Mark(box, np.ones((box.height, box.width), bool), confidence(log_odds))


ON_BAR, BESIDE = Box(282, 10, 294, 60), Box(100, 100, 140, 200)


def test_it_works() -> None:
    picture = barred()
    prediction = Prediction.nothing(picture)
    nothing = np.zeros(picture.shape[:2], bool)
    lettered = bars(picture)

    decision, marks = apart(Decision(None, [mark_at(ON_BAR, 3.0)], []), lettered, LIMITS)
    clean = Detection(prediction.probability, prediction.opacity, nothing, picture, nothing, [])
    result = wiped(clean, lettered, marks)

    assert not decision.marks  # what the network saw of the text is a part of all of it
    assert (result.restored[-THICK:] == 0).all()
    np.testing.assert_array_equal(result.restored[:-THICK], picture[:-THICK])
    assert result.boxes[0].y >= 300 - THICK
    assert result.boxes[0].width > 100


@pytest.mark.parametrize(
    ("decision", "is_mark"),
    [
        (NOTHING, False),
        (Decision(None, [mark_at(BESIDE, 3.0)], []), True),
        (Decision(None, [], [mark_at(ON_BAR, 1.0)]), True),
        (Decision(None, [], [mark_at(ON_BAR, 0.5)]), False),
        (Decision(None, [], [mark_at(BESIDE, 1.0)]), False),
    ],
)
def test_text_on_a_bar_is_a_mark_beside_another_or_if_it_is_likely(decision: Decision, is_mark: bool) -> None:
    assert bool(apart(decision, bars(barred()), LIMITS)[1]) == is_mark


def test_marks_beside_a_bar_stay() -> None:
    beside = mark_at(BESIDE, 3.0)

    assert apart(Decision(None, [beside], []), bars(barred()), LIMITS)[0].marks == [beside]


def test_a_bar_at_the_top_is_one_too() -> None:
    (lettered,) = bars(barred()[::-1])

    assert lettered.area[0].all()
    assert not lettered.area[THICK + 1].any()


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (39, 20), (40, 3)])
def test_any_size(size: tuple[int, int]) -> None:
    assert not bars(np.zeros((*size, 3), np.uint8))


def test_no_text_is_no_matter() -> None:
    assert not bars(barred(""))


def test_a_margin_that_text_of_the_page_lies_in_is_no_bar() -> None:
    page = np.full((300, 400, 3), 255, np.uint8)
    for row in range(20, 300, 20):
        cv2.putText(page, "a line of the page", (20, row), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1)

    assert not bars(page)


def test_a_logo_that_is_half_on_the_bar_is_left_whole() -> None:
    picture = barred()
    cv2.ellipse(picture, (320, 300 - THICK), (50, 15), 0, 0, 360, (0, 0, 0), -1)
    cv2.ellipse(picture, (320, 300 - THICK), (50, 15), 0, 0, 360, (0, 200, 0), 2)

    (lettered,) = bars(picture)

    assert lettered.mark[:, :150].any()
    assert not lettered.mark[:, 260:].any()
