"""The clock decides which kernels are used."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from inpainting.engine.inpainters.lama.fast import timing
from inpainting.engine.inpainters.lama.fast.generator import FastFFC
from inpainting.engine.inpainters.lama.fast.kernels import Kernels
from inpainting.engine.inpainters.lama.fast.timing import crossing, rank
from inpainting.engine.inpainters.lama.network import Lama

SMALL, LARGE = (side**2 for side in timing.SIDES)
FORMS = [Kernels(onednn=True), Kernels()]


def clock(monkeypatch: pytest.MonkeyPatch, seconds: dict[tuple[bool, bool], tuple[float, float]]) -> list[float]:
    """A machine that takes so long for a call and for each pixel: by oneDNN or not, by Winograd or not.

    Gives its time, in a list of one.
    """
    now = [0.0]

    def compute(layer: FastFFC, x: Tensor, winograd: bool) -> Tensor:
        call, pixel = seconds[layer.product is Kernels(onednn=True).product, winograd]
        now[0] += call + pixel * x.shape[1] * x.shape[2]
        return x

    monkeypatch.setattr(FastFFC, "__call__", compute)
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    return now


def test_it_works(calibrated_lama: Lama) -> None:
    """By the real clock: every form is there, whichever is the fastest."""
    order, _ = rank(calibrated_lama, FORMS, "cpu")
    assert sorted(kernels.onednn for kernels in order) == [False, True]


def test_the_fastest_is_first_and_winograd_begins_where_it_saves(
    calibrated_lama: Lama, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(
        monkeypatch,
        {
            (True, False): (0.0, 3e-6),
            (True, True): (1e-3, 2e-6),  # from 1,000 pixels
            (False, False): (0.0, 2.9e-6),
            (False, True): (0.0, 4e-6),
        },
    )
    assert rank(calibrated_lama, FORMS, "cpu") == (
        [Kernels(onednn=True, winograd_from=1000), Kernels(winograd_from=None)],
        True,
    )


def test_half_precision_is_timed_beside_the_others(calibrated_lama: Lama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "_seconds", lambda layer, x, winograd: 1.0 if x.dtype == torch.float16 else 0.5)
    forms = [Kernels("fp16"), Kernels()]
    order, _ = rank(calibrated_lama, forms, "cpu")
    assert [kernels.precision for kernels in order] == ["fp32", "fp16"]


def test_one_form_alone_is_not_timed(calibrated_lama: Lama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(timing, "_seconds")
    assert rank(calibrated_lama, [Kernels("bf16")], "cpu") == ([Kernels("bf16")], True)


def test_a_busy_machine_is_not_certain_and_not_kept_longer(
    calibrated_lama: Lama, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock(monkeypatch, dict.fromkeys([(a, b) for a in (True, False) for b in (True, False)], (0.4, 0.0)))
    order, certain = rank(calibrated_lama, FORMS, "cpu")
    assert [kernels.onednn for kernels in order] == [True, False]
    assert not certain
    assert now[0] < timing.MOST_SECONDS + 0.5


@pytest.mark.parametrize(
    ("direct", "winograd", "start"),
    [
        ([1.0, 4.0], [2.0, 5.0], None),  # always slower
        ([1.0, 4.0], [0.5, 3.5], 0),  # always faster, by the same
        ([1.0, 4.0], [0.5, 3.9], 0),
        ([1.0, 4.0], [2.0, 3.0], (SMALL + LARGE) // 2),
        ([1.0, 4.0], [1.5, 4.25], 2 * LARGE - SMALL),  # beyond what was tried
        ([1.0, 4.0], [math.inf, math.inf], None),  # not tried
    ],
)
def test_where_winograd_begins(direct: list[float], winograd: list[float], start: int | None) -> None:
    assert crossing(direct, winograd) == start
