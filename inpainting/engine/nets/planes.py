"""Pictures as the planes that torch computes on."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from inpainting.engine.interface import Picture

BAND = 2**15  # pixels that are blurred at once: they stay in the cache, and no threads need to wait for each other


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
    made = torch.empty_like(planes, memory_format=torch.contiguous_format)
    for plane, blurred in zip(F.pad(planes[:, None], [reach] * 4, mode="reflect")[:, 0], made, strict=True):
        band = max(1, BAND // plane.shape[1])
        across = torch.cat([_weighted(rows, taps.tolist(), 1) for rows in plane.split(band)])
        for top in range(0, len(blurred), band):
            blurred[top : top + band] = _weighted(across[top : top + band + 2 * reach], taps.tolist(), 0)
    return made


def _weighted(plane: Tensor, taps: list[float], dim: int) -> Tensor:
    """The sum of neighbours along `dim`, each times its tap. A convolution of one channel fills one lane in sixteen."""
    length = plane.shape[dim] - len(taps) + 1
    total = plane.narrow(dim, 0, length) * taps[0]
    for first, tap in enumerate(taps[1:], 1):
        total.add_(plane.narrow(dim, first, length), alpha=tap)
    return total
