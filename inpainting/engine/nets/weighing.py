"""A network that weighs candidate fills of a hole against each other, pixel by pixel, and adds a small correction.

Of several ways to fill a hole each is best somewhere. Who has candidates says what the network is given of them and how
much each counts before anything is learned (`Candidates`). Tensors and weights files only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from inpainting.engine.nets.planes import pad
from inpainting.engine.weights import WeightsError

SHARPNESS = 3.0  # of the shares: learned logits are counted in its inverse


@dataclass(frozen=True)
class WeighingConfig:
    """The shape of a network."""

    candidates: int
    inputs: int  # channels
    widths: tuple[int, ...]  # channels at a half, a quarter, ... of the scale
    dilations: tuple[int, ...]  # of the blocks at the coarsest scale
    last_blocks: int  # at a half of the scale, on the way up
    step: float  # of the value range: a correction is counted in it
    file_names: Mapping[str, str] = field(default_factory=dict)  # modules that a weights file calls otherwise

    @property
    def stride(self) -> int:
        """Heights and widths are multiples of it."""
        return int(2 ** len(self.widths))


class Candidates(Protocol):
    """What a network is given of a picture. H and W are multiples of its stride, pictures are in 0..1."""

    @property
    def fills(self) -> tuple[Tensor, ...]:
        """The candidates, (N, 3, H, W) each; the first one is kept outside the hole."""

    @property
    def hole(self) -> Tensor:
        """(N, 1, H, W) of 0 and 1."""

    def inputs(self) -> Tensor:
        """What the network sees: (N, inputs, H, W), centred, differences made large."""

    def prior(self) -> Tensor:
        """Logits by which candidates count before anything is learned: (N, candidates, H, W), or broadcast to it."""


class Block(nn.Module):
    """Residual, before activations (He et al., 2016); begins as the identity."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv1.weight, nonlinearity="relu")
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]  # there is one

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Weighing(nn.Module):
    """A U-Net from half the scale down; pixels are (un)shuffled into channels at both ends."""

    def __init__(self, config: WeighingConfig) -> None:
        super().__init__()
        self.config = config
        widths, coarsest = config.widths, len(config.widths) - 1
        self.entry = nn.Conv2d(4 * config.inputs, widths[0], 3, padding=1)
        levels, downs, lifts, ups = [nn.Sequential(Block(widths[0]))], [], [], []
        for level in range(1, len(widths)):
            downs.append(nn.Conv2d(widths[level - 1], widths[level], 3, stride=2, padding=1))
            dilations = config.dilations if level == coarsest else (1,)
            levels.append(nn.Sequential(*(Block(widths[level], dilation) for dilation in dilations)))
        for level in reversed(range(coarsest)):
            lifts.append(nn.Conv2d(widths[level + 1], widths[level], 1))
            blocks = config.last_blocks if level == 0 else 1
            ups.append(nn.Sequential(*(Block(widths[level]) for _ in range(blocks))))
        self.levels, self.downs = nn.ModuleList(levels), nn.ModuleList(downs)
        self.lifts, self.ups = nn.ModuleList(lifts), nn.ModuleList(ups)  # the coarsest first
        self.head = nn.Conv2d(widths[0], 4 * (config.candidates + 3), 3, padding=1)
        for conv in (self.entry, *downs, *lifts):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]  # there is one

    def forward(self, candidates: Candidates) -> Tensor:
        """(N, 3, H, W), 0..1: the picture with the hole filled; the first candidate outside."""
        x = self.levels[0](self.entry(F.pixel_unshuffle(candidates.inputs(), 2)))
        skips = []
        for down, level in zip(self.downs, self.levels[1:], strict=True):
            skips.append(x)
            x = level(down(F.relu(x)))
        for lift, up in zip(self.lifts, self.ups, strict=True):
            x = up(skips.pop() + F.interpolate(lift(F.relu(x)), scale_factor=2.0, mode="nearest"))
        planes = F.pixel_shuffle(self.head(F.relu(x)), 2).float()
        logits, correction = planes.split([self.config.candidates, 3], 1)
        shares = (candidates.prior() + SHARPNESS * logits).softmax(1).split(1, 1)
        first, *others = candidates.fills
        mixed = shares[0] * first
        for share, fill in zip(shares[1:], others, strict=True):
            mixed = mixed + share * fill
        return (first + candidates.hole * (mixed + self.config.step * correction - first)).clamp(0, 1)


def weigh(net: Weighing, kind: Callable[..., Candidates], planes: Iterable[Tensor]) -> Tensor:
    """What comes of one picture's candidates of that kind, given as planes (1, C, H, W): (3, H, W), or padded."""
    device = net.head.weight.device
    return net(kind(*(pad(plane, net.config.stride).to(device) for plane in planes)))[0]


def load(path: Path, config: WeighingConfig) -> Weighing:
    """The network that a weights file holds, for use. WeightsError: the file is missing or holds something else."""
    net = Weighing(config)
    try:
        names = {in_file(name, config): name for name in net.state_dict()}
        net.load_state_dict({names[name]: value.float() for name, value in load_file(path).items()})
    except Exception as error:  # a missing file, another format, other keys or shapes: all mean the same to the caller
        raise WeightsError(f"{path.name} cannot be read as a network of this shape: {error}") from error
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def save(path: Path, net: Weighing, about: dict[str, str]) -> None:
    """In half precision, with what training it has had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {in_file(name, net.config): value.half().cpu().contiguous() for name, value in net.state_dict().items()}
    save_file(state, path, about)


def in_file(name: str, config: WeighingConfig) -> str:
    """What a weights file calls a parameter."""
    for module, other in config.file_names.items():
        if name.startswith(f"{module}."):
            return other + name.removeprefix(module)
    return name
