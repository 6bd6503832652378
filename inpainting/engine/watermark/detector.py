"""Which pixels of a picture are a watermark, and what the picture is below it. RGB uint8 in; device, scales and tiles.

The picture is looked at coarsely first; each finer look is told what the coarser one saw (the network's hint). Beyond
`WHOLE` pixels only the neighbourhood of what was found is looked at again. Where a user says that something is to go,
only that and its neighbourhood is looked at.

Where a mark is tiled over the picture, it is computed from its copies (repeated.py), and the network says whether it
was one; then it looks at what is left.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy import float16, float32, uint8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from inpainting.engine.crops.regions import Box, mirror, parts
from inpainting.engine.crops.tiles import WHOLE, tiles, with_context
from inpainting.engine.hardware import has_fast_bf16
from inpainting.engine.interface import Detection, Hole, Picture
from inpainting.engine.watermark.evidence import Look, around_marks, found
from inpainting.engine.watermark.judgement import VISIBLE, Thresholds, around_copies, detection, is_tiled_mark, merge
from inpainting.engine.watermark.mending import Refinement, refined
from inpainting.engine.watermark.mending import load as load_refinement
from inpainting.engine.watermark.network import HINT, STRIDE, Unblend, fused
from inpainting.engine.watermark.tiled.mark import Lifted, candidates
from inpainting.engine.watermark.weights_file import read, thresholds
from inpainting.engine.weights import WATERMARK

COARSEST = 320  # pixels: the longer side at which a picture is looked at first, at most
COPIED = 0.85  # probability: of pixels that are taken for copies of a tiled mark so many are (held-out pictures)
VIEWS = (), (3,), (2,)  # axes that are turned round: three looks of which the mean is taken, of scales up to WHOLE
SUSPECT = 0.03  # opacity that a coarser look must have seen for a finer one


def load(path: Path = WATERMARK) -> "Detector":
    """The detector that a weights file holds. WeightsError: the file is missing or no watermark network."""
    net, about = read(path)
    return Detector(net, thresholds(about), load_refinement())


class Detector:
    """Finds and lifts watermarks. May be called by many threads; the same picture gives the same answer."""

    def __init__(self, net: Unblend, thresholds: Thresholds, refinement: Refinement | None = None) -> None:
        """`refinement` mends what is restored; without one it stays as it was computed."""
        self.thresholds = thresholds
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        # It was trained in bf16: what that rounds is a hundredth of what the network errs (docs/performance.md).
        dtype = torch.bfloat16 if has_fast_bf16(self.device) else torch.float32
        self.net = fused(net, dtype).to(self.device)
        self.refinement = refinement.to(self.device) if refinement else None

    def detect(
        self, picture: Picture, hole: Hole | None = None, *, trusted: bool = False, mend: bool = True
    ) -> Detection:
        """The protocol's: `picture` (H, W, 3) uint8, `hole` (H, W) bool or None."""
        found = self._detected(picture, hole, trusted)
        return refined(self.refinement, picture, found, hole) if mend and self.refinement else found

    @torch.inference_mode()
    def _detected(self, picture: Picture, hole: Hole | None, trusted: bool) -> Detection:
        look = self._seen(picture, hole)
        limits, around = self.thresholds, hole
        if hole is not None and not trusted:
            around = around_marks(look, hole, limits.asked, limits.masked)
        tiled = self._tiled(picture, look, hole)
        if tiled is None:
            mask = self._marked(look, around, trusted)
            return detection(look.probability, look.opacity * mask, mask, merge(picture, look.below, mask))
        lifted, left = tiled
        over = lifted.opacity > VISIBLE
        if hole is not None and around is not None:
            over &= around | around_copies(over, hole)
        rest = left if around is None else left._replace(probability=left.probability * around)
        mask = self._found(rest, trusted)  # another mark, or what is left of this one
        opacity = 1 - (1 - lifted.opacity * over) * (1 - left.opacity * mask)
        restored = merge(merge(picture, lifted.restored, over), left.below, mask)
        return detection(np.maximum(look.probability, float32(COPIED) * over), opacity, mask | over, restored)

    def _tiled(self, picture: Picture, look: Look, hole: Hole | None) -> tuple[Lifted, Look] | None:
        """A mark that is tiled over the picture, and what is seen without it."""
        there = slice(None) if hole is None else hole
        for lifted in candidates(picture, look.probability, hole):
            left = self._seen(lifted.restored, hole)
            opacity, *seen = (one[there] for one in (lifted.opacity, look.probability, left.probability))
            if is_tiled_mark(opacity, lifted.strength, *seen):
                return lifted, left
        return None

    def _marked(self, look: Look, around: Hole | None, trusted: bool) -> Hole:
        if around is None:
            return self._found(look, trusted)
        return look.probability * around > self.thresholds.asked

    def _found(self, look: Look, trusted: bool) -> Hole:
        limits = self.thresholds
        return found(look, limits.extent, limits.evidence, limits.likely if trusted else limits.sure)

    def _seen(self, picture: Picture, hole: Hole | None) -> Look:
        return self.look(picture) if hole is None else self._look_around(picture, hole)

    def _look_around(self, picture: Picture, hole: Hole) -> Look:
        """`look`, at the hole and its neighbourhood only; nothing is seen elsewhere."""
        look = unseen(picture)
        if hole.any():
            near = with_context(Box.around(tuple(parts(hole))), *hole.shape).slices
            seen = self.look(picture[near], hole[near])
            for plane in Look._fields:
                getattr(look, plane)[near] = getattr(seen, plane)
        return look

    @torch.inference_mode()
    def look(self, picture: Picture, hole: Hole | None = None) -> Look:
        """What the network says of every pixel, before any threshold."""
        asked = np.zeros(picture.shape[:2], uint8) if hole is None else hole * uint8(255)
        scales = [(picture, asked)]
        while max(scales[-1][0].shape[:2]) > COARSEST:
            scales.append((halved(scales[-1][0]), halved(scales[-1][1])))
        hint = torch.zeros(HINT + 1, *scales[-1][1].shape, dtype=torch.float16)
        for scale in scales[:0:-1]:
            hint = self._look_coarsely(*scale, hint)
        return self._look_closely(picture, asked, hint)

    def _look_coarsely(self, picture: Picture, asked: NDArray[uint8], hint: Tensor) -> Tensor:
        """What is told at the next finer scale, and the doubt: (5, H, W), of the picture's own size."""
        said = torch.zeros(HINT + 1, *picture.shape[:2], dtype=torch.float16)
        for core, seen in self._tiles(picture, asked, hint):
            said[:, *core.slices] = seen[6:].half()
        return said

    def _look_closely(self, picture: Picture, asked: NDArray[uint8], hint: Tensor) -> Look:
        look = unseen(picture)
        for core, seen in self._tiles(picture, asked, hint):
            look.probability[core.slices] = seen[0].numpy()
            look.opacity[core.slices] = seen[1].numpy()
            look.below[core.slices] = (seen[2:5] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
            look.verdict[core.slices] = seen[5].numpy()
            look.doubt[core.slices] = seen[10].numpy()
        return look

    def _tiles(self, picture: Picture, asked: NDArray[uint8], hint: Tensor) -> Iterator[tuple[Box, Tensor]]:
        """Per tile: where it is, and (11, h, w): probability, opacity, picture below, verdict, the hint, doubt.

        Beyond WHOLE the doubt is that of the coarser scale.
        """
        height, width = picture.shape[:2]
        for core in tiles(height, width):
            seen_box = with_context(core, height, width)
            mask = torch.from_numpy(asked[seen_box.slices].astype(float32)[None] / 255)
            *hinted, doubt = enlarged(hint, seen_box, (height, width)).split([HINT, 1])
            told = torch.cat([*hinted, mask])
            if max(height, width) > WHOLE and not mask.any() and float(told[0].max()) < SUSPECT:
                continue
            if max(height, width) > WHOLE:
                seen = torch.cat([self._run(picture[seen_box.slices], told, VIEWS[:1])[:-1], doubt])
            else:
                seen = self._run(picture[seen_box.slices], told, VIEWS)
            top, left = core.top - seen_box.top, core.left - seen_box.left
            yield core, seen[:, top : top + core.height, left : left + core.width]

    def _run(self, picture: Picture, told: Tensor, views: tuple[tuple[int, ...], ...]) -> Tensor:
        height, width = picture.shape[:2]
        padded = [-(-side // STRIDE) * STRIDE for side in (height, width)]
        whole = torch.from_numpy(np.array(mirror(picture, *padded))).to(self.device)
        whole = whole.permute(2, 0, 1)[None].float() / 255
        told = F.pad(told[None].to(self.device), (0, padded[1] - width, 0, padded[0] - height), mode="replicate")
        seen = torch.cat([self._viewed(whole, told, view) for view in views])
        mean, doubt = seen.mean(0), seen[:, :1].std(0, correction=0)
        mean[0].sigmoid_()
        return torch.cat([mean, doubt])[:, :height, :width].cpu()

    def _viewed(self, whole: Tensor, told: Tensor, view: tuple[int, ...]) -> Tensor:
        """(1, 10, H, W), whichever way round it was looked at: logit, opacity, picture below, verdict, hint."""
        whole = whole.flip(view)
        seen = self.net(whole, told.flip(view))
        return torch.cat([seen.logit, seen.opacity, seen.below(whole), seen.verdict, seen.hint()], 1).flip(view)


def unseen(picture: Picture) -> Look:
    """Nothing, so far."""
    probability, opacity = np.zeros((2, *picture.shape[:2]), float32)
    return Look(probability, opacity, picture.copy(), *np.zeros((2, *picture.shape[:2]), float16))


def halved(array: NDArray[uint8]) -> NDArray[uint8]:
    """Blocks of 2x2 pixels made one, those at the edges of what there is."""
    return np.asarray(Image.fromarray(array).reduce(2))


def enlarged(hint: Tensor, box: Box, shape: tuple[int, int]) -> Tensor:
    """The part of a hint that a box of a picture of that shape needs, in the picture's pixels: (4, h, w) float32."""
    if hint.shape[1:] == shape:  # the coarsest scale's, of zeros
        return hint[:, *box.slices].float()
    top, left, bottom, right = (
        max(0, box.top // 2 - 1),
        max(0, box.left // 2 - 1),
        box.bottom // 2 + 2,
        box.right // 2 + 2,
    )
    part = F.interpolate(hint[None, :, top:bottom, left:right].float(), scale_factor=2.0, mode="bilinear")[0]
    return part[:, box.top - 2 * top :, box.left - 2 * left :][:, : box.height, : box.width]
