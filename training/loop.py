"""The one loop that trains every network: it goes on where it stopped, saves what it has, and says how it does.

Beside the weights, `mine.safetensors`, stand `mine.checkpoint`, to go on from, and `mine.tsv`, the curve.
"""

import csv
import math
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from inpainting.engine.weights import WeightsError
from training import TrainingError, checkpoint
from training.trainer import HOUR, Trainer

MINUTE = 60.0  # seconds


class Diverged(TrainingError):
    """The loss is no number any more. The last checkpoint is from before that."""


def train(trainer: Trainer[Any, Any], out: Path, say: Callable[[str], None], every: float) -> None:
    """Train until the recipe is done, and write the weights. `every`: minutes between checkpoints.

    Interrupted, it saves what it has before it lets the interrupt through. WeightsError: the checkpoint beside the
    weights is another training's. Diverged: nothing was written after it was last well.
    """
    loop = Loop(trainer, out, say)
    loop.resume()
    try:
        loop.go_on(every * MINUTE)
    except KeyboardInterrupt:
        loop.save()
        say(f"Stopped at step {trainer.step:,}. The same command goes on from there.")
        raise
    trainer.write(out, say)


class Loop:
    """A trainer on its way. `say` gets a line now and then."""

    def __init__(self, trainer: Trainer[Any, Any], out: Path, say: Callable[[str], None]) -> None:
        self.trainer, self.out, self.say = trainer, out, say
        self.checkpoint = out.with_suffix(".checkpoint")
        self._loss, self._steps = torch.zeros((), device=trainer.device), 0  # since the last checkpoint

    def resume(self) -> None:
        """The trainer as it was, if there is a checkpoint of it."""
        if not self.checkpoint.exists():
            return
        state, origin = checkpoint.read(self.checkpoint), self.trainer.origin
        if state["origin"] != origin:
            raise WeightsError(
                f"{self.checkpoint} is of a training that started from {state['origin']}, not from {origin}. "
                "Choose another file for the output, or delete it."
            )
        self.trainer.restore(state)
        self.say(f"Goes on at step {self.trainer.step:,}, after {self.trainer.seconds / MINUTE:.0f} minutes.")

    def go_on(self, every: float) -> None:
        """Until the recipe is done, with a checkpoint every so many seconds and one at the end."""
        trainer = self.trainer
        progress = torch.tensor(trainer.progress).share_memory_()
        with closing(trainer.batches(progress)) as batches, self._bar() as bar:
            saved = time.monotonic()
            while trainer.progress < 1:
                start = time.monotonic()
                losses = trainer.take(next(batches))
                self._loss += torch.stack(list(losses.values())).sum()
                self._steps += 1
                seconds = time.monotonic() - start
                trainer.seconds += seconds
                progress.fill_(trainer.progress)
                bar.update(1 if trainer.recipe.steps else seconds)
                if trainer.progress == 1 or time.monotonic() - saved >= every:
                    self._take_stock()
                    saved = time.monotonic()

    def save(self) -> None:
        checkpoint.save(self.trainer.state(), self.checkpoint)
        self.trainer.preview(self.out)

    def _take_stock(self) -> None:
        """Judge, add a line to the curve, and save. Diverged: the loss is no number."""
        trainer, loss = self.trainer, float(self._loss) / self._steps
        if not math.isfinite(loss):
            raise Diverged(f"The loss became {loss} before step {trainer.step:,}. {self.out} is from before that.")
        self._loss.zero_()
        self._steps = 0
        found = trainer.check()
        counts = {"step": trainer.step, "minutes": trainer.seconds / MINUTE, "pictures": trainer.pictures}
        trainer.curve.append({**counts, **found, "loss": loss, "rate": trainer.rate})
        self.save()
        checkpoint.write_whole(self.out.with_suffix(".tsv"), self._write_curve)
        left = math.ceil(trainer.seconds / MINUTE * (1 / trainer.progress - 1))
        figures = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
        self.say(f"Step {trainer.step:,}: loss {loss:.4f}; held out: {figures}; {left} min left")

    def _write_curve(self, path: Path) -> None:
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(self.trainer.curve[-1]), delimiter="\t")
            table.writeheader()
            table.writerows({name: f"{value:.7g}" for name, value in line.items()} for line in self.trainer.curve)

    def _bar(self) -> tqdm:
        """A line that tells the time left; nothing where nobody watches."""
        trainer, recipe = self.trainer, self.trainer.recipe
        if recipe.steps:
            return tqdm(total=recipe.steps, initial=trainer.step, unit="step", disable=None)
        form = "{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
        return tqdm(total=(recipe.hours or 0) * HOUR, initial=trainer.seconds, bar_format=form, disable=None)
