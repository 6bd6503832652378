"""Pictures as the planes that torch computes on."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .interface import Picture


def planes(picture: Picture) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W), 0..1."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float() / 255


def reduced(picture: Picture, factor: int) -> Tensor:
    """The same, so many times smaller; blocks at the edges are of what there is."""
    return planes(np.asarray(Image.fromarray(picture).reduce(factor)))
