"""Boxes around the parts of a hole."""

import numpy as np
from hypothesis import given

from inpainting.engine.crops.boxes import CELL, MOST_PARTS, Box, parts
from inpainting.engine.interface import Hole
from tests.inpainting.engine.crops.holes import holes


def test_it_works() -> None:
    hole = np.zeros((200, 300), bool)
    hole[10:20, 30:41] = hole[150:151, 200:300] = True
    assert parts(hole) == [(10, 30, 20, 41), (150, 200, 151, 300)]


def test_no_hole_has_no_parts() -> None:
    assert parts(np.zeros((50, 50), bool)) == []


def test_what_is_near_is_one_part() -> None:
    hole = np.zeros((100, 100), bool)
    hole[10, 10] = hole[10, 10 + CELL] = hole[90, 90] = True
    assert parts(hole) == [(10, 10, 11, 11 + CELL), (90, 90, 91, 91)]


@given(holes())
def test_every_pixel_of_a_hole_is_in_a_part_that_is_tight(hole: Hole) -> None:
    left, found = hole.copy(), parts(hole)
    for box in found:
        inside = hole[box.slices]
        assert inside[[0, -1]].any(1).all()
        assert inside[:, [0, -1]].any(0).all()
        left[box.slices] = False
    assert not left.any()
    assert len(found) <= MOST_PARTS


def test_a_box_around_boxes_and_moved() -> None:
    box = Box.around((Box(1, 2, 3, 4), Box(5, 0, 6, 3)))
    assert (box, box.height, box.width, box.area) == ((1, 0, 6, 4), 5, 4, 20)
    assert box.moved(10, 20) == (11, 20, 16, 24)
