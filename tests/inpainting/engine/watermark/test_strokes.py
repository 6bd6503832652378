"""Which strokes make one mark."""

import numpy as np
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import Box
from inpainting.engine.watermark import strokes

SHAPE = 120, 240
Plane = NDArray[np.float32]


def plane(*boxes: tuple[int, int, int, int], value: float = 1.0) -> Plane:
    """`value` in those boxes (left, top, right, bottom), 0 elsewhere."""
    drawn = np.zeros(SHAPE, np.float32)
    for left, top, right, bottom in boxes:
        drawn[top:bottom, left:right] = value
    return drawn


def boxes(*planes: Plane, likely: Plane | None = None) -> list[Box]:
    """Of the groups; the planes are opacities, each of other strokes."""
    opacity: Plane = np.sum(np.stack(planes), 0, dtype=np.float32)
    return sorted(box for box, _ in strokes.groups((opacity if likely is None else likely) > 0, opacity))


WORD = [(left, 40, left + 10, 60) for left in (40, 54, 68, 82)]


def test_it_works() -> None:
    assert boxes(plane(*WORD, value=0.5)) == [Box(40, 40, 60, 92)]


def test_what_is_far_away_is_another_mark() -> None:
    assert boxes(plane(*WORD, (180, 40, 190, 60), value=0.5)) == [Box(40, 40, 60, 92), Box(40, 180, 60, 190)]


def test_texture_of_another_opacity_beside_a_word_is_no_part_of_it() -> None:
    assert len(boxes(plane(*WORD, value=0.8), plane((98, 30, 140, 90), value=0.3))) == 2


def test_an_opaque_logo_that_almost_touches_its_word_belongs_to_it() -> None:
    assert len(boxes(plane(*WORD, value=0.6), plane((94, 36, 120, 64), value=0.9))) == 1


def test_slanting_words_whose_boxes_overlap_are_two_marks() -> None:
    likely = np.zeros(SHAPE, np.float32)
    for row in range(100):
        likely[row, row : row + 6] = likely[row, row + 80 : row + 86] = 0.5

    assert len(boxes(likely)) == 2


def test_noise_is_left_out() -> None:
    assert not boxes(plane((10, 10, 13, 13)))
    assert not boxes(plane())


def test_a_group_tells_which_pixels_are_its_own() -> None:
    opacity = plane(*WORD, value=0.5)
    ((box, inside),) = strokes.groups(opacity > 0, opacity)

    np.testing.assert_array_equal(inside, opacity[box.slices] > 0)


def test_no_more_strokes_are_looked_at_than_can_be_compared() -> None:
    likely = np.zeros((400, 400), bool)
    for top in range(0, 396, 8):
        for left in range(0, 396, 8):
            likely[top : top + 4, left : left + 4] = True
    inside = sum(int(part.sum()) for _, part in strokes.groups(likely, likely.astype(np.float32)))

    assert inside == 16 * strokes.MOST


def rest(sure: Plane, faint: Plane) -> Plane:
    """The mark of the sure pixels with the rest of its line, (H, W) of 0 and 1."""
    rows, columns = np.flatnonzero(sure.any(1)), np.flatnonzero(sure.any(0))
    box = Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    whole, inside = strokes.rest_of_line(box, sure[box.slices] > 0, np.maximum(sure, faint))
    drawn = np.zeros(sure.shape, np.float32)
    drawn[whole.slices] = inside
    return drawn


def test_fainter_letters_of_a_line_come_along_one_after_the_other() -> None:
    faint = plane((96, 40, 106, 60), (120, 40, 130, 60), (145, 40, 155, 60), value=0.2)

    np.testing.assert_array_equal(rest(plane(*WORD), faint), (plane(*WORD) + faint) > 0)


def test_an_upright_line_does_as_well() -> None:
    word, faint = plane(*WORD), plane((100, 40, 110, 60), (20, 40, 30, 60), value=0.2)

    np.testing.assert_array_equal(rest(word.T, faint.T).T, rest(word, faint))
    assert rest(word, faint)[50, 25]


def test_faint_pixels_between_the_letters_of_a_sure_word_stay_the_picture() -> None:
    np.testing.assert_array_equal(rest(plane(*WORD), plane((40, 38, 92, 62), value=0.5)), plane(*WORD))


def test_another_line_and_what_is_far_along_the_line_do_not() -> None:
    faint = plane((40, 80, 92, 100), (200, 40, 230, 60), value=0.5)

    np.testing.assert_array_equal(rest(plane(*WORD), faint), plane(*WORD))


def test_what_is_no_line_stays_as_it_is() -> None:
    np.testing.assert_array_equal(
        rest(plane((40, 40, 60, 60)), plane((66, 40, 90, 60), value=0.5)), plane((40, 40, 60, 60))
    )
