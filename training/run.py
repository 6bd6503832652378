"""A training that stops and goes on where it was: a network, its moving average, its optimiser and its clock."""

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from training.checkpoint import written
from training.optimiser import Optimiser

SAVE_EVERY = 120.0  # seconds
CHECK_EVERY = 600.0  # seconds
EMA = 0.998
WARM_UP = 300  # steps
LEAST_RATE = 0.01  # of the rate at its highest, at the end

Net = TypeVar("Net", bound=nn.Module)
Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Recipe:
    hours: float = 1.5  # of training in all, over every resumption
    side: int = 128  # pixels
    batch: int = 8
    rate: float = 1.5e-3
    workers: int = 1


class Run(ABC, Generic[Net, Batch]):
    """`seconds`, `step` and `pictures` are what the network has had."""

    def __init__(self, net: Net, recipe: Recipe) -> None:
        self.recipe = recipe
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.net = net.to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's own types
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimiser = Optimiser(self.net, recipe.rate, decay=0.01)
        self.seconds, self.step, self.pictures = 0.0, 0, 0
        self.curve: list[dict[str, float]] = []

    @abstractmethod
    def examples(self, data: Path, progress: Tensor) -> IterableDataset[Batch]:
        """Batches without end, other ones than were had before. `progress`: a shared number, 0..1."""

    @abstractmethod
    def loss(self, given: Batch) -> tuple[Tensor, int]:
        """Of a batch, and how many pictures that is."""

    @abstractmethod
    def held_out(self, data: Path) -> Batch:
        """The same held-out examples each time."""

    @abstractmethod
    def check(self, given: Batch) -> dict[str, float]:
        """How the averaged network fares on them."""

    @property
    def progress(self) -> float:
        return min(1.0, self.seconds / (3600 * self.recipe.hours))

    def take(self, given: Batch) -> float:
        """One step on a batch; gives its loss. Counts no seconds: the loop has the clock."""
        warm = min(1.0, (self.step + 1) / WARM_UP)
        cosine = (1 + math.cos(math.pi * self.progress)) / 2
        self.net.train()
        value, pictures = self.loss(given)
        self.optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step(self.recipe.rate * warm * (LEAST_RATE + (1 - LEAST_RATE) * cosine))
        self.step += 1
        self.pictures += pictures
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
        state = {name: getattr(self, name).state_dict() for name in ("net", "average", "optimiser")}
        state |= {name: getattr(self, name) for name in ("seconds", "step", "pictures", "curve")}
        written(path, lambda part: torch.save(state, part))

    def resume(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
        for name in ("net", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        for name in ("seconds", "step", "pictures", "curve"):
            setattr(self, name, state[name])

    def about(self) -> dict[str, str]:
        """What training the network has had, for its weights file."""
        return {"hours": f"{self.seconds / 3600:.2f}", "steps": str(self.step), "pictures": str(self.pictures)}


def train(run: Run[Net, Batch], data: Path, checkpoint: Path, say: Callable[[str], None]) -> None:
    """Until the recipe's hours are over. Says every half minute how it fares and how long it will go on."""
    recipe = run.recipe
    held_out = run.held_out(data)
    progress = torch.tensor(run.progress).share_memory_()
    # Spawned, not forked: OpenCV's threads do not survive a fork, and the child would wait for them for ever.
    how = {"num_workers": recipe.workers, "multiprocessing_context": "spawn", "prefetch_factor": 4}
    loader = iter(DataLoader(run.examples(data, progress), None, **how))  # type: ignore[arg-type]
    saved = checked = said = time.monotonic()
    recent: list[float] = []
    while run.progress < 1:
        start = time.monotonic()
        recent.append(run.take(next(loader)))
        now = time.monotonic()
        run.seconds += now - start
        progress.fill_(run.progress)
        if now - said > 30:
            left = 3600 * recipe.hours - run.seconds
            rate = len(recent) / (now - said)
            say(f"step {run.step}, loss {np.mean(recent):.4f}, {rate:.2f} steps/s, {left / 60:.0f} min left")
            said, recent = now, []
        if now - checked > CHECK_EVERY or run.progress == 1:
            run.curve.append({"seconds": run.seconds, "pictures": run.pictures} | run.check(held_out))
            say("held out: " + ", ".join(f"{name} {value:.3f}" for name, value in run.curve[-1].items()))
            checked = time.monotonic()
        if now - saved > SAVE_EVERY or run.progress == 1:
            run.save(checkpoint)
            saved = time.monotonic()
