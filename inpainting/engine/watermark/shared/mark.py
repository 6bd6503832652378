"""The mark that many pictures share, computed from all of them: where, then by levels, then by what is left of it."""

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from inpainting.engine.crops.boxes import Box, tight_boxes
from inpainting.engine.interface import Picture
from inpainting.engine.nets.planes import planes, widen
from inpainting.engine.shared_mark import Frame, SharedMark, Shot, Steps
from inpainting.engine.watermark.shared.frames import cut, frames, used
from inpainting.engine.watermark.shared.ghosts import ghost
from inpainting.engine.watermark.shared.levels import MARGIN, Levels, measure
from inpainting.engine.watermark.shared.look import Look, look

LOOKED_AT, SIDE = 16, 640  # pictures, and pixels of their sides at most, in which a mark is looked for
AREA = 1 << 21  # pixels that a mark is measured in; of a larger one every second each way, or fewer
STACK = 24 * AREA  # pixels of all pictures that are kept for that
PASSES = 2  # what slopes say the mark is, levels are measured for again
CHANGED = 0.15  # of the change by the mark: what changes less is none of it
OPAQUE = 0.95  # above it a pixel holds nothing to be computed from
RIM = 3  # pixels around a mark that JPEG's coarse colours carry it to


def estimate(shots: Sequence[Shot]) -> Steps:
    """The mark that most of `shots` share, in steps; None where they share none."""
    chosen = used(shots)
    found = yield from _found(chosen)
    if found is None:
        return None
    frame, factor, present = found
    box = _surroundings(present, factor, frame)
    finer = max(1, int(np.ceil(np.sqrt(box.area / AREA))))
    crops: list[Picture] = []
    for shot in chosen[: STACK // (box.area // finer**2)]:
        picture = yield shot
        crops.append(_reduced(cut(_sent(picture), frame)[box.slices], finer))
    enlarged = Image.fromarray(present).resize((present.shape[1] * factor, present.shape[0] * factor))
    inside = np.asarray(enlarged.crop((box.left, box.top, box.right, box.bottom)).resize(crops[0].shape[1::-1]))
    where = torch.from_numpy(inside.copy())
    for _ in range(PASSES):
        levels = yield from measure(crops, where)
        if levels is None:
            return None
        opacity, light = _without_ghost([crops[number] for number in levels.shown], levels)
        change = (light - opacity * levels.below).square().sum(0).sqrt()
        where = change > CHANGED * np.quantile(change[where].numpy(), 0.9)
    opacity, light = (plane * widen(where, RIM) for plane in (opacity, light))
    return _tight(SharedMark(frame, box, _at_size(opacity, box)[..., 0], _at_size(light, box)))


def _found(shots: list[Shot]) -> Generator[Shot | None, Picture | None, tuple[Frame, int, np.ndarray] | None]:
    """Which frame of the pictures has a mark, how many times smaller it was seen, and where it is there, (H, W)."""
    candidates = frames(shots)
    factor = -(-max(candidates[0].height, candidates[0].width) // SIDE)
    small: list[list[Picture]] = [[] for _ in candidates]
    for shot in shots[:: -(-len(shots) // LOOKED_AT)]:
        picture = _sent((yield shot))
        for frame, row in zip(candidates, small, strict=True):
            row.append(_reduced(cut(picture, frame), factor))
    best: tuple[Look, Frame] | None = None
    for frame, row in zip(candidates, small, strict=True):
        yield None
        seen = look([planes(picture) for picture in row])
        if seen is not None and (best is None or seen.edges > best[0].edges):
            best = seen, frame
    return None if best is None else (best[1], factor, best[0].present)


def _sent(picture: Picture | None) -> Picture:
    assert picture is not None, "a shot that was asked for was not sent"  # noqa: S101 - a mistake of the caller
    return picture


def _reduced(picture: Picture, factor: int) -> Picture:
    return np.ascontiguousarray(picture) if factor == 1 else np.asarray(Image.fromarray(picture).reduce(factor))


def _surroundings(present: np.ndarray, factor: int, frame: Frame) -> Box:
    """Where the mark is, seen so many times smaller, with room around it: in pixels of the frame."""
    [tight] = tight_boxes(present, Box(0, 0, *present.shape))
    enlarged = Box(*(side * factor for side in tight))
    return enlarged.widened(MARGIN, frame.height, frame.width)


def _without_ghost(crops: list[Picture], levels: Levels) -> tuple[Tensor, Tensor]:
    """Opacity (1, h, w) and light (3, h, w), by what the crops that show the mark still have in common without it."""
    opacity = levels.opacity.clamp(max=OPAQUE)
    light, hole = opacity * levels.colour, widen(opacity[0] > 0, RIM)
    return opacity, light + (1 - opacity) * ghost(crops, opacity, light, levels.certainty, hole)


def _tight(mark: SharedMark) -> SharedMark | None:
    """Without what is around it; None: nothing of it is left."""
    seen = (mark.opacity > 0) | (mark.light != 0).any(2)
    boxes = tight_boxes(seen, Box(0, 0, *seen.shape))
    if not boxes:
        return None
    inside = boxes[0].slices
    box = boxes[0].moved(mark.box.top, mark.box.left)
    return replace(mark, box=box, opacity=mark.opacity[inside], light=mark.light[inside])


def _at_size(plane: Tensor, box: Box) -> np.ndarray:
    """(C, h, w) to (H, W, C) of the box."""
    if plane.shape[1:] != (box.height, box.width):
        plane = F.interpolate(plane[None], (box.height, box.width), mode="bilinear")[0]
    return np.ascontiguousarray(plane.permute(1, 2, 0).numpy())
