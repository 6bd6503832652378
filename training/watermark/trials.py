"""What a watermark network is judged on: marks in held-out fonts and logos on held-out pictures, and no marks at all.

Every other picture is for choosing thresholds, the ones between them (`odd`) for the tables.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy import bool_
from numpy.typing import NDArray
from PIL import Image

from training.data.examples import blobs, by_hand
from training.data.marks.draw import Marks
from training.data.marks.mark import Mark, Style
from training.data.pack import Picture, Pictures
from training.data.signs.boards import lettering

BANDS = ((0.1, 0.25), (0.25, 0.4), (0.4, 0.6), (0.6, 0.9), (1.0, 1.0))  # opacities: a row of the table each
SIDE = 512  # pixels: the longer side of the pictures that are judged, at most
LARGE = 1024  # the same, for those as large as the set has them (build_training_set --side)
QUALITY = 90  # of the JPEG that marked and clean pictures have been through
MARKED = 15  # pictures for each band, at most


@dataclass(frozen=True)
class Trial:
    clean: Picture
    marked: Picture  # the picture as it is given to the detector
    mark: Mark
    drawn: NDArray[bool_]  # (H, W): a mask as a user draws it over the mark


def pictures(data: Path, odd: bool, side: int = SIDE) -> Iterator[tuple[int, Picture]]:
    """Every second held-out picture, at most `side` pixels wide and high, with its number."""
    held_out = Pictures(data, "held-out")
    for number in range(int(odd), len(held_out), 2):
        yield number, sized(held_out[number], side)


def sized(picture: Picture, side: int) -> Picture:
    """At most `side` pixels wide and high."""
    image = Image.fromarray(picture)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def clean(data: Path, odd: bool, side: int = SIDE) -> Iterator[Picture]:
    return (jpeg(picture) for _, picture in pictures(data, odd, side))


def is_kept(number: int) -> bool:
    """Whether thresholds are chosen on that training picture: every fifth, from which the verdict is not learned."""
    return number % 5 == 0


def kept(data: Path) -> Iterator[tuple[int, Picture]]:
    """Those pictures, clean, with a number: at most SIDE pixels wide and high, and larger ones at most LARGE too."""
    train = Pictures(data, "train")
    for number in filter(is_kept, range(len(train))):
        yield 2 * number, sized(train[number], SIDE)
        if max(train[number].shape) > SIDE:
            yield 2 * number + 1, sized(train[number], LARGE)


def unmarked(some: Iterable[tuple[int, Picture]]) -> Iterator[tuple[Picture, NDArray[bool_]]]:
    """Clean pictures with a mask over anything, as for taking away an object."""
    for number, picture in some:
        rng = np.random.default_rng([6, number])
        yield jpeg(picture), by_hand(blobs(rng, *picture.shape[:2]), rng) > 0


def lettered(data: Path, side: int = SIDE) -> Iterator[Picture]:
    """Pictures with signs, labels and lines of text that belong there, in held-out fonts."""
    marks = Marks(data, "held-out")
    for number, picture in pictures(data, True, side):
        yield jpeg(lettering(picture, marks.letters, np.random.default_rng([3, number])))


def plain(band: tuple[float, float]) -> Style:
    """Single texts and logos, and tiled ones, of that opacity."""
    return Style(opacity=band, opaque=0, height=(0.04, 0.3))


def mixed(band: tuple[float, float]) -> Style:
    """The same, and as many marks that are put together as publishers' are; a few of those are opaque."""
    return replace(plain(band), composite=0.5)


def trials(data: Path, style: Style, odd: bool, most: int = MARKED, side: int = SIDE) -> Iterator[Trial]:
    """The same marks on the same pictures each time."""
    marks = Marks(data, "held-out")
    made = 0
    for number, picture in pictures(data, odd, side):
        if made == most:
            return
        mark = marks.draw(np.random.default_rng([4, number]), picture.shape[0], picture.shape[1], style)
        if mark.truth(picture)[0].any():
            made += 1
            drawn = by_hand((mark.opacity > 0.02).astype(np.uint8), np.random.default_rng([5, number])) > 0
            drawn[0, 0] = False  # nothing could be repainted if a mask covered everything
            yield Trial(picture, jpeg(mark.over(picture)), mark, drawn)


def jpeg(picture: Picture) -> Picture:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])
