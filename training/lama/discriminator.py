"""Tells repainted patches from real ones. The patch discriminator of pix2pixHD, as LaMa uses it.

Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017; Wang et al.,
"High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", CVPR 2018.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDED = 4  # layers that halve the picture
WIDEST = 8  # times the first layer's channels


class Discriminator(nn.Module):
    """Pictures in, a score for each patch out (positive: real), and the features that it came from.

    In: (B, 3, H, W), RGB in 0..1, at least 32 pixels a side. Out: (B, 1, h, w) with h near H / 16, and one (B, C, h, w)
    for each layer but the last.
    """

    def __init__(self, ndf: int = 64) -> None:
        super().__init__()
        widths = [ndf * min(2**i, WIDEST) for i in range(STRIDED + 1)]
        self.layers = nn.ModuleList([nn.Conv2d(3, ndf, 4, stride=2, padding=2)])
        for i, (inputs, outputs) in enumerate(pairwise(widths), 1):
            stride = 2 if i < STRIDED else 1
            conv = nn.Conv2d(inputs, outputs, 4, stride, padding=2, bias=False)
            self.layers.append(nn.Sequential(conv, nn.BatchNorm2d(outputs)))
        self.score = nn.Conv2d(widths[-1], 1, 4, padding=2)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        x = (x * 2 - 1).contiguous(memory_format=torch.channels_last)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.score(x), features
