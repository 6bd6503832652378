"""A known logo is found near where it should be, and taken off exactly; where it is not, nothing is."""

import numpy as np
import pytest
from PIL import Image

from inpainting.engine.crops.boxes import Box
from inpainting.engine.logo import Logo
from inpainting.engine.watermark.shared import fitting
from tests import pictures
from tests.inpainting.saved_marks.logos import decibels, laid, logo, photo

LOGO, PHOTO = logo(), photo()
NEARBY = Box(140, 160, 188, 280)  # while it lies at 150, 170


@pytest.mark.parametrize("opacity", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("known", [True, False], ids=["known opacity", "unknown opacity"])
def test_it_works(opacity: float, known: bool) -> None:
    marked = laid(PHOTO, LOGO, 150, 170, opacity)

    found = fitting.lift(marked, Logo(LOGO, NEARBY, opacity if known else None, 24))

    assert found is not None
    assert decibels(found.restored, PHOTO, 150, 170, LOGO) > 30
    assert (found.restored[~found.touched] == marked[~found.touched]).all()


def test_a_jpeg() -> None:
    file = pictures.file(laid(PHOTO, LOGO, 150, 170, 0.5), "JPEG", quality=85)
    marked = pictures.pixels(file.getvalue())

    found = fitting.lift(marked, Logo(LOGO, NEARBY, None, 24))

    assert found is not None
    assert decibels(found.restored, PHOTO, 150, 170, LOGO) > decibels(marked, PHOTO, 150, 170, LOGO) + 8


def test_another_size_than_expected() -> None:
    larger = np.asarray(Image.fromarray(LOGO).resize((125, 50), Image.Resampling.BILINEAR))
    marked = laid(PHOTO, larger, 150, 170, 0.5)

    found = fitting.lift(marked, Logo(LOGO, NEARBY, None, 24))

    assert found is not None
    assert decibels(found.restored, PHOTO, 150, 170, larger) > decibels(marked, PHOTO, 150, 170, larger) + 8


def test_a_picture_without_it() -> None:
    assert fitting.lift(PHOTO, Logo(LOGO, NEARBY, None, 24)) is None


def test_a_picture_with_another_logo() -> None:
    marked = laid(PHOTO, np.ascontiguousarray(LOGO[:, ::-1]), 150, 170, 0.6)

    assert fitting.lift(marked, Logo(LOGO, NEARBY, None, 24)) is None


def test_a_place_outside_of_the_picture() -> None:
    assert fitting.lift(PHOTO, Logo(LOGO, Box(400, 400, 448, 520), None, 24)) is None
