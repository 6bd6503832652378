"""What every network in training has: its optimiser, its schedule, its moving average, and a state to go on from."""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from inpainting.engine.hardware import has_fast_bf16
from training.optimiser import Optimiser

HOUR = 3600.0  # seconds
AVERAGED = 0.998  # of the moving average stays at each step
LEAST_RATE = 0.01  # of the rate at its highest, at the end

Net = TypeVar("Net", bound=nn.Module)
Batch = TypeVar("Batch")
Losses = dict[str, Tensor]  # detached scalars by name; their sum is the loss


@dataclass(frozen=True)
class Recipe:
    """How long a network is trained, and on how much at a time. Exactly one of `hours` and `steps` is given."""

    side: int = 128  # pixels of a crop
    batch: int = 8  # crops of a step
    rate: float = 1.5e-3  # the learning rate at its highest
    hours: float | None = None  # in all, with those of earlier starts
    steps: int | None = None  # the same
    warm_up: int = 300  # steps
    workers: int = 1  # that make examples

    def progress(self, step: int, seconds: float) -> float:
        """0..1, and 1 when it is done."""
        return min(1.0, step / self.steps if self.steps else seconds / HOUR / (self.hours or 1))

    def rate_at(self, step: int, progress: float) -> float:
        """A linear warm-up, then a cosine down to LEAST_RATE of the highest."""
        cosine = (1 + math.cos(math.pi * progress)) / 2
        return self.rate * min(1.0, (step + 1) / self.warm_up) * (LEAST_RATE + (1 - LEAST_RATE) * cosine)


class Trainer(ABC, Generic[Net, Batch]):
    """A network and all that a step changes. `seconds`, `step` and `pictures` are what it has had so far.

    A network of its own kind says where its batches come from, what one step on them is, and how it is judged. Whatever
    else learns beside it, such as a discriminator, is named in PARTS, and what else is counted in COUNTS.
    """

    PARTS: ClassVar[tuple[str, ...]] = ("net", "average", "optimiser", "scaler")  # with a state of their own
    COUNTS: ClassVar[tuple[str, ...]] = ("origin", "seconds", "step", "pictures", "curve")  # numbers and names
    DECAY: ClassVar[float] = 0.01  # of the weights

    def __init__(self, net: Net, recipe: Recipe, origin: str) -> None:
        """`origin`: what the network was before, by name; a checkpoint of another origin is not gone on from."""
        self.recipe, self.origin = recipe, origin
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.precision = half_precision(self.device)
        self.net = net.to(self.device).train()
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's own types
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimiser = Optimiser(self.net, recipe.rate, self.DECAY)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision == torch.float16)
        self.seconds, self.step, self.pictures = 0.0, 0, 0
        self.curve: list[dict[str, float]] = []

    @abstractmethod
    def batches(self, progress: Tensor) -> Generator[Batch]:
        """Without end, and others than were had before. `progress`: 0..1, kept up to date in shared memory."""

    @abstractmethod
    def learn(self, batch: Batch) -> Losses:
        """One step: `descend` on a loss, and whatever else learns from the batch."""

    @abstractmethod
    def check(self) -> dict[str, float]:
        """How the averaged network does on the same held-out examples each time."""

    @abstractmethod
    def write(self, out: Path, say: Callable[[str], None]) -> None:
        """The averaged network as the service loads it, once training is over."""

    def preview(self, out: Path) -> None:
        """What can be used of it before training is over: nothing, unless a network has nothing to settle last."""

    @property
    def progress(self) -> float:
        return self.recipe.progress(self.step, self.seconds)

    @property
    def rate(self) -> float:
        return self.recipe.rate_at(self.step, self.progress)

    def take(self, batch: Batch) -> Losses:
        """Learn from a batch, count it, and move the average. Counts no seconds: the loop has the clock."""
        losses = self.learn(batch)
        self.step += 1
        self.pictures += self.recipe.batch
        self._move_average()
        return losses

    def descend(self, loss: Tensor) -> None:
        """One step of the network down the gradient of a scalar."""
        self.optimiser.zero_grad()
        self.scaler.scale(loss).backward()
        self.optimiser.step(self.rate, self.scaler)
        self.scaler.update()

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32)

    @torch.no_grad()
    def _move_average(self) -> None:
        # Early on the average is of few steps, so that it does not remember how training began.
        kept = min(AVERAGED, (self.step + 1) / (self.step + 10))
        for mean, now in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - kept)
            else:
                mean.copy_(now)

    def state(self) -> dict[str, Any]:
        """All that `restore` needs: tensors, numbers and names."""
        parts = {name: getattr(self, name).state_dict() for name in self.PARTS}
        return parts | {name: getattr(self, name) for name in self.COUNTS}

    def restore(self, state: dict[str, Any]) -> None:
        """Be as the trainer was whose state it is; that one had a network of the same form."""
        for name in self.PARTS:
            if state[name]:  # a scaler has none where the precision needs no scaling
                getattr(self, name).load_state_dict(state[name])
        for name in self.COUNTS:
            setattr(self, name, state[name])

    def about(self) -> dict[str, str]:
        """What training the network has had, for its weights file."""
        return {"hours": f"{self.seconds / HOUR:.2f}", "steps": str(self.step), "pictures": str(self.pictures)}


def origin(start: Path | None) -> str:
    """The name of what training starts from."""
    return start.name if start else "a new network"


def half_precision(device: torch.device) -> torch.dtype:
    """What the hardware multiplies fastest: bfloat16, float16 on older GPUs, float32 on CPUs that have neither."""
    if has_fast_bf16(device.type):
        return torch.bfloat16
    return torch.float16 if device.type == "cuda" else torch.float32
