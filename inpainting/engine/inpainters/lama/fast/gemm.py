"""Matrix products at the processor's own speed.

torch multiplies fp32 matrices with MKL, which on AMD's processors reaches 40% of what they can do (91 against 205
GFLOP/s measured on one core of an EPYC with AVX-512); its convolutions are oneDNN's, which knows no such difference.
"""

import torch
from torch import Tensor

ONEDNN = torch.backends.mkldnn.is_available()


def product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """(M, K) and (K, N) -> (M, N), plus `bias` (N); any precision, any device."""
    if ONEDNN and a.dtype == torch.float32 and a.device.type == "cpu":
        return torch.ops.mkldnn._linear_pointwise(a, b.T, bias, "none", [], "")
    return a @ b if bias is None else torch.addmm(bias, a, b)
