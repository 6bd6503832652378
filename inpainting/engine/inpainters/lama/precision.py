"""Which form of the network runs: the fastest on this machine that says what the reference says."""

import logging
from pathlib import Path

import torch
from torch import Tensor

from inpainting.engine import hardware
from inpainting.engine.hardware import has_fast_fp16
from inpainting.engine.inpainters.lama.choices import fastest
from inpainting.engine.inpainters.lama.fast.gemm import ONEDNN
from inpainting.engine.inpainters.lama.fast.generator import FastLama
from inpainting.engine.inpainters.lama.fast.kernels import Kernels
from inpainting.engine.inpainters.lama.network import Lama, masked_input
from inpainting.engine.weights import WeightsError

logger = logging.getLogger(__name__)

TOLERANCE = 1.0  # levels of 255
SIDE = 256  # pixels of the picture that a form is tried on


class Network:
    """(B, 4, H, W) -> (B, 3, H, W), as `FastLama`, by some kernels.

    What half precision cannot represent is computed again, in fp32, by the reference.
    """

    def __init__(self, lama: Lama, kernels: Kernels, device: str) -> None:
        self.kernels, self.device = kernels, device
        self.repeated = 0  # results that half precision had spoilt
        self._fast = FastLama(lama, kernels, device)
        # In fp32 the reference would come to the same, and costs 200 MB.
        self._reference = None if kernels.precision == "fp32" else lama

    def __call__(self, x: Tensor, winograd: bool | None = None) -> Tensor:
        """`winograd`: as `FastLama`'s."""
        made = self._fast(x, winograd)
        if self._reference is None or bool(made.isfinite().all()):
            return made
        self.repeated += 1
        precision = self.kernels.precision
        logger.warning("%s overflowed, %d times now: computed again in fp32", precision, self.repeated)
        with torch.inference_mode():
            return self._reference(x)


def choose(lama: Lama, wanted: str, device: str, file: Path | None = None) -> Network:
    """The network in the precision that is wanted, by the fastest kernels that agree with `lama`.

    `wanted`: auto, fp32, fp16 or bf16. bf16 is never chosen by auto: with 8 bits it is 5 to 18 levels off. `file`: see
    `choices.fastest`. WeightsError: the weights give nothing finite in fp32 either.
    """
    lama = lama.to(device)
    x, inside = trial_picture(device)
    with torch.inference_mode():
        expected = lama(x)[inside]
    if not expected.isfinite().all():
        raise WeightsError("its weights are damaged: what the network makes with them is not finite.")
    for kernels in fastest(lama, forms(wanted, device), device, file):
        network = Network(lama, kernels, device)
        # Winograd's convolutions are tried even where larger pictures alone gain by them.
        made = network(x, winograd=kernels.winograd_from is not None)[inside]
        levels = 255 * float((made - expected).abs().quantile(0.99))
        if levels <= TOLERANCE and not network.repeated:
            logger.info("LaMa runs by %s", kernels)
            return network
        logger.warning("%s: %.1f levels of 255 from the reference, or overflows", kernels, levels)
        if kernels.precision == wanted != "fp32":
            return network
    return Network(lama, Kernels(), device)


def forms(wanted: str, device: str) -> list[Kernels]:
    """What may be the fastest way to compute in a precision; in auto's, half precision where that has hardware."""
    fp32 = [Kernels(onednn=True), Kernels()] if ONEDNN and not hardware.is_gpu(device) else [Kernels()]
    if wanted == "fp32":
        return fp32
    if wanted == "auto":
        return [Kernels("fp16"), *fp32] if has_fast_fp16(device) else fp32
    return [Kernels(wanted)]


def trial_picture(device: str) -> tuple[Tensor, Tensor]:
    """(1, 4, SIDE, SIDE) with edges, a gradient and grain; and (1, 3, SIDE, SIDE), True in its hole."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    grain = torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    image = torch.stack([(x // 9 + y // 14) % 2 * 0.7, x / SIDE, 0.3 + grain / 5])[None]
    hole = torch.zeros(1, 1, SIDE, SIDE)
    hole[..., SIDE // 3 : SIDE // 2, SIDE // 4 : SIDE // 2] = 1
    image = (image * 255).round() / 255
    return masked_input(image, hole).to(device), hole.bool().expand(-1, 3, -1, -1).to(device)
