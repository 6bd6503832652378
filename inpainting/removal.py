"""What is taken off a picture, and how: a watermark that shines through is restored, everything else is repainted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inpainting import masks
from inpainting.engine import Detection, get_detector, get_engine
from inpainting.engine.regions import blend, parts
from inpainting.images import Picture
from inpainting.masks import Weights

# repaint: fill the hole. restore: take the watermark off what is behind it and touch nothing else. auto: restore what
# shines through, repaint the rest.
Mode = Literal["auto", "repaint", "restore"]
MODES: tuple[Mode, ...] = ("auto", "repaint", "restore")


RIM = 2  # pixels around an opaque core that JPEG has spoilt


@dataclass(frozen=True)
class Job:
    """A picture, and weights (H, W) of the same size with a hole, or None: find the watermark.

    `grow` widens what is repainted of a found watermark, in pixels. `model` names the inpainter; None is the default.
    """

    picture: Picture
    weights: Weights | None
    model: str | None = None
    mode: Mode = "repaint"
    grow: int = 0


def remove(job: Job) -> tuple[NDArray[np.uint8], float]:
    """The picture (H, W, 3) without what was to be removed, and the share of it, 0..1, that was worked on.

    Share 0: there was nothing to do, and the picture is unchanged. Raises what the engine raises, and
    MaskCoversEverything where a found watermark leaves nothing to repaint it from.
    """
    rgb = job.picture.rgb
    if job.weights is not None and job.mode == "repaint":
        return get_engine(job.model).predict(rgb, job.weights), masks.coverage(job.weights)
    if job.weights is None:
        found = get_detector().detect(rgb)
        weights = _weights_of(found, job)
        restorable = _restorable(found, job.mode)
        to_repaint = weights * ~restorable
    else:
        weights = job.weights
        found = get_detector().detect(rgb, weights > 0, trusted=job.mode == "restore")
        restorable, to_repaint = divided(found, weights, job.mode)
    if restorable.any():
        restored = np.where(restorable[..., None], found.restored, rgb)
        blend(restored, rgb, weights)
        rgb = restored
    if to_repaint.all():
        raise masks.MaskCoversEverything("Send a mask, or mode=restore.")
    if to_repaint.any():
        rgb = get_engine(job.model).predict(rgb, to_repaint)
    return rgb, masks.coverage(to_repaint + restorable)


def divided(found: Detection, weights: Weights, mode: Mode) -> tuple[NDArray[np.bool_], Weights]:
    """What of a user's mask is restored, and the weights of what is repainted; the rest of it stays as it is.

    A part of the mask with a mark in it that shines through was drawn around that mark: what lies between its letters
    is the picture. Any other part is repainted.
    """
    if mode == "restore":
        return found.mask & (weights > 0), np.zeros_like(weights)
    hole, shines = weights > 0, _restorable(found, mode)
    marked = np.zeros_like(hole)
    for box in parts(hole) if shines.any() else []:
        if shines[box.slices].any():
            marked[box.slices] |= hole[box.slices]
    cores = masks.widened((found.opaque & marked).astype(np.float32), RIM)
    return shines & marked, weights * np.where(marked, cores, 1)


def _weights_of(found: Detection, job: Job) -> Weights:
    """The found watermark as a mask; what is to be repainted of it is widened by `grow`."""
    weights = found.mask.astype(np.float32)
    repainted = weights * ~_restorable(found, job.mode)
    if not job.grow or not repainted.any():
        return weights
    return np.maximum(weights, masks.grow(repainted, job.grow))


def _restorable(found: Detection, mode: Mode) -> NDArray[np.bool_]:
    if mode == "repaint":
        return np.zeros_like(found.mask)
    return found.mask & ~found.opaque if mode == "auto" else found.mask
