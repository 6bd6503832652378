"""LaMa's generator as training runs it: the same parameters and the same results, by faster arithmetic."""

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.inpainters.lama.network import FourierUnit, Lama
from inpainting.engine.nets import dft


class TrainableFourierUnit(FourierUnit):
    """A Fourier unit whose transforms are matrix products."""

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        channels = x.shape[1]
        spectrum = dft.transform(x.permute(0, 2, 3, 1))  # (B, H, W//2+1, 2C): real parts, then imaginary ones
        kernel = self.conv_layer.weight.view(2 * channels, channels, 2).transpose(1, 2).flatten(1)
        mixed = F.linear(spectrum, kernel)  # real and imaginary parts interleaved, as BatchNorm has them
        mixed = self.bn(mixed.permute(0, 3, 1, 2)).relu().permute(0, 2, 3, 1)
        mixed = mixed.unflatten(3, (channels, 2)).transpose(3, 4).flatten(3)
        return dft.inverse(mixed, x.shape[3]).permute(0, 3, 1, 2)


def trainable(lama: Lama) -> Lama:
    """The generator itself, made ready: channels last, transforms as matrix products, in train mode."""
    for module in lama.modules():
        if type(module) is FourierUnit:
            module.__class__ = TrainableFourierUnit
    lama.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return lama.requires_grad_(True).train()
