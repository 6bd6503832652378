"""What a watermark network predicts of a picture of any size: looked at from coarse to fine, in tiles, from sides.

The coarsest scale comes first; the network is given its prediction as a hint at the next finer one. Beyond `WHOLE`
pixels only the neighbourhood of what was found so far is looked at again, and with a user mask only that and its
neighbourhood; where that is more than a call may cost, the rest is the coarser prediction, enlarged.
"""

from collections.abc import Iterator
from itertools import starmap
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy import float16, float32, uint8
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from inpainting.engine import hardware
from inpainting.engine.crops.boxes import Box, parts
from inpainting.engine.crops.resize import mirror
from inpainting.engine.crops.tiles import WHOLE, tiles, with_context
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.nets.planes import planes as planes_of
from inpainting.engine.watermark.budget import Budget
from inpainting.engine.watermark.network import COARSE, STRIDE, Unblend, fused, unblended

COARSEST = 320  # pixels: the longer side of the coarsest scale, at most
VIEWS = (), (3,), (2,)  # axes that are mirrored: three views of which the mean is taken, of scales up to WHOLE
SUSPECT = 0.03  # opacity that a coarse prediction must hold for a finer one
HANDED = COARSE + 4  # planes that a scale hands to the next: coarse prediction, doubt, probability, opacity, verdict


class Prediction(NamedTuple):
    """What a network says of every pixel, before any threshold."""

    probability: NDArray[float32]  # (H, W), 0..1: that a pixel is marked
    opacity: NDArray[float32]  # (H, W), 0..1
    below: Picture  # (H, W, 3): the picture as if every pixel were marked
    verdict: NDArray[float16]  # (H, W): its mean over a component tells marks from what is like them
    doubt: NDArray[float16]  # (H, W): standard deviation of the logit over the views

    @classmethod
    def nothing(cls, picture: Picture) -> "Prediction":
        """No mark anywhere."""
        probability, opacity = np.zeros((2, *picture.shape[:2]), float32)
        return cls(probability, opacity, picture.copy(), *np.zeros((2, *picture.shape[:2]), float16))

    @classmethod
    def handed(cls, picture: Picture, planes: Tensor) -> "Prediction":
        """What a scale of that picture handed to the next: (8, H, W). Nothing of it is computed away."""
        doubt, probability, opacity, verdict = planes.numpy()[COARSE:]
        return cls(probability.astype(float32), opacity.astype(float32), picture, verdict, doubt)


class Care(NamedTuple):
    """How closely a picture is looked at."""

    whole: int  # pixels: scales with sides up to it are looked at everywhere, in all views
    most: int  # pixels of larger scales that are looked at


FIRST = Care(WHOLE, 4 << 20)
AGAIN = Care(WHOLE // 2, 1 << 20)  # a picture of which something was computed away: the rest was seen before


class Scale(NamedTuple):
    """A picture at one scale."""

    picture: Picture
    user_mask: NDArray[uint8]  # (H, W), 0..255; 0 everywhere without one

    def halved(self) -> "Scale":
        """Blocks of 2x2 pixels made one, those at the edges of what there is."""
        return Scale(*(np.asarray(Image.fromarray(plane).reduce(2)) for plane in self))


class Pyramid:
    """A network on one device. May be called by many threads, one at a time."""

    def __init__(self, net: Unblend) -> None:
        self.device = hardware.device()
        # It was trained in bf16: what that rounds is a hundredth of what the network errs (docs/performance.md).
        dtype = torch.bfloat16 if hardware.has_fast_bf16(self.device) else torch.float32
        self.net = fused(net, dtype).to(self.device)

    def predict(self, picture: Picture, user_mask: Hole | None = None, care: Care = FIRST) -> Prediction:
        """Of the whole picture (H, W, 3); with a `user_mask` (H, W) of it and its neighbourhood, nothing elsewhere."""
        if user_mask is None:
            return self.predict_whole(picture, care=care)
        prediction = Prediction.nothing(picture)
        if user_mask.any():
            near = with_context(Box.around(tuple(parts(user_mask))), *user_mask.shape).slices
            part = self.predict_whole(picture[near], user_mask[near], care)
            for plane in Prediction._fields:
                getattr(prediction, plane)[near] = getattr(part, plane)
        return prediction

    def predict_whole(self, picture: Picture, user_mask: Hole | None = None, care: Care = FIRST) -> Prediction:
        """Of the whole picture in any case; a `user_mask` is a hint only."""
        return self.predict_scales(picture, user_mask, care)[0]

    @torch.inference_mode()
    def predict_scales(
        self, picture: Picture, user_mask: Hole | None = None, care: Care = FIRST
    ) -> tuple[Prediction, Iterator[Prediction]]:
        """The same, and of the picture at each coarser scale, half the size of the one before: made when asked for."""
        mask = np.zeros(picture.shape[:2], uint8) if user_mask is None else user_mask * uint8(255)
        scales = [Scale(picture, mask)]
        while max(scales[-1].picture.shape[:2]) > COARSEST:
            scales.append(scales[-1].halved())
        handed = torch.zeros(HANDED, *scales[-1].user_mask.shape, dtype=torch.float16)
        budget, coarser = Budget(care.most), list[tuple[Picture, Tensor]]()
        for scale in scales[:0:-1]:
            handed = self._coarse(self._tiles(scale, handed, care.whole, budget), scale)
            coarser.append((scale.picture, handed))
        whole = self._fine(self._tiles(scales[0], handed, care.whole, budget), picture)
        return whole, starmap(Prediction.handed, reversed(coarser))

    def _coarse(self, tiles: Iterator[tuple[Box, Tensor]], scale: Scale) -> Tensor:
        """What the next finer scale is handed: (8, H, W), of this scale's size."""
        handed = torch.zeros(HANDED, *scale.user_mask.shape, dtype=torch.float16)
        for core, planes in tiles:
            handed[:, *core.slices] = torch.cat([planes[6:], planes[:2], planes[5:6]]).half()
        return handed

    def _fine(self, tiles: Iterator[tuple[Box, Tensor]], picture: Picture) -> Prediction:
        prediction = Prediction.nothing(picture)
        for core, planes in tiles:
            prediction.probability[core.slices] = planes[0].numpy()
            prediction.opacity[core.slices] = planes[1].numpy()
            prediction.below[core.slices] = (planes[2:5] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
            prediction.verdict[core.slices] = planes[5].numpy()
            prediction.doubt[core.slices] = planes[10].numpy()
        return prediction

    def _tiles(self, scale: Scale, handed: Tensor, whole: int, budget: Budget) -> Iterator[tuple[Box, Tensor]]:
        """Per tile: where it is, and (11, h, w).

        Probability, opacity, picture below, verdict, coarse prediction and doubt; beyond `whole` the doubt is that of
        the coarser scale.
        """
        height, width = shape = scale.user_mask.shape
        beyond = max(shape) > whole
        for core in most_suspect_first(tiles(height, width), handed, shape):
            box = with_context(core, height, width)
            picture, user_mask = (plane[box.slices] for plane in scale)
            mask = torch.from_numpy(user_mask.astype(float32)[None] / 255)
            coarser = enlarged(handed, box, shape)
            hints = torch.cat([coarser[:COARSE], mask])
            if beyond and not mask.any() and float(hints[0].max()) < SUSPECT:
                continue
            if not beyond:
                planes = self._run(picture, hints, VIEWS)
            elif budget.takes(box.area):
                planes = torch.cat([self._run(picture, hints, VIEWS[:1])[:-1], coarser[COARSE : COARSE + 1]])
            else:
                planes = unlooked(picture, coarser)
            top, left = core.top - box.top, core.left - box.left
            yield core, planes[:, top : top + core.height, left : left + core.width]

    def _run(self, picture: Picture, hints: Tensor, views: tuple[tuple[int, ...], ...]) -> Tensor:
        """(11, h, w) of (h, w, 3) and (5, h, w): the mean of the views."""
        height, width = picture.shape[:2]
        down, right = (-(-side // STRIDE) * STRIDE for side in (height, width))
        whole = torch.from_numpy(np.array(mirror(picture, down, right))).to(self.device)
        whole = whole.permute(2, 0, 1)[None].float() / 255
        hints = F.pad(hints[None].to(self.device), (0, right - width, 0, down - height), mode="replicate")
        outputs = torch.cat([self._view(whole, hints, axes) for axes in views])
        mean, doubt = outputs.mean(0), outputs[:, :1].std(0, correction=0)
        mean[0].sigmoid_()
        return torch.cat([mean, doubt])[:, :height, :width].cpu()

    def _view(self, whole: Tensor, hints: Tensor, axes: tuple[int, ...]) -> Tensor:
        """(1, 10, H, W), turned back: logit, opacity, picture below, verdict, coarse prediction."""
        whole = whole.flip(axes)
        output = self.net(whole, hints.flip(axes))
        planes = output.logit, output.opacity, output.below(whole), output.verdict, output.coarse()
        return torch.cat(planes, 1).flip(axes)


def most_suspect_first(cores: list[Box], handed: Tensor, shape: tuple[int, ...]) -> list[Box]:
    """The tiles of a picture of that shape by the opacity that a coarser prediction (8, H, W) holds."""
    if len(cores) == 1:
        return cores
    scale = handed.shape[1] / shape[0]

    def suspicion(core: Box) -> float:
        top, left, bottom, right = (round(side * scale) for side in core)
        return float(handed[0, top:bottom, left:right].float().mean())

    return sorted(cores, key=suspicion, reverse=True)


def unlooked(picture: Picture, coarser: Tensor) -> Tensor:
    """As if (h, w, 3) had been looked at, from what the coarser scale handed, enlarged: (8, h, w) to (11, h, w)."""
    *coarse, doubt, probability, opacity, verdict = coarser.split([1, 3, 1, 1, 1, 1])
    colour = (coarse[1] / coarse[0].clamp(min=1e-3)).clamp(0, 1)
    below = unblended(planes_of(picture), opacity, colour).clamp(0, 1)
    return torch.cat([probability, opacity, below, verdict, *coarse, doubt])


def enlarged(coarse: Tensor, box: Box, shape: tuple[int, int]) -> Tensor:
    """The part of a coarse prediction (C, H, W) that a box of a picture of that shape needs: (C, h, w) float32."""
    if coarse.shape[1:] == shape:  # the coarsest scale's, of zeros
        return coarse[:, *box.slices].float()
    top, left = max(0, box.top // 2 - 1), max(0, box.left // 2 - 1)
    bottom, right = box.bottom // 2 + 2, box.right // 2 + 2
    part = F.interpolate(coarse[None, :, top:bottom, left:right].float(), scale_factor=2.0, mode="bilinear")[0]
    return part[:, box.top - 2 * top :, box.left - 2 * left :][:, : box.height, : box.width]
