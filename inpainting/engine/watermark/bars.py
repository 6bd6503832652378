"""Text on a bar along the top or bottom of a picture: date, camera, agency. What is below it is the bar.

The network knows text that lies over a picture. In a bar it sees some of the letters, and takes what it computes below
them from the picture beside the bar. But all that is not of the bar's one colour is on it, and that colour is below.
"""

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy import bool_, float32, uint8
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import Box, tight_boxes
from inpainting.engine.interface import Detection, Hole, Picture
from inpainting.engine.watermark.components import Decision, Mark, Thresholds, confidence
from inpainting.engine.watermark.restoring import found

THINNEST, THICKEST = 8, 0.2  # pixels, and share of the picture's height
TOLERANCE = 10  # levels of 255, per channel: within them a pixel is of the bar's colour, JPEG's noise around text too
MOSTLY, HARDLY = 0.5, 0.3  # share of a row's pixels of that colour: in the bar at least, right beside it at most
BESIDE = 4  # rows beside the bar
SMALLEST, FEWEST = 5, 3  # pixels high, and how many of them: letters
EDGE = 2  # rows at the bar's inner edge that JPEG mixes with the picture
RIM = 2  # pixels around letters that JPEG has spoilt
WIDE, WIDEST = 2, 12  # of the bar's thickness: what may be a logo that goes beyond its inner edge; what is no letter


class Bar(NamedTuple):
    """A bar with something on it."""

    area: Hole  # (H, W): the bar
    mark: Hole  # (H, W): what is on it
    colour: NDArray[uint8]  # (3,)


def bars(picture: Picture) -> list[Bar]:
    """The bars with text along the top and the bottom of a picture (H, W, 3)."""
    top, bottom = _at_top(picture), _at_top(picture[::-1])
    turned = bottom and Bar(bottom.area[::-1], bottom.mark[::-1], bottom.colour)
    return [bar for bar in (top, turned) if bar]


def apart(decision: Decision, lettered: list[Bar], limits: Thresholds) -> tuple[Decision, list[Mark]]:
    """The decision without what is on bars, and all that is on them, if it is a mark: as sure as the surest there is.

    It is one if anything in the picture is, or something on a bar is likely to be.
    """
    beside, on_bars = _divided(decision.marks, lettered)
    others, proposed = _divided(decision.proposals, lettered)
    sure = max((mark.confidence for mark in [*beside, *on_bars, *proposed]), default=0.0)
    if sure < confidence(limits.likely):
        return decision, []
    boxes = [(bar, box) for bar in lettered for box in tight_boxes(bar.mark, Box(0, 0, *bar.mark.shape))]
    marks = [Mark(box, bar.mark[box.slices], sure) for bar, box in boxes]
    return decision._replace(marks=beside, proposals=others), marks


def wiped(detection: Detection, lettered: list[Bar], marks: list[Mark]) -> Detection:
    """With the marks on those bars: below them is the bar."""
    area, mask = (np.logical_or.reduce([getattr(bar, name) for bar in lettered]) for name in ("area", "mark"))
    restored = detection.restored.copy()
    for bar in lettered:
        restored[bar.mark] = bar.colour
    return replace(
        detection,
        probability=np.where(mask, float32(1), detection.probability),
        opacity=np.where(mask, float32(1), detection.opacity),
        mask=detection.mask | mask,
        restored=restored,
        touched=detection.touched | mask,
        boxes=sorted([*detection.boxes, *map(found, marks)], key=lambda box: -box.score),
        bars=area,
    )


def _divided(marks: list[Mark], lettered: list[Bar]) -> tuple[list[Mark], list[Mark]]:
    """Those that lie beside bars, and those on them."""
    on_bars = [any(bar.area[mark.box.slices][mark.inside].mean() > MOSTLY for bar in lettered) for mark in marks]
    pairs = list(zip(marks, on_bars, strict=True))
    return [mark for mark, on_bar in pairs if not on_bar], [mark for mark, on_bar in pairs if on_bar]


def _at_top(picture: Picture) -> Bar | None:
    height, width = picture.shape[:2]
    most = int(THICKEST * height)
    if most < THINNEST:
        return None
    colour = np.median(picture[:THINNEST].reshape(-1, 3), 0)
    near = np.ascontiguousarray(picture[: 3 * most])
    alike = np.asarray(cv2.inRange(near, np.floor(colour) - TOLERANCE, np.ceil(colour) + TOLERANCE) > 0)
    shares = alike.mean(1)
    thick = int(np.argmin(np.r_[shares >= MOSTLY, False]))
    if not THINNEST <= thick <= most or shares[thick : thick + BESIDE].max(initial=0.0) > HARDLY:
        return None
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~alike[: thick - EDGE]).astype(uint8), connectivity=8)
    wide, tall = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    inside = (stats[:, cv2.CC_STAT_TOP] + tall < thick - EDGE) | (wide <= WIDEST * thick)
    inside[0] = False
    for number in np.flatnonzero(inside & (wide > WIDE * thick)).tolist():
        columns = slice(stats[number, cv2.CC_STAT_LEFT], stats[number, cv2.CC_STAT_LEFT] + wide[number])
        inside[number] = not _bulges(alike[thick + EDGE : 3 * thick, columns])
    if (inside & (tall >= SMALLEST)).sum() < FEWEST:
        return None
    area, mark = np.zeros((2, height, width), bool_)
    area[:thick] = True
    mark[:thick] = _widened(np.pad(inside[labels], ((0, EDGE), (0, 0))), RIM)
    return Bar(area, mark, colour.astype(uint8))


def _bulges(alike: Hole) -> bool:
    """Whether something on a bar goes on beyond it, (h, w), by what there is of the bar's colour: a logo that is half
    on the bar, and would be cut in half."""
    columns = np.flatnonzero(alike[0])
    return bool(columns.size and columns[-1] - columns[0] >= MOSTLY * alike.shape[1] and not alike[-1].any())


def _widened(area: Hole, reach: int) -> Hole:
    return np.asarray(cv2.dilate(area.astype(uint8), np.ones((2 * reach + 1, 2 * reach + 1), uint8)) > 0)
