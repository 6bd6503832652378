"""A known logo taken off one picture: where exactly it lies, how large and how opaque it is, found by least squares.

A marked pixel is y = (1 - o a) x + o a c: the logo's alpha a and colour c are known, its opacity o, place and scale are
to be found. A search by correlation comes near; Gauss and Newton's method does the rest. What is below, x, is at first
estimated from around the logo and then from what the last step restored.

A large logo is fitted in a smaller picture first, and then in windows of the picture itself: enough to be exact, and
work and memory do not grow with it.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy import float32, float64
from numpy.typing import NDArray
from PIL import Image

from inpainting.engine.crops.boxes import Box
from inpainting.engine.inpainters.smooth.local_mean import local_mean
from inpainting.engine.interface import Detection, Picture
from inpainting.engine.logo import SHAPE, Logo
from inpainting.engine.watermark.shared.levels import LEVELS, MARGIN
from inpainting.engine.watermark.shared.lifting import Place, detection
from inpainting.engine.watermark.shared.ways import (
    FINE,
    OPAQUE,
    WAYS,
    Planes,
    Way,
    blurred,
    fine,
    outline,
    restored,
    slope,
    structure,
)

SCALES = [1 + step / 100 for step in range(-6, 7)]
ROUNDS = 12  # of Gauss and Newton
ALIKE = 0.4  # correlation of what is there with what the logo should change: below it the logo is not there (measured)
GHOST = 0.9  # of the structure at the logo's outline, which must be gone once it is taken off (measured)
FEW = 1 << 19  # pixels around a logo: where there are more it is fitted in a smaller picture first
WINDOWS, WINDOW = 4, 192  # each way, and pixels: where its place is made exact, and judged, in the picture itself
LATER = 2  # rounds that this takes
STRIP, CONTEXT = 1 << 18, 8  # pixels that it is taken off at once, and rows around them that have to be seen
EVEN = 0.6  # pixels across the logo by which its size may seem to differ from its own


class Fit(NamedTuple):
    """`scale`: of the expected size; `down`, `right`: of the crop, of its first row and column; `opacity`: 0..1."""

    opacity: float
    scale: float
    down: float
    right: float

    def enlarged(self, planes: Planes, larger: Planes, times: int) -> "Fit":
        """Of the logo's `larger` planes in the picture that is so many times larger."""
        grown = [times * small / large for small, large in zip(planes.shape[:2], larger.shape[:2], strict=True)]
        return Fit(self.opacity, self.scale * sum(grown) / 2, self.down * times, self.right * times)


class View(NamedTuple):
    """A part of the crop, (h, w, 3) in 0..1, that begins at a row and a column of it."""

    crop: Planes
    top: int = 0
    left: int = 0
    below: Planes | None = None  # what is likely below the logo; None: what was restored so far says it

    def laid(self, planes: Planes, fit: Fit) -> Planes:
        """(h, w, 4): the logo's light and alpha at its place, not yet times its opacity."""
        # Centres of pixels are at halves.
        matrix = np.array(
            [
                [fit.scale, 0, fit.right - self.left + 0.5 * fit.scale - 0.5],
                [0, fit.scale, fit.down - self.top + 0.5 * fit.scale - 0.5],
            ]
        )
        laid = cv2.warpAffine(planes, matrix, self.crop.shape[1::-1], flags=cv2.INTER_LINEAR)
        return np.asarray(np.clip(laid, 0, 1, out=laid), float32)


def lift(picture: Picture, logo: Logo) -> Detection | None:
    """The picture (H, W, 3) without the logo, as a detection; None: it does not show it, or not as it is known."""
    height, width = picture.shape[:2]
    if not logo.box.meets(Box(0, 0, height, width)):
        return None
    box = logo.box.widened(logo.reach + MARGIN, height, width)
    least = [SCALES[0] * side for side in (logo.box.height, logo.box.width)]
    if least[0] > box.height or least[1] > box.width:
        return None  # before its planes are made, which may be as large as a client likes
    times = 1
    while box.area > FEW * times**2:
        times *= 2
    around = picture[box.slices]
    small = np.asarray(Image.fromarray(around).reduce(times)) if times > 1 else around
    planes = logo.at(times).planes()
    fit = _fit(_unit(small), planes, logo.at(times))
    if fit is None:
        return None
    if times == 1:
        views = [View(_unit(around))]
    else:
        larger = logo.planes()
        fit, planes = fit.enlarged(planes, larger, times), larger
        views = [View(_unit(around[part.slices]), part.top, part.left) for part in _windows(planes, fit, box)]
        if not views:
            return None
        fit = _refined(views, planes, fit, LATER, False)  # its opacity is surer from all of it (measured)
    fit = _on_pixels(planes, fit)
    ghost, way = _judged(views, planes, fit)
    return detection(picture, _places(picture, box, planes, fit, way)) if ghost < GHOST else None


def _unit(picture: Picture) -> Planes:
    return np.asarray(picture / float32(255), float32)


def _fit(crop: Planes, planes: Planes, logo: Logo) -> Fit | None:
    """Where in the crop the logo is; None: it is not there."""
    start = _search(crop, planes)
    if start is None:
        return None
    fit = start if logo.opacity is None else start._replace(opacity=logo.opacity)
    view = View(crop)
    below = _below(view, planes, fit)
    fit = _refined([view._replace(below=below)], planes, fit, ROUNDS // 2, logo.opacity is None)
    fit = _refined([view], planes, fit, ROUNDS - ROUNDS // 2, logo.opacity is None)
    seen = _on_pixels(planes, fit)
    return fit if alike(crop, view.laid(planes, seen) * seen.opacity, below) > ALIKE else None


def _search(crop: Planes, planes: Planes) -> Fit | None:
    """Where the logo most likely is, by its outline, over scales; its opacity is a guess. None: nowhere."""
    level = np.median(crop.reshape(-1, 3), 0)
    seen, found = fine(crop), []
    for scale in SCALES:
        size = [max(3, round(side * scale)) for side in planes.shape[1::-1]]
        small = cv2.resize(planes, size, interpolation=cv2.INTER_LINEAR)
        change = np.pad(small[..., :3] - small[..., 3:] * level, ((6, 6), (6, 6), (0, 0))).astype(float32)
        if change.shape[0] > crop.shape[0] or change.shape[1] > crop.shape[1]:
            continue
        likeness = cv2.matchTemplate(seen, fine(change), cv2.TM_CCORR_NORMED)
        _, best, _, (right, down) = cv2.minMaxLoc(likeness)
        found.append((best, Fit(0.5, scale, down + 6.0, right + 6.0)))
    return max(found)[1] if found else None


def _refined(views: list[View], planes: Planes, fit: Fit, rounds: int, is_opacity_free: bool) -> Fit:
    """The fit of least squares."""
    for _ in range(rounds):
        normals, wanted = zip(*(_sums(view, planes, fit) for view in views), strict=True)
        steps = _step(planes, np.sum(normals, 0), np.sum(wanted, 0))
        opacity = fit.opacity + (steps[0] if is_opacity_free else 0)
        scale, down, right = fit.scale + steps[1], fit.down + steps[2], fit.right + steps[3]
        fit = Fit(float(np.clip(opacity, 0.02, 1)), float(np.clip(scale, 0.9, 1.1)), float(down), float(right))
    return fit


def _step(planes: Planes, normal: NDArray[float64], wanted: NDArray[float64]) -> NDArray[float64]:
    """By how much opacity, scale, down and right are to change."""
    most = np.array([0.3, 2 / max(planes.shape[:2]), 1.0, 1.0])
    return np.clip(np.linalg.solve(normal + np.diag(1e-6 + 1e-3 * np.diag(normal)), wanted), -most, most)


def _sums(view: View, planes: Planes, fit: Fit) -> tuple[NDArray[float64], NDArray[float64]]:
    """Of a view's normal equations: (4, 4) and (4,)."""
    laid, below = view.laid(planes, fit), view.below
    if below is None:  # what is restored so far knows more of the picture than what is around does
        below = blurred(restored(view.crop, laid * fit.opacity), FINE)

    def change(other: Fit) -> Planes:
        moved = view.laid(planes, other)
        return np.asarray((moved[..., :3] - moved[..., 3:] * below) * other.opacity, float32)

    size = max(planes.shape[:2])
    tries = [
        (0.05, fit._replace(opacity=fit.opacity + 0.05)),
        (0.5 / size, fit._replace(scale=fit.scale + 0.5 / size)),
        (0.25, fit._replace(down=fit.down + 0.25)),
        (0.25, fit._replace(right=fit.right + 0.25)),
    ]
    near = cv2.dilate((laid[..., 3] > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if not near.any():
        return np.zeros((4, 4)), np.zeros(4)
    here = (laid[..., :3] - laid[..., 3:] * below) * fit.opacity
    left = fine(np.asarray(view.crop - below - here, float32))[near].ravel()
    slopes = [fine(np.asarray(change(each) - here, float32))[near].ravel() / part for part, each in tries]
    weights = np.abs(left)  # outliers count for less
    weights = np.minimum(1, 1.5 * np.median(weights) / np.maximum(weights, 1e-6))
    normal, wanted = np.empty((4, 4)), np.empty(4)
    for number, one in enumerate(slopes):
        weighted = one * weights
        normal[number] = [weighted @ each for each in slopes]
        wanted[number] = weighted @ left
    return normal, wanted


def _on_pixels(planes: Planes, fit: Fit) -> Fit:
    """The fit on the picture's own pixels and at the logo's own size, where it is as near to that as can be told."""
    if abs(fit.scale - 1) * max(planes.shape[:2]) >= EVEN:
        return fit
    middle = (fit.scale - 1) / 2
    down, right = (start + middle * side for start, side in zip((fit.down, fit.right), planes.shape[:2], strict=True))
    off = max(abs(down - round(down)), abs(right - round(right)))
    return fit._replace(scale=1.0, down=float(round(down)), right=float(round(right))) if off < 0.5 else fit


def _windows(planes: Planes, fit: Fit, box: Box) -> list[Box]:
    """Parts of the crop where the logo's outline is strongest, spread over all of it."""
    steep, windows = slope(planes[..., 3]), []
    rows, columns = (np.linspace(0, side, WINDOWS + 1).astype(int) for side in planes.shape[:2])
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            there = cv2.blur(steep[top:bottom, left:right], (WINDOW, WINDOW), borderType=cv2.BORDER_CONSTANT)
            _, most, _, (across, down) = cv2.minMaxLoc(there)
            if most > 0:
                middle = Box(top + down, left + across, top + down, left + across)
                at = Box(*(round(fit.scale * side) for side in middle)).moved(round(fit.down), round(fit.right))
                windows.append(at.widened(WINDOW // 2, box.height, box.width))
    return [window for window in windows if window.bottom > window.top and window.right > window.left]


def alike(crop: Planes, laid: Planes, below: Planes) -> float:
    """Correlation of the crop with what the logo should change."""
    seen = laid[..., 3] > SHAPE
    if seen.sum() < 9:
        return 0.0
    change = fine(laid[..., :3] - laid[..., 3:] * below)[seen]
    there = fine(crop - below)[seen]
    return float((change * there).sum() / np.sqrt((change**2).sum() * (there**2).sum() + 1e-12))


def _judged(views: list[View], planes: Planes, fit: Fit) -> tuple[float, Way]:
    """The structure left at the logo's outline, of that before, and which way of restoring leaves so much."""
    before, left = 0.0, dict.fromkeys(WAYS, 0.0)
    for view in views:
        laid = view.laid(planes, fit) * fit.opacity
        edges = outline(laid)
        before += structure(view.crop, edges)
        for way in WAYS:
            left[way] += structure(way(view.crop, laid), edges)
    way = min(WAYS, key=lambda way: left[way])
    return left[way] / max(before, 1e-9), way


def _places(picture: Picture, box: Box, planes: Planes, fit: Fit, way: Way) -> Iterator[tuple[Box, Place]]:
    """Strips of the box, with the logo as it lies in them."""
    rows = max(1, STRIP // box.width)
    for top in range(box.top, box.bottom, rows):
        core = Box(top, box.left, min(top + rows, box.bottom), box.right)
        around = core._replace(top=max(box.top, top - CONTEXT), bottom=min(box.bottom, core.bottom + CONTEXT))
        view = View(_unit(picture[around.slices]), around.top - box.top)
        laid = view.laid(planes, fit) * fit.opacity
        alpha = np.minimum(laid[..., 3], OPAQUE)
        light = view.crop - (1 - alpha[..., None]) * way(view.crop, laid)
        part, light = (np.ascontiguousarray(each.transpose(2, 0, 1)) for each in (view.crop, light))
        tensors = (torch.from_numpy(each) for each in (part, alpha[None], light))
        yield core, Place(around, *tensors)


def _below(view: View, planes: Planes, fit: Fit) -> Planes:
    """What is likely below the logo, from around it."""
    seen = (view.laid(planes, fit)[..., 3] > SHAPE).astype(np.uint8)
    hole = cv2.dilate(seen, np.ones((5, 5), np.uint8)) > 0
    picture = torch.from_numpy(np.ascontiguousarray(view.crop.transpose(2, 0, 1)))
    mean = local_mean(picture, torch.from_numpy(hole), LEVELS).mean
    return np.asarray(np.where(hole[..., None], mean.permute(1, 2, 0).numpy(), view.crop), float32)
