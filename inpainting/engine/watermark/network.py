"""The watermark network: which pixels are marked, how opaque the mark is there, its colour, and the picture below it.

A marked pixel is y = (1 - a) x + a c, with the opacity a, the mark's colour c and the lost picture x. The network says
a and c, so that x = y + a / (1 - a) (y - c) is computed, not learned; a small learned correction mends what JPEG did.
Torch only.
"""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STRIDE = 16  # heights and widths are multiples of it
COARSE = 4  # channels of a coarse prediction, the network's own at half the scale: opacity, and opacity times colour
HINTS = COARSE + 1  # and the user mask: 1 where something is to go, 0 elsewhere and where there is none
OPAQUE = 0.9  # above it a pixel holds too little of the picture to be computed from
REPAINTED = 0.75  # opacity: what is computed through more of it errs more than what is filled anew (measured)


@dataclass(frozen=True)
class UnblendConfig:
    widths: tuple[int, int, int, int] = (32, 64, 96, 160)  # channels at 1/2, 1/4, 1/8 and 1/16 of the scale
    blocks: tuple[int, int, int, int] = (0, 2, 2, 4)  # residual blocks of the way down


class Residual(nn.Module):
    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        # Begins as the identity (Goyal et al., 2017), so that trained networks can grow.
        nn.init.zeros_(self.bn2.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(x + self.bn2(self.conv2(y)), inplace=True)


def entry(channels: int, out: int, stride: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))


class Unblend(nn.Module):
    """A U-Net from half the scale down to a sixteenth; pixels are (un)shuffled into channels at both ends."""

    def __init__(self, config: UnblendConfig = UnblendConfig()) -> None:
        super().__init__()
        self.config = config
        widths, blocks = config.widths, config.blocks
        self.down = nn.ModuleList()
        for level, width in enumerate(widths):
            into = entry((3 + HINTS) * 4, width, 1) if level == 0 else entry(widths[level - 1], width, 2)
            deepest = level == len(widths) - 1
            body = [Residual(width, dilation=1 + number % 2 if deepest else 1) for number in range(blocks[level])]
            self.down.append(nn.Sequential(into, *body))
        self.lift = nn.ModuleList(nn.Conv2d(widths[i + 1], widths[i], 1) for i in range(len(widths) - 1))
        self.up = nn.ModuleList(Residual(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 8 * 4, 3, padding=1)
        # Of every level, deepest first; learned last, from what the finished network takes for marks (training).
        self.verdict = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in reversed(widths)).requires_grad_(False)
        for conv in self.verdict.parameters():
            nn.init.zeros_(conv)

    def forward(self, picture: Tensor, hints: Tensor) -> "NetworkOutput":
        """`picture` (N, 3, H, W) and `hints` (N, 5, H, W) in 0..1; H and W multiples of 16."""
        x = F.pixel_unshuffle(torch.cat([picture, hints], 1), 2).to(self.head.weight.dtype)
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
        skips.pop()
        deepest, *verdicts = self.verdict
        verdict = deepest(x)
        for lift, up, conv in zip(reversed(self.lift), reversed(self.up), verdicts, strict=True):
            x = up(F.interpolate(lift(x), scale_factor=2.0, mode="nearest") + skips.pop())
            verdict = F.interpolate(verdict, scale_factor=2.0, mode="nearest") + conv(x)
        logit, opacity, colour, correction = (
            F.pixel_shuffle(self.head(x), 2).float().contiguous().split([1, 1, 3, 3], 1)
        )
        verdict = F.interpolate(verdict.float(), scale_factor=2.0, mode="nearest")
        return NetworkOutput(logit, opacity.sigmoid(), colour.sigmoid(), 0.1 * correction.tanh(), verdict)


def fused(net: Unblend, dtype: torch.dtype) -> Unblend:
    """The same network for use, in that precision: BatchNorms folded into the convolutions, channels last."""
    net = copy.deepcopy(net).eval().requires_grad_(False)
    for module in net.modules():
        for conv, bn in (("conv1", "bn1"), ("conv2", "bn2"), ("0", "1")):  # of residual blocks, and of their entries
            if isinstance(getattr(module, bn, None), nn.BatchNorm2d):
                setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, bn)))
                setattr(module, bn, nn.Identity())
    return net.to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's types


@dataclass(frozen=True)
class NetworkOutput:
    logit: Tensor  # (N, 1, H, W): of the probability that a pixel is marked
    opacity: Tensor  # (N, 1, H, W) 0..1
    colour: Tensor  # (N, 3, H, W) 0..1, means something where a pixel is marked
    correction: Tensor  # (N, 3, H, W) -0.1..0.1
    verdict: Tensor  # (N, 1, H, W): its mean over a part of a picture says whether that is a mark (components.py)

    def below(self, picture: Tensor) -> Tensor:
        """The picture below the mark, as if every pixel were marked: (N, 3, H, W), 0..1."""
        return (unblended(picture, self.opacity, self.colour) + self.correction).clamp(0, 1)

    def coarse(self) -> Tensor:
        """The coarse prediction that the network is given at twice the scale: (N, 4, H, W), to be resized."""
        opacity = self.opacity * self.logit.sigmoid()
        return torch.cat([opacity, opacity * self.colour], 1)


def unblended(picture: Tensor, opacity: Tensor, colour: Tensor) -> Tensor:
    """What is below a mark of that opacity and colour; values may lie beyond 0..1."""
    opacity = opacity.clamp(max=OPAQUE)
    gain = opacity / (1 - opacity)
    return picture + gain * (picture - colour)
