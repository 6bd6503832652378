"""Matrix products (M, K) x (K, N) -> (M, N), plus a bias (N): by whichever library is the faster here.

torch multiplies fp32 matrices with MKL. On AMD's processors with AVX-512 that reaches 40% of what oneDNN does (91
against 205 GFLOP/s measured on one core of an EPYC); on those with AVX2, and on Intel's, MKL is the faster.
"""

from collections.abc import Callable

import torch
from torch import Tensor

ONEDNN = torch.backends.mkldnn.is_available()

Product = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def by_torch(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """In any precision, on any device."""
    return a @ b if bias is None else torch.addmm(bias, a, b)


def by_onednn(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """In fp32 on a CPU, where there is oneDNN."""
    made: Tensor = torch.ops.mkldnn._linear_pointwise(a, b.T, bias, "none", [], "")
    return made
