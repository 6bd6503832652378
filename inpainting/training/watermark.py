"""Trains the watermark network; stops and goes on where it was."""

import copy
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

from inpainting.engine.detector import read, write
from inpainting.engine.unblend import OPAQUE, Seen, Unblend

from .calibration import calibrate
from .examples import FULL, Batch, Examples, Maker
from .optimiser import Optimiser
from .verdict import learn

SAVE_EVERY = 120.0  # seconds
CHECK_EVERY = 600.0  # seconds
EMA = 0.998
HARDEST = 0.01  # share of a clean picture's pixels, the likeliest ones, that count once more


@dataclass(frozen=True)
class Recipe:
    hours: float = 1.5  # of training in all, over every resumption
    side: int = 128  # pixels
    batch: int = 8
    rate: float = 1.5e-3
    workers: int = 1


def loss(seen: Seen, given: Batch) -> Tensor:
    """Cross-entropy and dice for where, L1 for opacity and colour, L1 for the picture below where it can be known.

    And false alarms once more, by their strongest pixels.
    """
    is_marked, counts = given.truth[:, :1], given.truth[:, 1:]
    area = is_marked.sum() + 1
    entropy = F.binary_cross_entropy_with_logits(seen.logit, is_marked, counts)
    probability = seen.logit.sigmoid()
    overlap = (probability * is_marked).sum((1, 2, 3))
    dice = 1 - (2 * overlap + 50) / ((probability * counts + is_marked).sum((1, 2, 3)) + 50)
    off = (seen.opacity - given.opacity).abs()
    opacity = 2 * (off * is_marked).sum() / area + off.mean()
    colour = ((seen.colour - given.colour).abs() * given.opacity * is_marked).sum() / (3 * area)
    known = (given.opacity < OPAQUE) * (1 - given.opacity)  # what shines through weakly, JPEG has spoilt
    restored = seen.below(given.marked)
    below = ((restored - given.clean).abs() * known * is_marked).sum() / (3 * (known * is_marked).sum() + 1)
    whole = (torch.lerp(given.marked, restored, probability) - given.clean).abs() * (given.opacity < OPAQUE)
    return (
        2 * entropy + dice.mean() + 0.5 * alarm(seen, is_marked) + opacity + 2 * colour + 6 * below + 10 * whole.mean()
    )


def alarm(seen: Seen, is_marked: Tensor) -> Tensor:
    """Cross-entropy of the likeliest pixels of pictures without a mark, of all pixels by which a picture is judged.

    (Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example Mining", CVPR 2016.)
    """
    hardest = seen.logit.flatten(1).topk(max(1, int(HARDEST * seen.logit[0].numel())), sorted=False).values
    return (F.softplus(hardest).mean(1) * (is_marked.amax((1, 2, 3)) == 0)).mean()


class Trainer:
    """The network, its moving average and the optimiser; `seconds`, `step` and `pictures` are what it has had."""

    def __init__(self, recipe: Recipe, start: Path | None = None) -> None:
        torch.manual_seed(0)
        self.recipe = recipe
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.net = Unblend().to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's own types
        if start:
            begun = read(start)[0].state_dict()
            self.net.load_state_dict(self.net.state_dict() | begun)  # blocks that it lacks begin as the identity
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimiser = Optimiser(self.net, recipe.rate, decay=0.01)
        self.seconds, self.step, self.pictures = 0.0, 0, 0
        self.curve: list[dict[str, float]] = []

    @property
    def progress(self) -> float:
        return min(1.0, self.seconds / (3600 * self.recipe.hours))

    def take(self, given: Batch) -> float:
        """One step on a batch; gives its loss. Counts no seconds: the loop has the clock."""
        given = Batch(*(column.to(self.device, non_blocking=True) for column in given))
        warm = min(1.0, (self.step + 1) / 300)
        rate = self.recipe.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * self.progress)) / 2)
        self.net.train()
        with torch.autocast(self.device, torch.bfloat16):
            seen = self.net(given.marked.contiguous(memory_format=torch.channels_last), given.told)
        value = loss(seen, given)
        self.optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step(rate)
        self.step += 1
        self.pictures += len(given.marked)
        self._average()
        return float(value.detach())

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(EMA, (self.step + 1) / (self.step + 10))
        for mean, now in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {name: getattr(self, name).state_dict() for name in ("net", "average", "optimiser")}
        state |= {name: getattr(self, name) for name in ("seconds", "step", "pictures", "curve")}
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, path)  # whole or not at all

    def write(self, data: Path, out: Path, say: Callable[[str], None]) -> None:
        """The moving average as weights, with its verdict, thresholds chosen on held-out pictures, and what training
        it has had.
        """
        learn(self.average, data, say)
        about = {"hours": f"{self.seconds / 3600:.2f}", "steps": str(self.step), "pictures": str(self.pictures)}
        write(out, self.average, calibrate(self.average, data), about | {"curve": json.dumps(self.curve)})

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        for name in ("net", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        for name in ("seconds", "step", "pictures", "curve"):
            setattr(self, name, state[name])


def train(trainer: Trainer, data: Path, checkpoint: Path, say: Callable[[str], None]) -> None:
    """Until the recipe's hours are over. Says every half minute how it fares and how long it will go on."""
    recipe = trainer.recipe
    held_out = check_set(data, recipe.side)
    progress = torch.tensor(trainer.progress).share_memory_()
    examples = Examples(data, "train", recipe.side, recipe.batch, trainer.step, progress)
    # Spawned, not forked: OpenCV's threads do not survive a fork, and the child would wait for them for ever.
    loader = iter(
        DataLoader(examples, None, num_workers=recipe.workers, multiprocessing_context="spawn", prefetch_factor=4)
    )
    saved = checked = said = time.monotonic()
    recent: list[float] = []
    while trainer.progress < 1:
        start = time.monotonic()
        recent.append(trainer.take(next(loader)))
        now = time.monotonic()
        trainer.seconds += now - start
        progress.fill_(trainer.progress)
        if now - said > 30:
            left = 3600 * recipe.hours - trainer.seconds
            rate = len(recent) / (now - said)
            say(f"step {trainer.step}, loss {np.mean(recent):.4f}, {rate:.2f} steps/s, {left / 60:.0f} min left")
            said, recent = now, []
        if now - checked > CHECK_EVERY or trainer.progress == 1:
            trainer.curve.append(
                {"seconds": trainer.seconds, "pictures": trainer.pictures} | check(trainer.average, held_out)
            )
            say("held out: " + ", ".join(f"{name} {value:.3f}" for name, value in trainer.curve[-1].items()))
            checked = time.monotonic()
        if now - saved > SAVE_EVERY or trainer.progress == 1:
            trainer.save(checkpoint)
            saved = time.monotonic()


def check_set(data: Path, side: int) -> Batch:
    """The same 64 held-out examples each time; nothing is told about them."""
    given = Maker(data, "held-out").batch(np.random.default_rng(2), FULL, side, 64)
    return given._replace(told=torch.zeros_like(given.told))


@torch.inference_mode()
def check(net: Unblend, given: Batch) -> dict[str, float]:
    """F1 of the mask at 0.5, and dB of the marked pixels of opacity up to 0.6, before and after."""
    device = next(net.parameters()).device
    given = Batch(*(column.to(device) for column in given))
    seen = net(given.marked, given.told)
    said, is_marked, counts = seen.logit > 0, given.truth[:, :1] > 0, given.truth[:, 1:] > 0
    right = (said & is_marked & counts).sum()
    restored = torch.where(said, seen.below(given.marked), given.marked)
    where = (is_marked & (given.opacity <= 0.6)).expand_as(given.clean)
    before, after = ((one - given.clean)[where].square().mean() for one in (given.marked, restored))
    return {
        "f1": float(2 * right / ((said & counts).sum() + is_marked.sum()).clamp(min=1)),
        "before": float(-10 * before.log10()),
        "after": float(-10 * after.log10()),
    }
