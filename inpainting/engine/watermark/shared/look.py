"""A first look at what many pictures have in common: slopes that are the same in most of them.

In a picture's own structure the median slope over many pictures is nearly none; at the edge of a mark it is the mark's.
Put together, the slopes that are no accident show the mark (Dekel et al., "On the Effectiveness of Visible Watermarks",
CVPR 2017).
"""

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy import bool_, uint8
from numpy.typing import NDArray
from torch import Tensor

from inpainting.engine.nets.planes import widen

LIKELY, SURE = 2.2, 4.5  # standard errors: edges that go on from sure ones, and those. Unmarked pictures reach 4.2
SURE_PIXELS = 3  # that an edge must have
LARGE = 150  # pixels from which a likely edge is sure: those of eight unmarked pictures have up to 60
SMALL, NEAR = 12, 40  # pixels: likely edges of more are the mark's, too, so near to sure ones
FEWEST = 24  # pixels of edges, below which there is no mark
PRESENT = 0.3  # of the change at the mark's edges: where there is as much, the mark is
GAP = 5  # pixels, side of the square by which gaps of edges are closed
STEP = 1 / 255  # what rounding adds to a slope


class Look(NamedTuple):
    present: NDArray[bool_]  # (H, W): where the mark is likely to be
    edges: int  # pixels of them that all pictures share: evidence


def look(pictures: list[Tensor]) -> Look | None:
    """Of pictures (3, H, W) in 0..1 of one size; None where they have nothing in common."""
    down, right = (median_slopes(torch.stack([picture.diff(dim=dim) for picture in pictures])) for dim in (1, 2))
    evidence = (F.pad(down[1].square(), (0, 0, 0, 1)) + F.pad(right[1].square(), (0, 1))).sqrt()
    evidence = F.avg_pool2d(evidence[None, None], 3, 1, 1)[0, 0]
    edges = _edges(evidence.numpy())
    if np.count_nonzero(edges) < FEWEST:
        return None
    near = widen(torch.from_numpy(edges), 1)
    change = _integrated(F.pad(down[0], (0, 0, 0, 1)) * near, F.pad(right[0], (0, 1)) * near)
    changed = (change - change.flatten(1).median(1).values[:, None, None]).square().sum(0).sqrt().numpy()
    most = np.quantile(changed[edges], 0.9)
    present = _enclosed(edges) | _bordered(changed > PRESENT * most, edges)
    return Look(present, int(np.count_nonzero(edges)))


def median_slopes(slopes: Tensor) -> tuple[Tensor, Tensor]:
    """Of (N, 3, H, W): the median over the pictures, (3, H, W), and that in standard errors, (H, W)."""
    medians, errors = [], []
    for channel in slopes.unbind(1):  # one after the other: memory stays small
        medians.append(channel.median(0).values)
        spread = (channel - medians[-1]).abs().median(0).values + STEP
        errors.append((medians[-1] / standard_error(spread, len(channel))).abs())
    return torch.stack(medians), torch.stack(errors).amax(0)


def standard_error(spread: Tensor, count: int) -> Tensor:
    """Of a median over so many, by their median absolute deviation; as if they were normally distributed."""
    return 1.4826 * 1.2533 * spread / float(np.sqrt(count))


def _edges(evidence: NDArray[np.float32]) -> NDArray[bool_]:
    """(H, W): parts that are sure somewhere, or large; and those near them, as a mark's letters are near each other."""
    count, part, about, _ = cv2.connectedComponentsWithStats((evidence > LIKELY).astype(uint8))
    size = about[:, cv2.CC_STAT_AREA]
    sure = (np.bincount(part[evidence > SURE], minlength=count) >= SURE_PIXELS) | (size > LARGE)
    sure[0] = False
    near = cv2.dilate(sure[part].astype(uint8), np.ones((2 * NEAR + 1, 2 * NEAR + 1), uint8))
    sure |= (np.bincount(part[near > 0], minlength=count) > 0) & (size > SMALL)
    sure[0] = False
    return np.asarray(sure[part], bool_)


def _enclosed(edges: NDArray[bool_]) -> NDArray[bool_]:
    """(H, W): edges, and what they go round: all but the largest part beside them."""
    closed = cv2.morphologyEx(edges.astype(uint8), cv2.MORPH_CLOSE, np.ones((GAP, GAP), uint8))
    _, part, about, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    return np.asarray(edges | (part != 1 + about[1:, cv2.CC_STAT_AREA].argmax()), bool_)


def _bordered(inside: NDArray[bool_], edges: NDArray[bool_]) -> NDArray[bool_]:
    """(H, W): the parts of what is inside that mostly end at edges; what ends elsewhere has drifted there."""
    count, part = cv2.connectedComponents((inside & ~edges).astype(uint8), connectivity=4)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    outside = cv2.dilate((~inside & ~edges).astype(uint8), cross) > 0
    beside = cv2.dilate(edges.astype(uint8), cross) > 0
    open_, closed = (np.bincount(part[border], minlength=count) for border in (outside, beside))
    kept = closed > 2 * open_
    kept[0] = False
    return np.asarray(kept[part], bool_)


def _integrated(down: Tensor, right: Tensor) -> Tensor:
    """What has these slopes to the next pixel, (3, H, W), by least squares, but for a constant; periodic."""
    shape = down.shape[1:]
    one, two = (torch.exp(2j * torch.pi * torch.fft.fftfreq(side)) - 1 for side in shape)
    power = (one.abs().square()[:, None] + two.abs().square()).clamp(min=1e-9)
    spectrum = (one.conj()[:, None] * torch.fft.fft2(down) + two.conj() * torch.fft.fft2(right)) / power
    spectrum[:, 0, 0] = 0
    return torch.fft.ifft2(spectrum).real
