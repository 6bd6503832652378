"""LaMa with random weights that behave like trained ones: speed depends on the shape alone, so none are needed."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from benchmarks.photographs import photograph, spots
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig, masked_input

BIG = LamaConfig(ngf=64, n_blocks=18)
NARROW = LamaConfig(ngf=32, n_blocks=9)
SIDE = 256  # pixels of the picture that the statistics are taken from
CONTRAST = 1.5  # standard deviation before the sigmoid: values from all of 0..1


class Release(nn.Module):
    """The official TorchScript's names and arguments: (1, 3, H, W), (1, 1, H, W) -> (1, 3, H, W)."""

    def __init__(self, lama: Lama) -> None:
        super().__init__()
        self.model = nn.ModuleDict({"generator": lama})

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        predicted: Tensor = self.model["generator"](torch.cat([image * (1 - mask), mask], dim=1))
        return mask * predicted + (1 - mask) * image


@torch.no_grad()
def calibrated(config: LamaConfig, side: int = SIDE) -> Lama:
    """Random convolutions, with every BatchNorm's statistics taken from a picture, as training would have left them."""
    torch.manual_seed(0)
    lama = Lama(config)
    for module in lama.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the average over what it has seen
    image, hole = tensors(side)
    lama.train()(masked_input(image, hole))
    lama.eval()
    last, logits = lama.model[-2], []
    handle = last.register_forward_hook(lambda *call: logits.append(call[2]))
    lama(masked_input(image, hole))
    handle.remove()
    last.weight *= CONTRAST / logits[0].std()
    return lama.requires_grad_(False)


def tensors(side: int) -> tuple[Tensor, Tensor]:
    """(1, 3, side, side) RGB in 0..1 and (1, 1, side, side) of 0 and 1."""
    image = torch.from_numpy(photograph(side, side)).permute(2, 0, 1)[None] / 255
    return image, (torch.from_numpy(spots(side, side).copy())[None, None] > 0).float()


def save(lama: Lama, path: Path) -> Path:
    """As one of our own files."""
    save_file(lama.state_dict(), path)
    return path


def save_release(lama: Lama, path: Path) -> Path:
    """As the official release is saved, for those who read only that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.jit.trace(Release(lama), tensors(64)).save(path)
    return path
