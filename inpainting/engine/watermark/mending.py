"""Mends what was computed from below a mark: weighs it, pixel by pixel, against estimates from the surroundings.

Where opacity or colour were guessed wrongly, a ghost of the mark is left. The eye finds it in plain surroundings, and
there the surroundings tell what is below; in fine structure they do not, and what was computed is better.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from inpainting.engine.crops.boxes import Box
from inpainting.engine.crops.tiles import around, put
from inpainting.engine.inpainters.smooth.local_mean import local_mean
from inpainting.engine.interface import Detection, Hole, Picture
from inpainting.engine.nets import weighing
from inpainting.engine.nets.planes import planes, widen
from inpainting.engine.nets.weighing import Weighing, WeighingConfig, weigh
from inpainting.engine.watermark.budget import Budget
from inpainting.engine.weights import REFINEMENT

MENDED = 4 << 20  # pixels around marks that are worked on; what is beyond stays as it was computed
NEAR = 2  # pixels around a mark that are mended too: its edge is soft, and JPEG spoils what is beside it
LEVELS = 16  # of local means: as far as the picture goes
ERROR = 2 / 255, 15 / 255  # of what was computed, standard deviation: at no opacity, and what full opacity adds
TWIN = -2.0  # logit by which `outer` counts less than `inner`, of which it is nearly a copy
CONFIG = WeighingConfig(
    candidates=3,
    inputs=21,
    widths=(32, 48),
    dilations=(1, 2, 4, 1),
    last_blocks=1,
    step=0.1,
    file_names={
        "levels.0.0": "fine",
        "downs.0": "down",
        "levels.1": "blocks",
        "lifts.0": "lift",
        "ups.0.0": "up",
    },
)


class Estimates(NamedTuple):
    """The candidates, and what tells between them. (N, C, H, W) in 0..1."""

    marked: Tensor  # 3 channels: the picture as it came
    computed: Tensor  # 3: what was computed from below the mark; the picture itself elsewhere
    inner: Tensor  # 3: local means of what is outside the mask
    outer: Tensor  # 3: local means of what is not near the mask
    spread: Tensor  # 2: by how much either may err, standard deviation
    probability: Tensor  # 1: that a pixel is marked
    opacity: Tensor  # 1: of the mark
    mask: Tensor  # 1: of 0 and 1
    near: Tensor  # 1: the mask and NEAR pixels around it

    @property
    def fills(self) -> tuple[Tensor, ...]:
        return self.computed, self.inner, self.outer

    @property
    def hole(self) -> Tensor:
        return self.near

    def inputs(self) -> Tensor:
        pictures = [2 * self.marked - 1, 2 * self.computed - 1]
        changes = [4 * (other - self.computed) for other in (self.marked, self.inner, self.outer)]
        others = [5 * self.spread, self.probability, self.opacity, self.mask, self.near]
        return torch.cat([*pictures, *changes, *others], 1)

    def prior(self) -> Tensor:
        """Shares are inverse to variances, as of independent measurements of one thing."""
        errors = torch.cat([ERROR[0] + ERROR[1] * self.opacity, self.spread], 1)
        logits = -2 * errors.clamp(min=1 / 255).log()
        return logits + logits.new_tensor([0.0, 0.0, TWIN])[:, None, None]


def load(path: Path = REFINEMENT) -> Weighing:
    """The network that a weights file holds, for use. WeightsError: the file is missing or holds something else."""
    return weighing.load(path, CONFIG)


@torch.inference_mode()
def mend(net: Weighing | None, picture: Picture, detection: Detection, user_mask: Hole | None = None) -> Detection:
    """The same with `restored` mended in the mask and NEAR pixels around it, but nowhere outside `user_mask`.

    Without a net it stays as it was computed.
    """
    if net is None or not detection.mask.any():
        return replace(detection, touched=detection.mask)
    near = surroundings(detection.mask, user_mask)
    restored = detection.restored.copy()
    budget = Budget(MENDED)
    for part, context in around(near):
        if near[context.slices].all() or not budget.takes(context.area):  # nothing to estimate from, or too much of it
            continue
        put(restored, near, part, context, weigh(net, Estimates, estimates(picture, detection, near, context)))
    return replace(detection, restored=restored, touched=near)


def surroundings(mask: Hole, user_mask: Hole | None = None) -> Hole:
    """The mask and NEAR pixels on every side, as far as `user_mask` goes; None: anywhere."""
    near = np.asarray(widen(torch.from_numpy(mask), NEAR))
    return near if user_mask is None else near & user_mask


def estimates(picture: Picture, detection: Detection, near: Hole, box: Box) -> Estimates:
    """Of what is in the box: one of each plane, of the box's size."""
    marked, computed = (planes(one[box.slices]) for one in (picture, detection.restored))
    holes = [torch.from_numpy(one[box.slices]) for one in (detection.mask, near)]
    means = [local_mean(marked, hole, LEVELS) for hole in holes]
    inner, outer = (torch.where(hole, one.mean, marked) for hole, one in zip(holes, means, strict=True))
    spread = torch.stack([one.certainty.rsqrt() for one in means])
    others = [torch.from_numpy(plane[box.slices])[None] for plane in (detection.probability, detection.opacity)]
    columns = marked, computed, inner, outer, spread, *others, *(hole[None].float() for hole in holes)
    return Estimates(*(plane[None] for plane in columns))
