"""Further copies of a mark that was found: fainter ones, or over ground that hides them from the network.

What was computed away is the mark's own pattern. Where the picture shows the same pattern again, by normalised
cross-correlation (Lewis, Fast Normalized Cross-Correlation, 1995), the network looks once more and is told so.
"""

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy import bool_, float32, uint8
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import Box
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.watermark.components import Decision, Mark, Thresholds, decide, together
from inpainting.engine.watermark.pyramid import Prediction
from inpainting.engine.watermark.restoring import merge

SIDE = 1024  # pixels: in larger pictures copies are looked for at a smaller size
MOST, LEAST = 6, 300  # marks whose copies are looked for, the largest; and pixels of one: fewer are found anywhere
SMOOTH = 6.0  # standard deviation in pixels: what is smoother belongs to the picture
RIM = 4  # pixels around a mark that belong to its pattern
ALIKE = 0.3  # correlation with the pattern: 0.3 to 0.9 at copies on real pictures, at most 0.26 elsewhere
APART = 7.0  # the same in (robust) standard deviations of all correlations: 8 to 25 at copies, at most 6 elsewhere
STRONG = 0.5  # of what the mark changed is there again, at least: other letters have 0.4 in common with it
FEW = 40  # copies of one mark that are looked at
MARKED = 0.3  # share of a copy: with more of it marked already it is no further one
AROUND = 6  # pixels around a copy in which the network is told that something is

Look = Callable[[Hole], Prediction]  # at the picture, with a hint where to


def with_copies(
    picture: Picture, prediction: Prediction, decision: Decision, look: Look, limits: Thresholds
) -> tuple[Prediction, Decision]:
    """What is seen of a picture (H, W, 3), and decided, with further copies of its marks, as sure as the surest."""
    marked = together(decision.marks, picture.shape[:2])
    hint = _hint(picture, merge(picture, prediction.below, marked), marked, decision.marks)
    if not hint.any():
        return prediction, decision
    seen = look(hint)
    sure = max(mark.confidence for mark in decision.marks)
    copies = [mark._replace(confidence=sure) for mark in decide(seen, None, hint, "all", limits).marks]
    proposals = [one for one in decision.proposals if not (one.inside & hint[one.box.slices]).any()]
    merged = {
        name: np.where(hint if plane.ndim == 2 else hint[..., None], getattr(seen, name), plane)
        for name, plane in prediction._asdict().items()
    }
    return Prediction(**merged), Decision(None, [*decision.marks, *copies], proposals)


def _hint(picture: Picture, restored: Picture, marked: Hole, marks: list[Mark]) -> Hole:
    """(H, W): where further copies are, and a little around them."""
    height, width = marked.shape
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(scale * width)), max(1, round(scale * height))
    small, below = (
        np.asarray(cv2.resize(one, size, interpolation=cv2.INTER_AREA), float32) for one in (picture, restored)
    )
    change = small - below
    known = cv2.resize(marked.astype(uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    hint = np.zeros(known.shape, uint8)
    for mark in sorted(marks, key=lambda mark: -int(mark.inside.sum()))[:MOST]:
        box = Box(*(round(scale * side) for side in mark.box))
        room = min(known.shape[0] - box.height, known.shape[1] - box.width)
        if int(mark.inside.sum()) * scale**2 < LEAST or room < 2 * RIM:
            continue
        shape = np.asarray(
            cv2.resize(mark.inside.astype(uint8), (box.width, box.height), interpolation=cv2.INTER_NEAREST), uint8
        )
        colour = _colour(change[box.slices][shape > 0])
        for down, right in _places(_fine(small @ colour), _fine(change @ colour), box, shape):
            stamp = _stamped(known.shape, shape, down, right)
            if stamp.any() and known[stamp].mean() < MARKED:
                hint[stamp] = 1
    wider = cv2.dilate(hint, np.ones((2 * AROUND + 1, 2 * AROUND + 1), uint8))
    return (cv2.resize(wider, (width, height), interpolation=cv2.INTER_NEAREST) > 0) & ~marked


def _colour(changes: NDArray[float32]) -> NDArray[float32]:
    """(3,) of length 1: along which the changes (n, 3) are largest."""
    return np.asarray(np.linalg.eigh(changes.T @ changes)[1][:, -1], float32)


def _places(
    structure: NDArray[float32], change: NDArray[float32], box: Box, shape: NDArray[uint8]
) -> Iterator[tuple[int, int]]:
    """Rows and columns at which the mark's box would lie on a copy, also beyond the picture; the likeliest first.

    `structure` of the picture and `change` that the mark made to it: (H, W); `shape` (h, w) of the box: the mark.
    """
    framed = np.pad(shape, RIM)
    support = cv2.dilate(framed, np.ones((2 * RIM + 1, 2 * RIM + 1), uint8)).astype(float32)
    pattern = np.pad(change, RIM)[box.top : box.bottom + 2 * RIM, box.left : box.right + 2 * RIM] * support
    tall, wide = pattern.shape
    canvas = np.pad(structure, ((tall, tall), (wide, wide)))
    common = cv2.matchTemplate(canvas, pattern, cv2.TM_CCORR)
    noise = float(support.sum())  # a level of it: both may be flat
    energy, energies = max(noise, float((pattern**2).sum())), cv2.matchTemplate(canvas**2, support, cv2.TM_CCORR)
    alike = common / np.sqrt(energy * np.maximum(noise, energies))
    inner = alike[tall : -tall or None, wide : -wide or None]
    middle = float(np.median(inner))
    spread = 1.4826 * float(np.median(np.abs(inner - middle)))
    for _ in range(FEW):
        _, best, _, (right, down) = cv2.minMaxLoc(alike)
        if not best > max(ALIKE, middle + APART * spread):
            return
        if common[down, right] > STRONG * energy:
            yield down - tall + RIM, right - wide + RIM
        alike[Box(down, right, down + 1, right + 1).widened(min(tall, wide) // 2, *alike.shape).slices] = 0


def _stamped(size: tuple[int, ...], shape: NDArray[uint8], down: int, right: int) -> Hole:
    """(H, W) of `size`: the shape (h, w) with its corner at a place that may be outside."""
    tall, wide = shape.shape
    canvas = np.zeros((size[0] + 2 * tall, size[1] + 2 * wide), bool_)
    canvas[tall + down : 2 * tall + down, wide + right : 2 * wide + right] = shape > 0
    return canvas[tall:-tall, wide:-wide]


def _fine(plane: NDArray[Any]) -> NDArray[float32]:
    return np.asarray(plane - cv2.GaussianBlur(plane, (0, 0), SMOOTH), float32)
