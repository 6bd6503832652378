"""What the engine decides on a GPU, forced on the CPU: which claims to be one, and computes with real networks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from pytest_django import Settings
from safetensors.torch import save_file
from torch import Tensor

from inpainting import engine
from inpainting.engine import door, hardware, registry
from inpainting.engine.inpainters.lama.fast.fourier import MatrixFourierUnit
from inpainting.engine.inpainters.lama.fast.kernels import DTYPES, Kernels
from inpainting.engine.inpainters.lama.inpainter import LamaInpainter
from inpainting.engine.inpainters.lama.network import Lama
from inpainting.engine.inpainters.lama.precision import forms
from inpainting.engine.interface import BlendMask, Picture
from inpainting.engine.queue.batches import MOST

Scene = Callable[[int, int], np.ndarray]
Requests = list[tuple[Picture, BlendMask]]


@pytest.fixture
def claims_to_be_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "device", lambda: "cpu")
    monkeypatch.setattr(hardware, "is_gpu", lambda device: True)


@pytest.fixture
def served(nothing_loaded: Settings, calibrated_lama: Lama) -> Settings:
    """The engine with a small LaMa, for as many callers as there are; gives the settings to change."""
    weights = nothing_loaded.DATA_DIR / "calibrated.safetensors"
    save_file(calibrated_lama.state_dict(), weights)
    nothing_loaded.LAMA_WEIGHTS, nothing_loaded.PRECISION = str(weights), "fp32"
    nothing_loaded.ENGINE_CONCURRENCY = 2 * MOST
    return nothing_loaded


@pytest.fixture
def requests(scene: Scene) -> Requests:
    """Pictures of many sizes, whose crops are equal: their sides are multiples of 32."""
    made = []
    for index in range(MOST):
        height, width = 300 + 16 * index, 420 - 8 * index
        mask = np.zeros((height, width), np.uint8)
        mask[:20, : 24 + index] = 255
        made.append((np.roll(scene(height, width), index, axis=1), mask))
    return made


def all_at_once(requests: Requests) -> list[Picture]:
    with ThreadPoolExecutor(len(requests)) as clients:
        return list(clients.map(filled, requests))


def filled(request: tuple[Picture, BlendMask]) -> Picture:
    return engine.inpaint(*request, "lama").picture


def watch(inpainter: LamaInpainter, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes that go through the network from now on."""
    network, shapes = inpainter._network, list[tuple[int, ...]]()

    def watched(x: Tensor) -> Tensor:
        shapes.append(tuple(x.shape))
        return network(x)

    monkeypatch.setattr(inpainter, "_network", watched)
    return shapes


def loaded() -> LamaInpainter:
    inpainter = engine.load("lama")
    assert isinstance(inpainter, LamaInpainter)
    return inpainter


@pytest.mark.usefixtures("served")
def test_it_works(requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of several callers meet in one forward, and each gets what it would get alone from a CPU."""
    alone = [filled(request) for request in requests]
    monkeypatch.setattr(door, "_desks", door.Desks())
    monkeypatch.setattr(hardware, "is_gpu", lambda device: True)
    monkeypatch.setattr(loaded()._batches, "_wait", 60)  # so long that one who came late would be noticed
    shapes = watch(loaded(), monkeypatch)
    together = all_at_once(requests)

    assert [shape[0] for shape in shapes] == [MOST]
    for one, other, (picture, mask) in zip(together, alone, requests, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1  # sums are rounded in another order
        assert (one != picture).any()
        np.testing.assert_array_equal(one[mask == 0], picture[mask == 0])


@pytest.mark.usefixtures("claims_to_be_a_gpu", "served")
def test_more_requests_than_a_forward_takes_wait_for_the_next(
    requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded()._batches, "_wait", 60)
    shapes = watch(loaded(), monkeypatch)
    all_at_once(requests + requests)

    assert [shape[0] for shape in shapes] == [MOST, MOST]


@pytest.mark.usefixtures("claims_to_be_a_gpu", "served")
def test_crops_that_differ_do_not_wait_for_each_other(
    requests: Requests, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    larger = np.zeros((300, 300), np.uint8)
    larger[100:200, 100:200] = 255
    shapes = watch(loaded(), monkeypatch)
    all_at_once([requests[0], (scene(300, 300), larger)])

    assert len({shape[2:] for shape in shapes}) == 2
    assert {shape[0] for shape in shapes} == {1}


@pytest.mark.usefixtures("served")
def test_a_gpu_takes_as_many_at_once_as_a_forward_does_and_a_cpu_one(monkeypatch: pytest.MonkeyPatch) -> None:
    slots, lama = registry.INPAINTERS["lama"].slots, loaded()
    assert slots(lama) == 1
    monkeypatch.setattr(hardware, "is_gpu", lambda device: True)
    assert slots(lama) == MOST


@pytest.mark.usefixtures("claims_to_be_a_gpu")
def test_half_precision_is_tried_and_nothing_that_only_a_cpu_has() -> None:
    assert forms("auto", "cpu") == [Kernels("fp16"), Kernels()]
    assert forms("fp32", "cpu") == [Kernels()]


@pytest.mark.usefixtures("claims_to_be_a_gpu", "served")
def test_spectra_are_matrix_products_in_every_precision() -> None:
    fast = loaded()._network._fast
    assert all(isinstance(ffc.fourier, MatrixFourierUnit) for block in fast.blocks for ffc in block)


@pytest.fixture
def half_is_fastest(monkeypatch: pytest.MonkeyPatch, claims_to_be_a_gpu: None) -> None:
    """As on a GPU. On a CPU the clock would say otherwise."""
    choose = "inpainting.engine.inpainters.lama.precision.fastest"
    monkeypatch.setattr(choose, lambda lama, forms, device, file: forms)


@pytest.mark.usefixtures("half_is_fastest")
def test_half_precision_is_used_where_it_agrees(served: Settings, requests: Requests) -> None:
    served.PRECISION = "auto"
    assert loaded().precision == "fp16"
    half = filled(requests[0])
    served.PRECISION = "fp32"
    door._desks.inpainters["lama"] = door.Desks().inpainters["lama"]
    assert loaded().precision == "fp32"
    single = filled(requests[0])

    apart = np.abs(half.astype(int) - single)[requests[0][1] > 0]
    assert np.quantile(apart, 0.99) <= 1


@pytest.mark.usefixtures("half_is_fastest")
def test_half_precision_is_refused_where_it_disagrees(
    served: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(DTYPES, "fp16", torch.bfloat16)  # too few digits
    served.PRECISION = "auto"
    assert loaded().precision == "fp32"
    assert "levels of 255 from the reference" in caplog.text


@pytest.mark.usefixtures("half_is_fastest")
def test_what_overflows_in_a_batch_spoils_nobodys_result(
    served: Settings, calibrated_lama: Lama, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole batch is computed again by the reference, in fp32."""
    served.PRECISION = "fp16"
    monkeypatch.setattr(loaded()._batches, "_wait", 60)
    network = loaded()._network
    half = network._fast

    def overflows(x: Tensor, winograd: bool | None) -> Tensor:
        return torch.cat([half(x, winograd)[:-1], torch.full_like(x[:1, :3], float("inf"))])

    monkeypatch.setattr(network, "_fast", overflows)
    together = all_at_once(requests)
    assert network.repeated == 1
    monkeypatch.setattr(network, "_fast", lambda x, winograd: calibrated_lama(x))
    monkeypatch.setattr(loaded()._batches, "_wait", 0)
    for made, request in zip(together, requests, strict=True):
        alone = filled(request)
        assert np.abs(made.astype(int) - alone).max() <= 1
