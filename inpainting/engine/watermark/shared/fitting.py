"""A known logo taken off one picture: where exactly it lies, how large and how opaque it is, found by least squares.

A marked pixel is y = (1 - o a) x + o a c: the logo's alpha a and colour c are known, its opacity o, place and scale are
to be found. A search by correlation comes near; Gauss and Newton's method does the rest. What is below, x, is at first
estimated from around the logo and then from what the last step restored.
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy import float32
from numpy.typing import NDArray

from inpainting.engine.crops.boxes import Box
from inpainting.engine.inpainters.smooth.local_mean import local_mean
from inpainting.engine.interface import Detection, Picture
from inpainting.engine.logo import SHAPE, Logo
from inpainting.engine.watermark.shared.levels import LEVELS, MARGIN
from inpainting.engine.watermark.shared.lifting import Place, detection

SCALES = [1 + step / 100 for step in range(-6, 7)]
OPAQUE = 0.95  # above it a pixel holds nothing to be computed from
FINE = 4.0  # pixels, standard deviation: coarser structure does not tell where a logo is
ROUNDS = 12  # of Gauss and Newton
ALIKE = 0.4  # correlation of what is there with what the logo should change: below it the logo is not there (measured)
GHOST = 0.9  # of the structure at the logo's outline, which must be gone once it is taken off (measured)
MOST = 8_000_000  # pixels around a logo: of more the fit would take minutes and gigabytes
EVEN = 0.6  # pixels across the logo by which its size may seem to differ from its own


class Fit(NamedTuple):
    """`scale`: of the expected size; `down`, `right`: of the crop, of its first row and column; `opacity`: 0..1."""

    opacity: float
    scale: float
    down: float
    right: float


Planes = NDArray[float32]


def lift(picture: Picture, logo: Logo) -> Detection | None:
    """The picture (H, W, 3) without the logo, as a detection; None: it does not show it, or not as it is known."""
    height, width = picture.shape[:2]
    if not logo.box.meets(Box(0, 0, height, width)):
        return None
    box = logo.box.widened(logo.reach + MARGIN, height, width)
    least = [SCALES[0] * side for side in (logo.box.height, logo.box.width)]
    if box.height * box.width > MOST or least[0] > box.height or least[1] > box.width:
        return None  # before its planes are made, which may be as large as a client likes
    crop, planes = np.asarray(picture[box.slices] / 255, float32), logo.planes()
    start = _search(crop, planes, logo.reach)
    if start is None:
        return None
    opacity = logo.opacity
    fit, below = _refined(crop, planes, start if opacity is None else start._replace(opacity=opacity), opacity is None)
    fit = _on_pixels(planes, fit)
    laid = _laid(planes, fit, crop.shape) * fit.opacity
    alike, ghost = measures(crop, laid, below)
    if not (alike > ALIKE and ghost < GHOST):
        return None
    alpha = np.minimum(laid[..., 3], OPAQUE)
    light = crop - (1 - alpha[..., None]) * _restored(crop, laid)
    as_tensor = torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))
    place = Place(box, as_tensor, torch.from_numpy(alpha)[None], torch.from_numpy(light.transpose(2, 0, 1).copy()))
    return detection(picture, place)


def _search(crop: Planes, planes: Planes, reach: int) -> Fit | None:
    """Where the logo most likely is, by its outline, over scales; its opacity is a guess. None: nowhere."""
    level = np.median(crop.reshape(-1, 3), 0)
    seen, found = _fine(crop), []
    for scale in SCALES:
        size = [max(3, round(side * scale)) for side in planes.shape[1::-1]]
        small = cv2.resize(planes, size, interpolation=cv2.INTER_LINEAR)
        change = np.pad(small[..., :3] - small[..., 3:] * level, ((6, 6), (6, 6), (0, 0))).astype(float32)
        if change.shape[0] > crop.shape[0] or change.shape[1] > crop.shape[1]:
            continue
        alike = cv2.matchTemplate(seen, _fine(change), cv2.TM_CCORR_NORMED)
        _, best, _, (right, down) = cv2.minMaxLoc(alike)
        found.append((best, Fit(0.5, scale, down + 6.0, right + 6.0)))
    return max(found)[1] if found else None


def _refined(crop: Planes, planes: Planes, fit: Fit, is_opacity_free: bool) -> tuple[Fit, Planes]:
    """The fit of least squares, and what is likely below, as smooth as around."""
    around = _below(crop, planes, fit)
    below: Planes = around
    for turn in range(ROUNDS):
        laid = _laid(planes, fit, crop.shape)
        if turn >= ROUNDS // 2:  # what is restored so far knows more of the picture than what is around does
            below = _blurred(_restored(crop, laid * fit.opacity), FINE)
        steps = _step(crop, planes, fit, laid, below)
        opacity = fit.opacity + (steps[0] if is_opacity_free else 0)
        scale, down, right = fit.scale + steps[1], fit.down + steps[2], fit.right + steps[3]
        fit = Fit(float(np.clip(opacity, 0.02, 1)), float(np.clip(scale, 0.9, 1.1)), float(down), float(right))
    return fit, np.asarray(around, float32)


def _step(crop: Planes, planes: Planes, fit: Fit, laid: Planes, below: Planes) -> NDArray[float32]:
    """By how much opacity, scale, down and right are to change."""

    def change(other: Fit) -> Planes:
        moved = _laid(planes, other, crop.shape)
        return np.asarray((moved[..., :3] - moved[..., 3:] * below) * other.opacity, float32)

    here = (laid[..., :3] - laid[..., 3:] * below) * fit.opacity
    size = max(planes.shape[:2])
    tries = [
        fit._replace(opacity=fit.opacity + 0.05),
        fit._replace(scale=fit.scale + 0.5 / size),
        fit._replace(down=fit.down + 0.25),
        fit._replace(right=fit.right + 0.25),
    ]
    by = np.array([0.05, 0.5 / size, 0.25, 0.25])
    seen = laid[..., 3] > 0
    near = cv2.dilate(seen.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    left = _fine(np.asarray(crop - below - here, float32))[near].ravel()
    slopes = np.stack(
        [
            _fine(np.asarray(change(each) - here, float32))[near].ravel() / part
            for each, part in zip(tries, by, strict=True)
        ]
    )
    spread = np.abs(left)
    weights = np.minimum(1, 1.5 * np.median(spread) / np.maximum(spread, 1e-6))  # outliers count for less
    normal = (slopes * weights) @ slopes.T
    normal += np.diag(1e-6 + 1e-3 * np.diag(normal))
    wanted = np.linalg.solve(normal, (slopes * weights) @ left)
    most = np.array([0.3, 2 / size, 1.0, 1.0])
    return np.asarray(np.clip(wanted, -most, most), float32)


def _on_pixels(planes: Planes, fit: Fit) -> Fit:
    """The fit on the picture's own pixels and at the logo's own size, where it is as near to that as can be told."""
    if abs(fit.scale - 1) * max(planes.shape[:2]) >= EVEN:
        return fit
    middle = (fit.scale - 1) / 2
    down, right = (start + middle * side for start, side in zip((fit.down, fit.right), planes.shape[:2], strict=True))
    off = max(abs(down - round(down)), abs(right - round(right)))
    return fit._replace(scale=1.0, down=float(round(down)), right=float(round(right))) if off < 0.5 else fit


def measures(crop: Planes, laid: Planes, below: Planes) -> tuple[float, float]:
    """Correlation of the crop with what the logo should change; the structure left at its outline, of that before."""
    seen = laid[..., 3] > SHAPE
    if seen.sum() < 9:
        return 0.0, 1.0
    change = _fine(laid[..., :3] - laid[..., 3:] * below)
    there = _fine(crop - below)
    alike = float((change * there)[seen].sum() / np.sqrt((change**2)[seen].sum() * (there**2)[seen].sum() + 1e-12))
    outline = _outline(laid)
    left = _structure(_restored(crop, laid), outline) / max(_structure(crop, outline), 1e-9)
    return alike, left


def _below(crop: Planes, planes: Planes, fit: Fit) -> Planes:
    """What is likely below the logo, from around it."""
    hole = cv2.dilate((_laid(planes, fit, crop.shape)[..., 3] > SHAPE).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    picture = torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1)))
    mean = local_mean(picture, torch.from_numpy(hole), LEVELS).mean
    return np.asarray(np.where(hole[..., None], mean.permute(1, 2, 0).numpy(), crop), float32)


def _restored(crop: Planes, laid: Planes) -> Planes:
    """(h, w, 3) without what is laid over it, whose colours may be as coarse as JPEG makes them: what leaves less."""
    exact = _unblended(crop, laid)
    subsampled = _in_luma(exact, _unblended(crop, _coarse(laid)))
    outline = _outline(laid)
    return min(exact, subsampled, key=lambda made: _structure(made, outline))


def _unblended(crop: Planes, laid: Planes) -> Planes:
    return np.asarray(np.clip((crop - laid[..., :3]) / (1 - np.minimum(laid[..., 3:], OPAQUE)), 0, 1), float32)


def _coarse(laid: Planes) -> Planes:
    """As JPEG's 4:2:0 leaves colours: means of two by two pixels."""
    return np.asarray(cv2.sepFilter2D(laid, -1, np.array([0.25, 0.5, 0.25]), np.array([0.25, 0.5, 0.25])), float32)


def _in_luma(brightness: Planes, colours: Planes) -> Planes:
    """The luma of one, the chroma of the other (ITU-R BT.601)."""
    luma, chroma = (cv2.cvtColor(each, cv2.COLOR_RGB2YCrCb) for each in (brightness, colours))
    chroma[..., 0] = luma[..., 0]
    return np.asarray(np.clip(cv2.cvtColor(chroma, cv2.COLOR_YCrCb2RGB), 0, 1), float32)


def _outline(laid: Planes) -> Planes:
    """(h, w): how steep the opacity is, where something of the picture is left."""
    return _slope(laid[..., 3]) * (laid[..., 3] < OPAQUE)


def _structure(planes: Planes, outline: Planes) -> float:
    """How much of it there is along an outline, of the channel that varies most."""
    return float((_slope(planes).max(2) * outline).sum())


def _slope(planes: Planes) -> Planes:
    return np.asarray(sum(np.abs(np.gradient(planes, axis=axis)) for axis in (0, 1)), float32)


def _laid(planes: Planes, fit: Fit, shape: tuple[int, ...]) -> Planes:
    """(h, w, 4) of the crop: the logo's light and alpha at its place, not yet times its opacity."""
    # Centres of pixels are at halves.
    matrix = np.array(
        [
            [fit.scale, 0, fit.right + 0.5 * fit.scale - 0.5],
            [0, fit.scale, fit.down + 0.5 * fit.scale - 0.5],
        ]
    )
    laid = cv2.warpAffine(planes, matrix, (shape[1], shape[0]), flags=cv2.INTER_LINEAR)
    return np.asarray(np.clip(laid, 0, 1), float32)


def _fine(planes: Planes) -> Planes:
    return np.asarray(planes - _blurred(planes, FINE), float32)


def _blurred(planes: Planes, deviation: float) -> Planes:
    return np.asarray(cv2.GaussianBlur(planes, (0, 0), deviation), float32)
