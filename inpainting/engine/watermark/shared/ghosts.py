"""What a mark that was misjudged leaves in all pictures alike: slopes again, of the restored pictures.

Of a picture's own slopes the median over many is nearly none, however much its levels differ from its surroundings'. So
what the restored pictures' slopes have in common is the ghost. Put together with what levels say, it is taken off, too.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.interface import Picture
from inpainting.engine.nets.planes import planes
from inpainting.engine.watermark.shared.look import STEP, standard_error

TRUST = 0.001  # in levels, against slopes: the errors of neighbouring levels are much alike
STEPS, ENOUGH = 200, 1e-5  # of conjugate gradients at most, and the part of the error at which they end
BAND = 1 << 16  # pixels whose slopes are looked at together


def ghost(crops: list[Picture], opacity: Tensor, light: Tensor, certainty: Tensor, hole: Tensor) -> Tensor:
    """(3, h, w), 0 outside `hole` (h, w): what crops (h, w, 3) have in common once restored, (y - light) / (1 - a).

    `certainty` (1, h, w): 1 / variance of the levels' error.
    """
    slopes = [_median_slopes(crops, opacity, light, dim) for dim in (1, 2)]
    inside, trust = hole[None].float(), TRUST * certainty

    def spread(flows: list[Tensor]) -> Tensor:
        """What the flows along slopes bring to each pixel."""
        total = torch.zeros_like(light)
        for flow, dim in zip(flows, (1, 2), strict=True):
            length = flow.shape[dim]
            total.narrow(dim, 1, length).add_(flow)
            total.narrow(dim, 0, length).sub_(flow)
        return total

    def pull(plane: Tensor) -> Tensor:
        flows = [weight * plane.diff(dim=dim) for (_, weight), dim in zip(slopes, (1, 2), strict=True)]
        return (trust * plane + spread(flows)) * inside

    weights = [weight.expand(3, -1, -1) for _, weight in slopes]
    diagonal = trust + sum(
        F.pad(weight, after) + F.pad(weight, before)
        for weight, after, before in zip(weights, ((0, 0, 0, 1), (0, 1)), ((0, 0, 1, 0), (1, 0)), strict=True)
    )
    return _solved(pull, spread([weight * slope for slope, weight in slopes]) * inside, diagonal)


def _median_slopes(crops: list[Picture], opacity: Tensor, light: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Of the restored crops: (3, h', w'), and 1 / variance, (1, h', w'). Band by band, so that memory stays small."""
    height, width = light.shape[1:]
    rows, medians, weights = max(2, BAND // width), [], []
    for top in range(0, height - (dim == 1), rows):
        band = slice(top, min(height, top + rows + (dim == 1)))
        see_through = 1 - opacity[:, band]
        restored = torch.stack([(planes(crop[band]) - light[:, band]) / see_through for crop in crops])
        slopes = restored.diff(dim=dim + 1)
        median = slopes.median(0).values
        spread = (slopes - median).abs().median(0).values.mean(0, keepdim=True) + STEP
        medians.append(median)
        weights.append(standard_error(spread, len(crops)) ** -2)
    return torch.cat(medians, 1), torch.cat(weights, 1)


def _solved(pull: Callable[[Tensor], Tensor], wanted: Tensor, diagonal: Tensor) -> Tensor:
    """The plane that `pull` makes `wanted` of: conjugate gradients with Jacobi's preconditioner."""
    plane, left = torch.zeros_like(wanted), wanted.clone()
    way = near = left / diagonal
    error = first = (left * near).sum()
    for _ in range(STEPS):
        if error <= ENOUGH * first:
            break
        pulled = pull(way)
        length = error / (way * pulled).sum()
        plane += length * way
        left -= length * pulled
        near = left / diagonal
        last, error = error, (left * near).sum()
        way = near + error / last * way
    return plane
