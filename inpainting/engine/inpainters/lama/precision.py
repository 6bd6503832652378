"""Which form of the network runs: the fastest that this machine has and that says what the reference says."""

import logging

import torch
from torch import Tensor

from inpainting.engine.hardware import has_fast_fp16
from inpainting.engine.inpainters.lama.fast.generator import FastLama
from inpainting.engine.inpainters.lama.network import Lama, masked_input
from inpainting.engine.weights import WeightsError

logger = logging.getLogger(__name__)

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
TOLERANCE = 1.0  # levels of 255
SIDE = 256  # pixels of the picture that a form is tried on: enough for Winograd's convolutions to be used on it


class Network:
    """(B, 4, H, W) -> (B, 3, H, W), as `FastLama`, in one precision.

    What half precision cannot represent is computed again, in fp32, by the reference.
    """

    def __init__(self, lama: Lama, precision: str, device: str, winograd: bool = True) -> None:
        self.precision, self.device = precision, device
        self.repeated = 0  # results that half precision had spoilt
        self._fast = FastLama(lama, DTYPES[precision], device, winograd)
        # In fp32 the reference would come to the same, and costs 200 MB.
        self._reference = None if precision == "fp32" else lama

    def __call__(self, x: Tensor) -> Tensor:
        made = self._fast(x)
        if self._reference is None or bool(made.isfinite().all()):
            return made
        self.repeated += 1
        logger.warning("%s overflowed, %d times now: computed again in fp32", self.precision, self.repeated)
        with torch.inference_mode():
            return self._reference(x)


def choose(lama: Lama, wanted: str, device: str) -> Network:
    """The network in the precision that is wanted; auto: the fastest one that agrees with `lama`.

    `wanted`: auto, fp32, fp16 or bf16. bf16 is never chosen by auto: with 8 bits it is 5 to 18 levels off.
    WeightsError: the weights give nothing finite in fp32 either.
    """
    lama = lama.to(device)
    x, inside = trial_picture(device)
    with torch.inference_mode():
        expected = lama(x)[inside]
    if not expected.isfinite().all():
        raise WeightsError("its weights are damaged: what the network makes with them is not finite.")
    forms = [(wanted, True)] if wanted != "auto" else [("fp16", True)] if has_fast_fp16(device) else []
    for precision, winograd in [*forms, ("fp32", True)]:
        network = Network(lama, precision, device, winograd)
        levels = 255 * float((network(x)[inside] - expected).abs().quantile(0.99))
        if levels <= TOLERANCE and not network.repeated:
            return network
        logger.warning("%s is %.1f levels of 255 from the reference, or overflows", precision, levels)
        if precision == wanted != "fp32":
            return network
    return Network(lama, "fp32", device, winograd=False)


def trial_picture(device: str) -> tuple[Tensor, Tensor]:
    """(1, 4, SIDE, SIDE) with edges, a gradient and grain; and (1, 3, SIDE, SIDE), True in its hole."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    grain = torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    image = torch.stack([(x // 9 + y // 14) % 2 * 0.7, x / SIDE, 0.3 + grain / 5])[None]
    hole = torch.zeros(1, 1, SIDE, SIDE)
    hole[..., SIDE // 3 : SIDE // 2, SIDE // 4 : SIDE // 2] = 1
    image = (image * 255).round() / 255
    return masked_input(image, hole).to(device), hole.bool().expand(-1, 3, -1, -1).to(device)
