"""How the fast form of the network is computed."""

from dataclasses import dataclass

import torch

from inpainting.engine.inpainters.lama.fast.gemm import Product, by_onednn, by_torch

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Kernels:
    precision: str = "fp32"  # or fp16, bf16
    onednn: bool = False  # who multiplies matrices: oneDNN, which can in fp32 on a CPU, or torch's own choice
    winograd_from: int | None = None  # latent pixels from which 3x3 convolutions are Winograd's; None: never

    @property
    def dtype(self) -> torch.dtype:
        return DTYPES[self.precision]

    @property
    def product(self) -> Product:
        return by_onednn if self.onednn else by_torch

    def winograd(self, pixels: int) -> bool:
        """Whether features of so many pixels are convolved in Winograd's way."""
        return self.winograd_from is not None and pixels >= self.winograd_from
