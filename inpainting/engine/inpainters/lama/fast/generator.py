"""The generator of `lama.py` rearranged for speed: the same function, to rounding. `lama.py` stays the reference.

Made from a loaded `Lama`: batch normalisation folded into the convolutions, channels last (B, H, W, C), local and
global features in one tensor, encoder and decoder tile by tile, and the decoder only where there is a hole. In fp32 on
a CPU the 3x3 convolutions of the residual blocks may be Winograd's, and the Fourier transforms are FFTs; in half
precision, which has neither complex tensors nor digits to spare, they are direct convolutions and matrix products.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine import hardware
from inpainting.engine.inpainters.lama.fast.fourier import FastFourierUnit, MatrixFourierUnit
from inpainting.engine.inpainters.lama.fast.kernels import Kernels
from inpainting.engine.inpainters.lama.fast.winograd import Convolutions
from inpainting.engine.inpainters.lama.network import DOWNSAMPLINGS, STRIDE, Lama

TILE = 256  # pixels: what is encoded or decoded at once, to bound memory
HALO = 16  # pixels around a tile that its features depend on: 3 + 1 + 2 + 4, in whole strides

PIXEL = 255 / 256  # makes a pixel's k / 255 k / 256, which half precision represents exactly

Module = Any  # torch's modules do not tell their attributes' types


class FastLama:
    """What `Lama` computes, in the hole: (B, 4, H, W) as of `masked_input` -> (B, 3, H, W), RGB in 0..1.

    Takes and gives fp32, whatever it computes in. Outside the hole the result is 0 or what `Lama` makes there.
    """

    def __init__(self, lama: Lama, kernels: Kernels, device: str = "cpu") -> None:
        place = Place(device, kernels.dtype)
        self.kernels = kernels
        blocks = lama.config.n_blocks
        layers: list[Module] = list(lama.model)
        encoder, rest = layers[1 : 2 + DOWNSAMPLINGS], layers[2 + DOWNSAMPLINGS :]
        ups, last = rest[blocks + 1 : -3], rest[-2]
        decoder = [fold(up.weight, bn, up.bias, axis=1) for up, bn in zip(ups[::3], ups[1::3], strict=True)]
        stem, *downs = (fold_layer(layer) for layer in encoder)
        self.encoder = [[place(part) for part in parts] for parts in (_exact(*stem, kernels.dtype), *downs)]
        self.blocks = [
            (FastFFC(block.conv1, kernels, device), FastFFC(block.conv2, kernels, device)) for block in rest[:blocks]
        ]
        self.decoder = [[place(part) for part in folded] for folded in decoder]
        self.last = [place(last.weight), place(last.bias)]

    @torch.inference_mode()
    def __call__(self, x: Tensor, winograd: bool | None = None) -> Tensor:
        """`winograd`: whether convolutions are Winograd's; None: as the kernels say."""
        x, hole = (x * PIXEL).to(self.kernels.dtype, memory_format=torch.channels_last), x[:, 3].amax(0) > 0
        features = self._encode(x.repeat(1, self.encoder[0][0].shape[1] // 4, 1, 1))
        if winograd is None:
            winograd = self.kernels.winograd(features.shape[1] * features.shape[2])
        for first, second in self.blocks:
            features += second(first(features, winograd), winograd)
        made = torch.zeros(len(x), 3, *x.shape[2:], device=x.device)
        for rows, columns in _tight_tiles(hole):
            made[:, :, rows, columns] = self._decode(features, rows, columns)
        return made

    def _encode(self, x: Tensor) -> Tensor:  # (B, 4 or 8, H, W) -> (B, H/8, W/8, C)
        batch, _, height, width = x.shape
        features = x.new_empty(batch, height // STRIDE, width // STRIDE, len(self.encoder[-1][1]))
        for rows in _spans(height):
            for columns in _spans(width):
                top, left = max(0, rows.start - HALO), max(0, columns.start - HALO)
                y = x[:, :, top : rows.stop + HALO, left : columns.stop + HALO]
                for weight, bias in self.encoder:
                    kernel = weight.shape[-1]  # 7 in the stem, which keeps the size, and 3 where it is halved
                    y = F.conv2d(reflect(y, kernel // 2), weight, bias, stride=2 if kernel == 3 else 1).relu_()
                rows_, columns_ = _latent(rows, 0), _latent(columns, 0)
                features[:, rows_, columns_] = y[:, :, _latent(rows, top), _latent(columns, left)].permute(0, 2, 3, 1)
        return features

    def _decode(self, features: Tensor, rows: slice, columns: slice) -> Tensor:  # -> (B, 3, rows, columns)
        """Pixel p needs latent ones (p - 3) // 8 to (p + 10) // 8: the convolution's reach and the upsamplings'."""
        _, height, width, _ = features.shape
        top, left = max(0, (rows.start - 3) // STRIDE), max(0, (columns.start - 3) // STRIDE)
        bottom, right = min(height, (rows.stop + 17) // STRIDE), min(width, (columns.stop + 17) // STRIDE)
        y = features[:, top:bottom, left:right].permute(0, 3, 1, 2)
        for weight, bias in self.decoder:
            y = F.conv_transpose2d(y, weight, bias, stride=2, padding=1, output_padding=1).relu_()
        weight, bias = self.last
        y = F.conv2d(reflect(y, 3), weight, bias)
        own = [slice(s.start - STRIDE * first, s.stop - STRIDE * first) for s, first in ((rows, top), (columns, left))]
        return y[:, :, *own].float().sigmoid()


@dataclass(frozen=True)
class Place:
    """Brings weights to where the network runs, in its precision."""

    device: str
    dtype: torch.dtype

    def __call__(self, weight: Tensor) -> Tensor:
        own = weight.detach().to(self.device, self.dtype)
        return own.to(memory_format=torch.channels_last) if own.ndim == 4 else own


class FastFFC:
    """A residual block's `FFCNormAct`: (B, H, W, L + G) -> (B, H, W, L + G)."""

    def __init__(self, layer: Module, kernels: Kernels, device: str) -> None:
        place, ffc, spectral = Place(device, kernels.dtype), layer.ffc, layer.ffc.convg2g
        self.product = kernels.product
        self.local = layer.bn_l.num_features
        to_local = fold(torch.cat([ffc.convl2l.weight, ffc.convg2l.weight], 1), layer.bn_l)
        to_global = fold(ffc.convl2g.weight, layer.bn_g)
        half = [place(part) for part in fold(spectral.conv1[0].weight, spectral.conv1[1])]
        self.half = half[0].flatten(1).T, half[1]
        self.whole = place(fold(spectral.conv2.weight, layer.bn_g)[0]).flatten(1).T
        weight, shift = (place(part) for part in fold(spectral.fu.conv_layer.weight, spectral.fu.bn))
        bias = place(torch.cat([to_local[1], to_global[1]]))
        self.convolutions = Convolutions(place(to_local[0]), place(to_global[0]), bias, self.product)
        fft = kernels.precision == "fp32" and not hardware.is_gpu(device)
        self.fourier = FastFourierUnit(weight, shift, self.product) if fft else MatrixFourierUnit(weight, shift)

    def __call__(self, x: Tensor, winograd: bool) -> Tensor:
        global_ = x.flatten(0, 2)[:, self.local :]
        half = self.product(global_, *self.half).relu_().view(*x.shape[:3], -1)
        half += self.fourier(half)
        y = self.convolutions.winograd(x) if winograd else self.convolutions.direct(x)
        y[..., self.local :] += self.product(half.flatten(0, 2), self.whole, None).view(*x.shape[:3], -1)
        return y.relu_()


def fold(weight: Tensor, bn: Module, bias: Tensor | None = None, axis: int = 0) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution with the batch normalisation after it. `axis`: the weight's output channels."""
    scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)
    shift = bn.bias - bn.running_mean * scale
    shape = [1] * weight.ndim
    shape[axis] = -1
    return weight * scale.view(shape), shift if bias is None else shift + bias * scale


def fold_layer(layer: Module) -> tuple[Tensor, Tensor]:
    """An encoder's layer, which takes only local features, as one convolution."""
    weight, bias = fold(layer.ffc.convl2l.weight, layer.bn_l)
    if not layer.ffc.splits:
        return weight, bias
    more = fold(layer.ffc.convl2g.weight, layer.bn_g)
    return torch.cat([weight, more[0]]), torch.cat([bias, more[1]])


def _exact(weight: Tensor, bias: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The stem for pixels times `PIXEL`; in half precision for two copies of them, the second with what rounding takes
    from the weights. Half precision errs a sixth less for it (measured on random weights).
    """
    weight = weight / PIXEL
    rounded = weight.to(dtype).float()
    return weight if dtype == torch.float32 else torch.cat([rounded, weight - rounded], 1), bias


def reflect(x: Tensor, pixels: int) -> Tensor:
    return F.pad(x, (pixels,) * 4, mode="reflect")


def _tight_tiles(hole: Tensor) -> Iterator[tuple[slice, slice]]:
    """Boxes of pixels, at most a tile large, that hold the hole (H, W)."""
    hole = hole.cpu()
    for rows in _spans(hole.shape[0]):
        for columns in _spans(hole.shape[1]):
            y, x = (hole[rows, columns].any(axis).nonzero().flatten() for axis in (1, 0))
            if len(y):
                yield (
                    slice(rows.start + int(y[0]), rows.start + int(y[-1]) + 1),
                    slice(columns.start + int(x[0]), columns.start + int(x[-1]) + 1),
                )


def _spans(length: int) -> list[slice]:
    return [slice(start, min(start + TILE, length)) for start in range(0, length, TILE)]


def _latent(pixels: slice, first: int) -> slice:
    """Latent pixels of a tile, counted from the one of pixel `first`."""
    return slice((pixels.start - first) // STRIDE, (pixels.stop - first) // STRIDE)
