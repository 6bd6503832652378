"""A shared mark taken off one picture, if it is there: where, and as strong as in the others."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy import bool_, float32
from torch import Tensor

from inpainting.engine.crops.boxes import Box, parts
from inpainting.engine.inpainters.smooth.local_mean import GRAIN, Estimate, local_mean
from inpainting.engine.interface import Detection, Found, Picture
from inpainting.engine.nets.planes import blur, picture_of, planes, widen
from inpainting.engine.shared_mark import SharedMark
from inpainting.engine.watermark.shared.levels import LEVELS, MARGIN, shown

THERE = 0.6, 1.4  # of the mark's strength: what a picture must show of it
MOVED = 12  # pixels each way by which a picture's mark may lie elsewhere
FINE = 4.0  # pixels, standard deviation: coarser structure does not tell where a mark is
WINDOW = 1.5  # pixels, standard deviation: in which a picture's own structure is told from noise
OPAQUE = 0.9  # above it noise is all that can be restored
VISIBLE = 2 / 255  # light or opacity: less is not seen


class Place(NamedTuple):
    """A mark at a place of a picture, with what is around it."""

    box: Box  # of the picture: the mark and its surroundings
    picture: Tensor  # (3, h, w) of the box, 0..1
    opacity: Tensor  # (1, h, w)
    light: Tensor  # (3, h, w)

    @classmethod
    def of(cls, picture: Picture, mark: SharedMark, inside: Box) -> "Place":
        box = inside.widened(MARGIN, *picture.shape[:2])
        around = inside.left - box.left, box.right - inside.right, inside.top - box.top, box.bottom - inside.bottom
        opacity, light = torch.from_numpy(mark.opacity)[None], torch.from_numpy(mark.light).permute(2, 0, 1)
        return cls(box, planes(picture[box.slices]), F.pad(opacity, around), F.pad(light, around))

    def below(self) -> Estimate:
        return local_mean(self.picture, widen(self.opacity[0] > 0, 1), LEVELS)

    def is_right(self) -> bool:
        """Whether the picture shows the mark here."""
        mean, certainty = self.below()
        change = _fine(self.light - self.opacity * mean)
        return THERE[0] < shown(_fine(self.picture), torch.zeros_like(mean), certainty, change) < THERE[1]


def lift(picture: Picture, mark: SharedMark) -> Detection | None:
    """The picture (H, W, 3) without its mark, as a detection; None: this picture does not show it."""
    height, width = picture.shape[:2]
    inside = mark.box.moved(*mark.frame.place(height, width))
    if inside.top < 0 or inside.left < 0 or inside.bottom > height or inside.right > width:
        return None
    place = Place.of(picture, mark, inside)
    if not place.is_right():
        place = Place.of(picture, mark, inside.moved(*_shift(place, inside, height, width)))
    return detection(picture, [(place.box, place)]) if place.is_right() else None


def _shift(place: Place, inside: Box, height: int, width: int) -> tuple[int, int]:
    """Down and right, by how much the picture's mark most likely lies elsewhere; as far as the picture goes."""
    change = place.light - place.opacity * place.below().mean
    spectrum = torch.fft.rfft2(_fine(place.picture)) * torch.fft.rfft2(_fine(change)).conj()
    alike = torch.fft.irfft2(spectrum.sum(0), s=change.shape[1:])
    shifts = [
        (float(alike[down % alike.shape[0], right % alike.shape[1]]), down, right)
        for down in range(max(-MOVED, -inside.top), min(MOVED, height - inside.bottom) + 1)
        for right in range(max(-MOVED, -inside.left), min(MOVED, width - inside.right) + 1)
    ]
    return max(shifts)[1:]


def detection(picture: Picture, places: Iterable[tuple[Box, Place]]) -> Detection:
    """The picture without a mark, which lies in boxes; `Place`: what is to be known of each, and around it."""
    mask, plane, restored = np.zeros(picture.shape[:2], bool_), np.zeros(picture.shape[:2], float32), picture.copy()
    for core, (box, part, opacity, light) in places:
        below = ((part - light) / (1 - opacity)).clamp(0, 1)
        seen = (opacity[0] > VISIBLE) | (light.abs().amax(0) > VISIBLE)
        own = core.moved(-box.top, -box.left).slices
        mask[core.slices], plane[core.slices] = seen[own].numpy(), opacity[0][own].numpy()
        calm = picture_of(_calmed(below, opacity)[:, *own])
        np.copyto(restored[core.slices], calm, where=seen[own].numpy()[..., None])
    boxes = [Found(part.left, part.top, part.width, part.height, 1.0) for part in parts(mask)]
    return Detection(mask.astype(float32), plane, mask, restored, mask, boxes, copies=mask, opaque=plane > OPAQUE)


def _fine(plane: Tensor) -> Tensor:
    return plane - blur(plane, FINE)


def _calmed(below: Tensor, opacity: Tensor) -> Tensor:
    """Without the noise of JPEG and rounding, which restoring has made larger: Wiener's filter in small windows."""
    mean = blur(below, WINDOW)
    variance = blur(below.square(), WINDOW) - mean.square()
    noise = (GRAIN / (1 - opacity)).square()
    return mean + (1 - noise / variance.clamp(min=1e-8)).clamp(min=0) * (below - mean)
