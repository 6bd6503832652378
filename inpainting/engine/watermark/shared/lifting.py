"""A shared mark taken off one picture, if it is there: where, and as strong as in the others."""

import numpy as np
import torch
from numpy import bool_, float32
from torch import Tensor

from inpainting.engine.crops.boxes import Box, parts
from inpainting.engine.inpainters.smooth.local_mean import GRAIN, Estimate, local_mean
from inpainting.engine.interface import Detection, Found, Picture
from inpainting.engine.nets.planes import blur, picture_of, planes, widen
from inpainting.engine.shared_mark import SharedMark
from inpainting.engine.watermark.shared.levels import LEVELS, shown

THERE = 0.6, 1.4  # of the mark's strength: what a picture must show of it
MOVED = 12  # pixels each way by which a picture's mark may lie elsewhere
FINE = 4.0  # pixels, standard deviation: coarser structure does not tell where a mark is
WINDOW = 1.5  # pixels, standard deviation: in which a picture's own structure is told from noise
VISIBLE = 2 / 255  # light or opacity: less is not seen


def lift(picture: Picture, mark: SharedMark) -> Detection | None:
    """The picture (H, W, 3) without its mark, as a detection; None: this picture does not show it."""
    height, width = picture.shape[:2]
    top, left = mark.frame.place(height, width)
    box = mark.box.moved(top, left)
    opacity, light = torch.from_numpy(mark.opacity)[None], torch.from_numpy(mark.light).permute(2, 0, 1)
    if box.top < 0 or box.left < 0 or box.bottom > height or box.right > width:
        return None
    if not _is_there(picture, box, opacity, light):
        down, right = _shift(picture, box, opacity, light)
        box = box.moved(down, right)
        if (down, right) == (0, 0) or not _is_there(picture, box, opacity, light):
            return None
    return _detection(picture, box, opacity, light)


def _is_there(picture: Picture, box: Box, opacity: Tensor, light: Tensor) -> bool:
    crop = planes(picture[box.slices])
    below = _below(crop, opacity)
    change = _fine(light - opacity * below.mean)
    return THERE[0] < shown(_fine(crop), torch.zeros_like(crop), below.certainty, change) < THERE[1]


def _below(crop: Tensor, opacity: Tensor) -> Estimate:
    return local_mean(crop, widen(opacity[0] > 0, 1), LEVELS)


def _shift(picture: Picture, box: Box, opacity: Tensor, light: Tensor) -> tuple[int, int]:
    """Down and right, by how much the picture's mark most likely lies elsewhere; as far as the picture goes."""
    crop = planes(picture[box.slices])
    change = light - opacity * _below(crop, opacity).mean
    pattern, seen = _fine(change), _fine(crop)
    spectrum = torch.fft.rfft2(seen) * torch.fft.rfft2(pattern).conj()
    alike = torch.fft.irfft2(spectrum.sum(0), s=seen.shape[1:])
    height, width = picture.shape[:2]
    shifts = [
        (float(alike[down % box.height, right % box.width]), down, right)
        for down in range(max(-MOVED, -box.top), min(MOVED, height - box.bottom) + 1)
        for right in range(max(-MOVED, -box.left), min(MOVED, width - box.right) + 1)
    ]
    return max(shifts)[1:]


def _fine(plane: Tensor) -> Tensor:
    return plane - blur(plane, FINE)


def _detection(picture: Picture, box: Box, opacity: Tensor, light: Tensor) -> Detection:
    below = ((planes(picture[box.slices]) - light) / (1 - opacity)).clamp(0, 1)
    seen = (opacity[0] > VISIBLE) | (light.abs().amax(0) > VISIBLE)
    mask, plane, restored = np.zeros(picture.shape[:2], bool_), np.zeros(picture.shape[:2], float32), picture.copy()
    mask[box.slices], plane[box.slices] = seen.numpy(), opacity[0].numpy()
    np.copyto(restored[box.slices], picture_of(_calmed(below, opacity)), where=seen.numpy()[..., None])
    boxes = [Found(part.left, part.top, part.width, part.height, 1.0) for part in parts(mask)]
    return Detection(mask.astype(float32), plane, mask, restored, mask, boxes, copies=mask)


def _calmed(below: Tensor, opacity: Tensor) -> Tensor:
    """Without the noise of JPEG and rounding, which restoring has made larger: Wiener's filter in small windows."""
    mean = blur(below, WINDOW)
    variance = blur(below.square(), WINDOW) - mean.square()
    noise = (GRAIN / (1 - opacity)).square()
    return mean + (1 - noise / variance.clamp(min=1e-8)).clamp(min=0) * (below - mean)
