"""MI-GAN's generator: a U-Net of separable convolutions. Tensors only: no files, no devices, no Django.

Sargsyan et al., "MI-GAN: A Simple Baseline for Image Inpainting on Mobile Devices", ICCV 2023. Module names are the
official inference model's (github.com/Picsart-AI-Research/MI-GAN, MIT), so that its weights load as they are.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 512  # pixels: what the released weights take
CHANNELS = 1 << 15  # over the side: a level's channels
MOST_CHANNELS = 512
GAIN, CLAMP = 2**0.5, 256.0
BINOMIAL = torch.tensor([1.0, 3, 3, 1])  # smooths what is made smaller or larger


def activation(x: Tensor) -> Tensor:
    return (F.leaky_relu(x, 0.2) * GAIN).clamp(-CLAMP, CLAMP)


def binomial(channels: int, gain: float) -> nn.Parameter:
    """(C, 1, 4, 4), of the sum `gain`."""
    kernel = torch.outer(BINOMIAL, BINOMIAL)
    return nn.Parameter((kernel * gain / kernel.sum()).repeat(channels, 1, 1, 1))


class Downsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.filter = nn.Conv2d(channels, channels, 4, stride=2, padding=1, groups=channels, bias=False)
        self.filter.weight = binomial(channels, 1)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H/2, W/2)
        return self.filter(x)


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.filter = nn.Conv2d(channels, channels, 4, groups=channels, bias=False)
        self.filter.weight = binomial(channels, 4)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, 2H, 2W)
        sparse = torch.stack([x, torch.zeros_like(x)], -1).flatten(-2)  # a zero after each column, then below each row
        sparse = torch.stack([sparse, torch.zeros_like(sparse)], -2).flatten(-3, -2)
        return self.filter(F.pad(sparse, (2, 1, 2, 1)))


class Separable(nn.Module):
    """A convolution of each channel and one across channels, with noise at `noise` pixels a side, if there is any."""

    def __init__(self, inputs: int, outputs: int, resize: str = "", noise: int = 0) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs)
        self.conv2 = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.downsample = Downsample(inputs) if resize == "down" else None
        self.upsample = Upsample(outputs) if resize == "up" else None
        self.has_noise = noise > 0
        if noise:
            self.register_buffer("noise_const", torch.zeros(noise, noise))
            self.noise_strength = nn.Parameter(torch.zeros([]))

    def forward(self, x: Tensor) -> Tensor:
        x = activation(self.conv1(x))
        x = self.conv2(x if self.downsample is None else self.downsample(x))
        x = x if self.upsample is None else self.upsample(x)
        if self.has_noise:
            x = torch.addcmul(x, self.get_buffer("noise_const"), self.noise_strength)
        return activation(x)


class EncoderBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, *, first: bool, last: bool) -> None:
        super().__init__()
        if first:
            self.fromrgb = nn.Conv2d(4, inputs, 1)
        self.conv1 = Separable(inputs, inputs)
        self.conv2 = Separable(inputs, outputs, resize="" if last else "down")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        feature = self.conv1(x)
        return self.conv2(feature), feature


class FirstSynthesisBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Separable(channels, channels), Separable(channels, channels)
        self.torgb = nn.Conv2d(channels, 3, 1)

    def forward(self, x: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv2(self.conv1(x) + feature)
        return x, self.torgb(x)


class SynthesisBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        self.conv1 = Separable(inputs, outputs, resize="up", noise=side)
        self.conv2 = Separable(outputs, outputs, noise=side)
        self.torgb = nn.Conv2d(outputs, 3, 1)
        self.upsample = Upsample(3)

    def forward(self, x: Tensor, feature: Tensor, rgb: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv2(self.conv1(x) + feature)
        return x, self.upsample(rgb) + self.torgb(x)


class Migan(nn.Module):
    """(B, 4, side, side), the channels of `masked_input`, to (B, 3, side, side): RGB in -1..1, about."""

    def __init__(self, side: int = SIDE) -> None:
        """`side`: a power of two, 8 at least."""
        super().__init__()
        self.sides = [1 << power for power in range(side.bit_length() - 1, 1, -1)]  # side, side / 2, ... 4
        width = {each: min(CHANNELS // each, MOST_CHANNELS) for each in self.sides}
        self.synthesis, self.encoder = nn.Module(), nn.Module()
        for each, below in zip(self.sides, [*self.sides[1:], 4], strict=True):
            encoder = EncoderBlock(width[each], width[below], first=each == side, last=each == 4)
            setattr(self.encoder, f"b{each}", encoder)
            of_side = FirstSynthesisBlock(width[4]) if each == 4 else SynthesisBlock(width[below], width[each], each)
            setattr(self.synthesis, f"b{each}", of_side)

    def forward(self, x: Tensor) -> Tensor:
        first = getattr(self.encoder, f"b{self.sides[0]}")
        x, features = activation(first.fromrgb(x)), {}
        for side in self.sides:
            x, features[side] = getattr(self.encoder, f"b{side}")(x)
        x, rgb = getattr(self.synthesis, "b4")(x, features[4])  # noqa: B009 - types know no members of modules
        for side in reversed(self.sides[:-1]):
            x, rgb = getattr(self.synthesis, f"b{side}")(x, features[side], rgb)
        return rgb


def masked_input(image: Tensor, hole: Tensor) -> Tensor:
    """(B, 3, H, W) RGB in 0..1 and (B, 1, H, W) of 0 and 1 to (B, 4, H, W): what is known, then the picture of it."""
    return torch.cat([0.5 - hole, (2 * image - 1) * (1 - hole)], dim=1)
