"""Matrix products: oneDNN's are what torch's are."""

import pytest
import torch

from inpainting.engine.inpainters.lama.fast.gemm import ONEDNN, by_onednn, by_torch
from inpainting.engine.inpainters.lama.fast.kernels import Kernels


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (256, 512, 128)])
@pytest.mark.parametrize(
    ("kernels", "rounding"), [(Kernels(), 1e-4), (Kernels(onednn=True), 1e-4), (Kernels("bf16"), 1e-2)]
)
def test_product(shape: tuple[int, int, int], kernels: Kernels, rounding: float) -> None:
    if kernels.onednn and not ONEDNN:
        pytest.skip("this build of torch has no oneDNN")
    rows, inner, columns = shape
    generator, dtype = torch.Generator().manual_seed(0), kernels.dtype
    a = torch.randn(rows, 2 * inner, generator=generator).to(dtype)[:, :inner]  # a part of a matrix, as callers have it
    b, bias = (torch.randn(*size, generator=generator).to(dtype) for size in ((inner, columns), (columns,)))

    for plus in (None, bias):
        expected = a.double() @ b.double() + (0 if plus is None else plus.double())
        made = kernels.product(a, b, plus)
        assert made.dtype == dtype
        torch.testing.assert_close(made.double(), expected, rtol=rounding, atol=10 * rounding)


def test_kernels_name_their_library() -> None:
    assert (Kernels().product, Kernels(onednn=True).product) == (by_torch, by_onednn)
