"""The fast form of the network against the network itself."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from inpainting.engine.inpainters.lama.fast import generator as fast
from inpainting.engine.inpainters.lama.fast.fourier import HEADROOM, FastFourierUnit, MatrixFourierUnit
from inpainting.engine.inpainters.lama.fast.gemm import ONEDNN, by_torch
from inpainting.engine.inpainters.lama.fast.generator import FastLama
from inpainting.engine.inpainters.lama.fast.kernels import Kernels
from inpainting.engine.inpainters.lama.fast.winograd import Convolutions
from inpainting.engine.inpainters.lama.network import FourierUnit, Lama, masked_input

LEVEL = 1 / 255
FORMS = [Kernels(onednn=onednn, winograd_from=start) for onednn in (False, True)[: 1 + ONEDNN] for start in (None, 0)]


@pytest.fixture
def lama(calibrated_lama: Lama) -> Lama:
    return calibrated_lama


def picture(height: int, width: int, *boxes: tuple[int, int, int, int], seed: int = 0) -> Tensor:
    """(1, 4, height, width): colours in patches, holes where the boxes (top, left, bottom, right) are."""
    generator = torch.Generator().manual_seed(seed)
    patches = torch.rand(1, 3, -(-height // 8), -(-width // 8), generator=generator)
    image = (F.interpolate(patches, scale_factor=8.0)[..., :height, :width] * 255).round() / 255
    hole = torch.zeros(1, 1, height, width)
    for top, left, bottom, right in boxes or [(height // 4, width // 4, height // 2, width // 2)]:
        hole[..., top:bottom, left:right] = 1
    return masked_input(image, hole)


def difference(x: Tensor, made: Tensor, expected: Tensor) -> Tensor:
    """Absolute differences in the hole, in levels of 255."""
    return (made - expected).abs()[x[:, 3:].bool().expand_as(made)] / LEVEL


@pytest.mark.parametrize("kernels", FORMS)
@torch.inference_mode()
def test_it_works(lama: Lama, kernels: Kernels) -> None:
    x = picture(64, 96)
    assert difference(x, FastLama(lama, kernels)(x), lama(x)).max() < 0.01


sides = st.integers(2, 10).map(lambda side: 8 * side)


@given(sides, sides, st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_agrees_at_every_size_and_wherever_the_holes_are(
    lama: Lama, height: int, width: int, data: st.DataObject
) -> None:
    def box() -> tuple[int, int, int, int]:
        top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
        return top, left, data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width))

    x = picture(height, width, box(), box())
    with torch.inference_mode():
        assert difference(x, FastLama(lama, Kernels())(x), lama(x)).max() < 0.01


@pytest.mark.parametrize("with_winograd", [True, False])
@torch.inference_mode()
def test_tiles_do_not_show(lama: Lama, with_winograd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures larger than a tile, holes across the seams of tiles."""
    monkeypatch.setattr(fast, "TILE", 32)
    x = picture(88, 136, (20, 20, 70, 130), (0, 0, 3, 3), (87, 100, 88, 136))
    assert difference(x, FastLama(lama, Kernels())(x, winograd=with_winograd), lama(x)).max() < 0.01


@torch.inference_mode()
def test_only_what_the_hole_needs_is_decoded(lama: Lama) -> None:
    x = picture(64, 64, (30, 30, 34, 34))
    made = FastLama(lama, Kernels())(x)
    assert (made.amax(1) > 0).sum() == 16


@torch.inference_mode()
def test_a_batch_is_what_its_pictures_are(lama: Lama) -> None:
    xs = [picture(48, 40, seed=1), picture(48, 40, (0, 0, 5, 5), seed=2)]
    together = FastLama(lama, Kernels())(torch.cat(xs))
    for x, made in zip(xs, together, strict=True):
        assert difference(x, made[None], lama(x)).max() < 0.01


@torch.inference_mode()
def test_half_precision_is_within_a_level(lama: Lama) -> None:
    x = picture(64, 64)
    errors = difference(x, FastLama(lama, Kernels("fp16"))(x), lama(x))
    assert errors.quantile(0.99) < 1
    assert errors.mean() < 0.25


def test_takes_no_memory_from_the_reference(lama: Lama) -> None:
    before = {name: value.clone() for name, value in lama.state_dict().items()}
    FastLama(lama, Kernels())(picture(32, 32))
    assert all(torch.equal(value, before[name]) for name, value in lama.state_dict().items())


@pytest.mark.parametrize("size", [(2, 2), (5, 7), (64, 3), (4, 130)])
def test_winograd_is_a_convolution(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, *size, 8, generator=generator)
    to_local, to_global = torch.randn(3, 8, 3, 3, generator=generator), torch.randn(5, 3, 3, 3, generator=generator)
    bias = torch.randn(8, generator=generator)
    padded = F.pad(x.permute(0, 3, 1, 2), (1, 1, 1, 1), mode="reflect")
    expected = torch.cat([F.conv2d(padded, to_local), F.conv2d(padded[:, :3], to_global)], 1).permute(0, 2, 3, 1) + bias
    convolutions = Convolutions(to_local, to_global, bias, by_torch)
    for made in (convolutions.winograd(x), convolutions.direct(x)):
        torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-4)


@pytest.fixture
def unit() -> FourierUnit:
    """A Fourier unit without batch normalisation, whose convolution keeps the spectrum's size."""
    torch.manual_seed(0)
    unit = FourierUnit(4).eval().requires_grad_(False)
    unit.bn.eps = 0.0
    return unit


@pytest.mark.parametrize("size", [(2, 2), (3, 5), (8, 8), (9, 16), (33, 20)])
def test_fourier_units_agree(unit: FourierUnit, size: tuple[int, int]) -> None:
    x = torch.rand(2, *size, 4)
    bias = torch.randn(8)
    unit.bn.bias[:] = bias
    expected = unit(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    weight = unit.conv_layer.weight
    for form in (FastFourierUnit(weight, bias, by_torch), MatrixFourierUnit(weight, bias)):
        torch.testing.assert_close(form(x), expected, rtol=1e-4, atol=1e-4)


def test_half_precision_has_headroom_for_the_spectrum(unit: FourierUnit) -> None:
    """Features so large and even that their spectrum's mean is 40 times what half precision can hold."""
    x = torch.full((1, 64, 64, 4), 40_000.0) + 1000 * torch.rand(1, 64, 64, 4)
    weight, bias = torch.eye(8)[..., None, None], torch.zeros(8)
    spectrum = torch.fft.rfft2(x.double(), dim=(1, 2), norm="ortho").abs().max()
    assert torch.finfo(torch.float16).max < spectrum < HEADROOM * torch.finfo(torch.float16).max
    exact = MatrixFourierUnit(weight, bias)(x)
    half = MatrixFourierUnit(weight.half(), bias.half())(x.half()).float()
    assert half.isfinite().all()
    assert ((half - exact).abs().max() / exact.abs().max()) < 4e-3


def test_the_headroom_costs_nothing_at_the_other_end(unit: FourierUnit) -> None:
    """Features as small as half precision counts them in full come through as well as middling ones."""
    weight, bias = unit.conv_layer.weight, torch.zeros(8)
    half = MatrixFourierUnit(weight.half(), bias.half())
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(1, 16, 16, 4, generator=generator)

    def error(size: float) -> float:
        exact = MatrixFourierUnit(weight, bias)(x * size)
        return float((half((x * size).half()).float() - exact).abs().max() / exact.abs().max())

    assert error(2**-5) < 2 * error(1)
