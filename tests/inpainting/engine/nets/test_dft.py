"""The Fourier transform as matrix products: it is the FFT's, and its inverse leads back."""

import pytest
import torch

from inpainting.engine.nets import dft

SIZES = [(1, 2), (5, 4), (8, 9), (16, 24)]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_transform_that_an_fft_computes(size: tuple[int, int]) -> None:
    x = torch.rand(2, *size, 3)

    spectrum = dft.transform(x)

    real, imaginary = torch.view_as_real(torch.fft.rfft2(x, dim=(1, 2), norm="ortho")).unbind(-1)
    torch.testing.assert_close(spectrum, torch.cat([real, imaginary], 3), rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_there_and_back_is_where_it_began(size: tuple[int, int]) -> None:
    x = torch.rand(2, *size, 3)

    again = dft.inverse(dft.transform(x, headroom=64), size[1], headroom=64)

    torch.testing.assert_close(again, x, rtol=0, atol=1e-5)


def test_what_was_first_used_for_inference_can_be_trained_through() -> None:
    dft.matrices.cache_clear()
    with torch.inference_mode():
        dft.transform(torch.rand(1, 4, 6, 2))
    x = torch.rand(1, 4, 6, 2, requires_grad=True)

    dft.inverse(dft.transform(x), 6).square().sum().backward()

    torch.testing.assert_close(x.grad, 2 * x.detach(), rtol=0, atol=1e-5)
