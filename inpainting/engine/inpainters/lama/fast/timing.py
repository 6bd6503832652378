"""Which kernels are the fastest here, by the clock: one layer of the network is computed in every way."""

import time
from collections import defaultdict
from dataclasses import replace
from math import inf

import torch

from inpainting.engine import hardware
from inpainting.engine.inpainters.lama.fast.generator import FastFFC
from inpainting.engine.inpainters.lama.fast.kernels import Kernels
from inpainting.engine.inpainters.lama.network import DOWNSAMPLINGS, Lama

SIDES = 24, 48  # latent pixels: of pictures of 192 and 384 pixels a side
MOST_SECONDS = 0.9  # a round of big-lama takes a quarter of a second on one core
ROUNDS = 2, 5  # at least, to be certain; at most
NOISE = 1.3  # how much the second best time may exceed the best; beyond it the machine was busy with something else

Trial = tuple[Kernels, bool, int]  # with Winograd's convolutions or not; side
Times = dict[Trial, list[float]]  # seconds


@torch.inference_mode()
def rank(lama: Lama, forms: list[Kernels], device: str) -> tuple[list[Kernels], bool]:
    """The forms, the fastest first, each with the size from which Winograd's convolutions make it faster.

    And whether that is certain: the machine was not busy with something else meanwhile.
    """
    if len(forms) == 1 and not may_be_winograd(forms[0], device):
        return forms, True
    times = _measure(lama, forms, device)

    def least(form: Kernels, winograd: bool) -> list[float]:
        return [min(times.get((form, winograd, side), [inf])) for side in SIDES]

    order = sorted(forms, key=lambda form: min(least(form, False)[-1], least(form, True)[-1]))
    order = [replace(form, winograd_from=crossing(least(form, False), least(form, True))) for form in order]
    best = (sorted(taken)[: ROUNDS[0]] for taken in times.values())
    return order, all(len(taken) == ROUNDS[0] and taken[-1] < NOISE * taken[0] for taken in best)


def may_be_winograd(form: Kernels, device: str) -> bool:
    return form.precision == "fp32" and not hardware.is_gpu(device)


def crossing(direct: list[float], winograd: list[float]) -> int | None:
    """Latent pixels from which Winograd's way is the faster, as lines through the seconds at both `SIDES` tell.

    None: never.
    """
    small, large = (side**2 for side in SIDES)
    saved = [one - other for one, other in zip(direct, winograd, strict=True)]
    rise = (saved[1] - saved[0]) / (large - small)
    if not rise > 0:  # each pixel costs more, or it was not tried
        return 0 if min(saved) > 0 else None
    return max(0, round(small - saved[0] / rise))


def _measure(lama: Lama, forms: list[Kernels], device: str) -> Times:
    channels = sum(lama.config.channels)
    layers = {form: FastFFC(lama.model[2 + DOWNSAMPLINGS].conv1, form, device) for form in forms}
    features = {side: torch.rand(1, side, side, channels, device=device) for side in SIDES}
    trials: list[Trial] = [
        (form, winograd, side)
        for form in forms
        for winograd in (False, True)[: 1 + may_be_winograd(form, device)]
        for side in SIDES
    ]
    times: Times = defaultdict(list)
    end = time.perf_counter() + MOST_SECONDS
    for form, winograd, side in trials * ROUNDS[1]:
        times[form, winograd, side].append(_seconds(layers[form], features[side].to(form.dtype), winograd))
        if time.perf_counter() > end:
            break
    return times


def _seconds(layer: FastFFC, x: torch.Tensor, winograd: bool) -> float:
    start = time.perf_counter()
    layer(x, winograd)
    if x.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
