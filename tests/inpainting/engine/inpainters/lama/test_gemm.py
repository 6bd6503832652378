"""Matrix products: oneDNN's are what torch's are."""

import pytest
import torch

from inpainting.engine.inpainters.lama.fast import gemm


@pytest.mark.parametrize("onednn", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (256, 512, 128)])
def test_product(
    shape: tuple[int, int, int], dtype: torch.dtype, onednn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if onednn and not gemm.ONEDNN:
        pytest.skip("this build of torch has no oneDNN")
    monkeypatch.setattr(gemm, "ONEDNN", onednn)
    rows, inner, columns = shape
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(rows, 2 * inner, generator=generator).to(dtype)[:, :inner]  # a part of a matrix, as callers have it
    b, bias = (torch.randn(*size, generator=generator).to(dtype) for size in ((inner, columns), (columns,)))

    rounding = 1e-2 if dtype == torch.bfloat16 else 1e-4
    for plus in (None, bias):
        expected = a.double() @ b.double() + (0 if plus is None else plus.double())
        made = gemm.product(a, b, plus)
        assert made.dtype == dtype
        torch.testing.assert_close(made.double(), expected, rtol=rounding, atol=10 * rounding)
