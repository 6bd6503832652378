"""Which form of the network runs, and what happens when it fails."""

import copy

import pytest
import torch
from torch import Tensor

from inpainting.engine.inpainters.lama import precision
from inpainting.engine.inpainters.lama.fast import winograd
from inpainting.engine.inpainters.lama.fast.gemm import ONEDNN
from inpainting.engine.inpainters.lama.fast.kernels import DTYPES, Kernels
from inpainting.engine.inpainters.lama.network import Lama, masked_input
from inpainting.engine.inpainters.lama.precision import Network, choose
from inpainting.engine.weights import WeightsError


@pytest.fixture
def fast_fp16(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine with fp16 arithmetic, where that is the fastest. Others compute the same, slowly."""
    monkeypatch.setattr(precision, "has_fast_fp16", lambda device: True)
    monkeypatch.setattr(precision, "fastest", lambda lama, forms, device, file: forms)
    monkeypatch.setattr(precision, "SIDE", 64)


@pytest.fixture
def loud_lama(calibrated_lama: Lama) -> Lama:
    """The same function, but the features between two layers are too large for half precision."""
    lama, volume = copy.deepcopy(calibrated_lama), 1e6
    loud, quiet = lama.get_submodule("model.1.bn_l"), lama.get_submodule("model.2.bn_l")
    for tensor in (loud.get_parameter("weight"), loud.get_parameter("bias"), quiet.get_buffer("running_mean")):
        tensor.mul_(volume)
    quiet.get_buffer("running_var").mul_(volume**2)
    return lama


@pytest.fixture
def x() -> Tensor:
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 10:20, 10:20] = 1
    return masked_input(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)), hole)


def test_it_works(calibrated_lama: Lama, x: Tensor) -> None:
    network = choose(calibrated_lama, "fp32", "cpu")
    assert network.kernels.precision == "fp32"
    assert network(x).shape == (1, 3, 32, 32)


def test_no_half_precision_where_the_machine_has_none(calibrated_lama: Lama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_fast_fp16", lambda device: False)
    assert choose(calibrated_lama, "auto", "cpu").kernels.precision == "fp32"


@pytest.mark.usefixtures("fast_fp16")
def test_half_precision_where_the_machine_has_it(calibrated_lama: Lama) -> None:
    assert choose(calibrated_lama, "auto", "cpu").kernels.precision == "fp16"


@pytest.mark.usefixtures("fast_fp16")
def test_not_where_it_comes_to_something_else(
    calibrated_lama: Lama, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(DTYPES, "fp16", torch.bfloat16)  # too few digits
    assert choose(calibrated_lama, "auto", "cpu").kernels.precision == "fp32"
    assert "levels of 255 from the reference" in caplog.text


@pytest.mark.usefixtures("fast_fp16")
def test_not_where_it_overflows(loud_lama: Lama) -> None:
    assert choose(loud_lama, "auto", "cpu").kernels.precision == "fp32"


def test_what_overflows_is_computed_again(loud_lama: Lama, x: Tensor, caplog: pytest.LogCaptureFixture) -> None:
    network = Network(loud_lama, Kernels("fp16"), "cpu")
    with torch.inference_mode():
        assert torch.equal(network(x), loud_lama(x))
    assert network.repeated == 1
    assert "fp16 overflowed" in caplog.text


def test_what_was_asked_for_is_used_and_warned_of(calibrated_lama: Lama, caplog: pytest.LogCaptureFixture) -> None:
    assert choose(calibrated_lama, "bf16", "cpu").kernels.precision == "bf16"
    assert "'bf16'" in caplog.text
    assert "levels of 255" in caplog.text


def test_without_winograd_where_that_is_not_exact_enough(
    calibrated_lama: Lama, x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winograd, "TO_OUTPUT", winograd.TO_OUTPUT * 1.1)
    ways = [Kernels(winograd_from=10_000), Kernels(onednn=ONEDNN)]  # only in larger pictures than the trial's
    monkeypatch.setattr(precision, "fastest", lambda lama, forms, device, file: ways)
    network = choose(calibrated_lama, "auto", "cpu")
    assert network.kernels == ways[1]
    with torch.inference_mode():
        inside = x[:, 3:].bool().expand(-1, 3, -1, -1)
        torch.testing.assert_close(network(x)[inside], calibrated_lama(x)[inside], rtol=0, atol=1e-4)


def test_plain_kernels_where_no_others_are_exact_enough(calibrated_lama: Lama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd, "TO_OUTPUT", winograd.TO_OUTPUT * 1.1)
    monkeypatch.setattr(precision, "fastest", lambda lama, forms, device, file: [Kernels(winograd_from=0)])
    assert choose(calibrated_lama, "auto", "cpu").kernels == Kernels()


def test_damaged_weights_are_refused(calibrated_lama: Lama) -> None:
    lama = copy.deepcopy(calibrated_lama)
    lama.get_parameter("model.1.ffc.convl2l.weight")[0] = float("nan")
    with pytest.raises(WeightsError, match="weights are damaged"):
        choose(lama, "auto", "cpu")
