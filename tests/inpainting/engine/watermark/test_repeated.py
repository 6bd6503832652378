"""Fainter copies of a mark that was found are found by its pattern, and taken off as well."""

import cv2
import numpy as np
import pytest
import torch

from inpainting.engine.interface import Picture
from inpainting.engine.watermark.network import NetworkOutput
from tests.inpainting.engine.watermark.test_detector import detector, grey

SIZE = 240, 480
SEEN, MISSED = (30, 40), (150, 260)  # rows and columns: too few for a lattice
RED = np.array([127, 0, 0], np.uint8)  # half as opaque as pure red
DARK = 100  # rows, below which the picture is darker


class Hesitant(torch.nn.Module):
    """Stands in for a trained network that has to be told of marks on a darker ground. Marks are red, half opaque."""

    def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
        is_red = picture[:, :1] - picture[:, 1:2] > 0.3
        red = (is_red & ((picture[:, 1:2] > 0.15) | (hints[:, -1:] > 0.5))).float()
        colour = torch.cat([red, 0 * red, 0 * red], 1)
        return NetworkOutput(20 * red - 10, 0.5 * red, colour, torch.zeros_like(picture), 0 * red)


def word(place: tuple[int, int], text: str = "SAMPLE") -> np.ndarray:
    """(H, W) bool: large letters whose upper left corner is there."""
    canvas = np.zeros(SIZE, np.uint8)
    cv2.putText(canvas, text, (place[1], place[0] + 40), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255, 6)
    return canvas > 0


def stamped(*marks: np.ndarray) -> Picture:
    """Two greys with red marks."""
    picture = grey(*SIZE)
    picture[DARK:] = 60
    for mark in marks:
        picture[mark] = picture[mark] // 2 + RED
    return picture


def test_a_copy_that_was_missed_is_taken_off_with_the_mark() -> None:
    seen, missed = word(SEEN), word(MISSED)
    picture = stamped(seen, missed)
    detection = detector(Hesitant()).detect(picture)
    np.testing.assert_array_equal(detection.mask, seen | missed)
    np.testing.assert_allclose(detection.restored, stamped(), atol=2)
    assert {box.score for box in detection.boxes} == {detection.boxes[0].score}


def test_so_is_one_that_the_border_cuts() -> None:
    seen, cut = word(SEEN), word((150, 350))
    np.testing.assert_array_equal(detector(Hesitant()).detect(stamped(seen, cut)).mask, seen | cut)


@pytest.mark.parametrize("other", ["RECTOR", "HJKQXZ"])
def test_another_word_is_no_copy(other: str) -> None:
    seen = word(SEEN)
    detection = detector(Hesitant()).detect(stamped(seen, word(MISSED, other)))
    np.testing.assert_array_equal(detection.mask, seen)


def test_a_missed_mark_alone_has_nothing_to_be_a_copy_of() -> None:
    picture = stamped(word(MISSED))
    np.testing.assert_array_equal(detector(Hesitant()).detect(picture).restored, picture)


def test_a_mark_as_large_as_the_picture_has_no_copies() -> None:
    large = word((5, 5))[:60, :220]
    picture = grey(60, 220)
    picture[large] = picture[large] // 2 + RED
    np.testing.assert_array_equal(detector(Hesitant()).detect(picture).mask, large)


def test_copies_in_a_large_picture_are_found_at_a_smaller_size() -> None:
    seen, missed = (np.kron(word(place), np.ones((5, 5), bool)) for place in (SEEN, MISSED))
    picture = np.kron(stamped(), np.ones((5, 5, 1), np.uint8))
    for mark in (seen, missed):
        picture[mark] = picture[mark] // 2 + RED
    np.testing.assert_array_equal(detector(Hesitant()).detect(picture).mask, seen | missed)
