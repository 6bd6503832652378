"""Pictures as the planes that torch computes on."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from inpainting.engine.interface import Picture

BAND = 256  # rows that are blurred at once


def planes(picture: Picture) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W), 0..1."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float() / 255


def picture_of(planes: Tensor) -> Picture:
    """(3, H, W), 0..1, to (H, W, 3) uint8, rounded."""
    return np.asarray((planes * 255).round().to(torch.uint8).permute(1, 2, 0).cpu())


def pad(planes: Tensor, multiple: int) -> Tensor:
    """(N, C, H, W) to multiples of that, at the right and the bottom."""
    height, width = planes.shape[2:]
    return F.pad(planes, (0, -width % multiple, 0, -height % multiple), mode="replicate")


def reduce(picture: Picture, factor: int) -> Tensor:
    """The same, so many times smaller; blocks at the edges are of what there is."""
    return planes(np.asarray(Image.fromarray(picture).reduce(factor)))


def widen(present: Tensor, pixels: int) -> Tensor:
    """(H, W) bool, by so many on every side."""
    return F.max_pool2d(present[None].float(), 2 * pixels + 1, 1, pixels)[0] > 0


def blur(planes: Tensor, sigma: float) -> Tensor:
    """(C, H, W) by a Gaussian, mirrored at the edges."""
    reach = min(int(3 * sigma + 0.5), *(side - 1 for side in planes.shape[1:]))
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1.0) / sigma) ** 2)
    taps = (taps / taps.sum()).to(planes.dtype)
    planes = F.pad(planes[:, None], (reach, reach, reach, reach), mode="reflect")
    made = planes.new_empty(len(planes), planes.shape[2] - 2 * reach, planes.shape[3] - 2 * reach)
    for top in range(0, made.shape[1], BAND):  # oneDNN lays one channel out as sixteen
        rows = planes[:, :, top : top + BAND + 2 * reach]
        made[:, top : top + BAND] = F.conv2d(F.conv2d(rows, taps[None, None, None]), taps[None, None, :, None])[:, 0]
    return made
