"""What the small networks are built of, and their files."""

from pathlib import Path
from typing import TypeVar

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from inpainting.engine.weights import WeightsError

Net = TypeVar("Net", bound=nn.Module)


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


def read(path: Path, net: Net) -> Net:
    """The network with what a file holds, for use. WeightsError: the file is missing or holds something else."""
    try:
        net.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    except Exception as error:  # a missing file, another format, other keys or shapes: all mean the same to the caller
        raise WeightsError(f"{path.name} cannot be read as a {type(net).__name__.lower()} network: {error}") from error
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def write(path: Path, net: nn.Module, about: dict[str, str]) -> None:
    """In half precision, with what training it has had."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().cpu().contiguous() for name, value in net.state_dict().items()}, path, about)
