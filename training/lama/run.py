"""A run of LaMa's training: goes on where it stopped, writes down what it has, and says whether it learns.

Beside the weights, `mine.safetensors`, stand `mine.training`, to go on from, and `mine.tsv`, the curve.
"""

import csv
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from inpainting.engine.inpainters.lama.checkpoint import load
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from inpainting.engine.weights import WeightsError
from training import TrainingError, checkpoint
from training.data.batches import Batch, Batches
from training.data.folder import Folder, open_pictures
from training.features import Features
from training.lama.comparison import Comparison, Score
from training.lama.trainer import Recipe, Trainer

COLUMNS = ("step", "minutes", "hole", "distance", "push_pull_hole", "push_pull_distance", "dead", "loss", "rate")
MINUTE = 60.0  # seconds
COMPACT = 32  # channels after the stem: half of big-lama's
MOST_THREADS = 12


class Diverged(TrainingError):
    """The losses are no numbers any more. The last checkpoint is from before that."""


@dataclass(frozen=True)
class Run:
    """What is trained on what, how long, and where to."""

    data: Path  # a packed set, or a folder of pictures
    out: Path  # the weights, .safetensors
    weights: Path | None  # to go on from; None: a new network of so many blocks
    blocks: int = 9
    unfinished: bool = False  # the weights are of a training that was cut short: go on as from nothing
    steps: int | None = None  # in all, with those of earlier starts
    minutes: float | None = None  # the same; one of the two is given
    side: int = 256  # pixels of a crop
    count: int = 8  # crops of a step
    every: float = 5.0  # minutes between checkpoints, and comparisons

    @property
    def origin(self) -> str:
        return self.weights.name if self.weights else f"a new network of {self.blocks} blocks"

    @property
    def notes(self) -> Path:
        return self.out.with_suffix(".training")

    @property
    def curve(self) -> Path:
        return self.out.with_suffix(".tsv")

    def progress(self, steps: int, seconds: float) -> float:
        """0..1, and 1 when it is done."""
        return min(1.0, steps / self.steps if self.steps else seconds / (self.minutes or 1) / MINUTE)


def run_training(run: Run, say: Callable[[str], None]) -> Score:
    """Train, and give how the averaged weights do on held-out crops. `say` gets a line now and then.

    TrainingError: pictures or features are missing, or it diverged. WeightsError: the weights to start from cannot be
    read, or the notes beside the output are another training's.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # Threads of the CPU belong to the network there; a GPU wants crops faster than one thread makes them.
    threads = 1 if device.type == "cpu" else min(MOST_THREADS, os.cpu_count() or 1)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True  # crops are all of one size, so looking for the fastest kernels pays
    lama = load(run.weights) if run.weights else _new(run.blocks)
    recipe = Recipe.fine_tuning() if run.weights and not run.unfinished else Recipe()
    crops, held_out = open_pictures(run.data, "train"), open_pictures(run.data, "held-out")
    say(f"{len(crops):,} pictures to learn from, {len(held_out):,} held out to judge by; {device}")
    if isinstance(crops, Folder) and crops.unusable:
        say(f"{len(crops.unusable)} left out, such as {crops.unusable[0]}")
    trainer = Trainer(lama, Features(), recipe, device)
    comparison = Comparison.of(held_out, run.side, trainer.features)
    return Training(trainer, comparison, run, say).train(Batches(crops, run.side, run.count, threads))


def _new(blocks: int) -> Lama:
    return Lama(LamaConfig(ngf=COMPACT, n_blocks=blocks))


class Training:
    """A trainer on its run. `say` gets a line now and then."""

    def __init__(self, trainer: Trainer, comparison: Comparison, run: Run, say: Callable[[str], None]) -> None:
        self.trainer, self.comparison, self.run, self.say = trainer, comparison, run, say
        self.seconds = 0.0  # of training, with those of earlier starts
        self._loss, self._since = torch.zeros((), device=trainer.device), 0  # summed losses, and from which step on

    @property
    def progress(self) -> float:
        return self.run.progress(self.trainer.steps, self.seconds)

    def train(self, batches: Batches) -> Score:
        """Train until the run is done; gives how the averaged weights do on the held-out crops.

        Interrupted, it writes down what it has before it lets the interrupt through. WeightsError: the notes beside
        the weights are another training's. Diverged: nothing was written after it was last well.
        """
        self._resume()
        begun = self._score()
        self.say(f"Without a network: {self.comparison.smooth}")
        self.say(f"To begin with: {begun}")
        try:
            with closing(batches.start(self.trainer.steps, self.trainer.device)) as source, self._bar() as bar:
                self._go_on(source, bar)
        except KeyboardInterrupt:
            self._save()
            self.say(f"Stopped at step {self.trainer.steps:,}. The same command goes on from there.")
            raise
        score = self._take_stock() if self.trainer.steps > self._since else self._score()
        if score.distance > self.comparison.smooth.distance:
            self.say("It is worse than no network at all: these weights are not for use yet. Train longer.")
        elif score.distance > begun.distance:
            self.say("It is worse than what it started from: keep that.")
        return score

    def _go_on(self, source: Iterator[Batch], bar: tqdm) -> None:
        begun = saved = time.monotonic()
        earlier = self.seconds
        while self.progress < 1:
            found = self.trainer.step(*next(source), self.progress)
            self._loss += torch.stack(list(found.values())).sum()
            before, self.seconds = self.seconds, earlier + time.monotonic() - begun
            bar.update(1 if self.run.steps else self.seconds - before)
            if time.monotonic() - saved >= self.run.every * MINUTE:
                self._take_stock()
                saved = time.monotonic()

    def _resume(self) -> None:
        """The trainer as it was, if there are notes of it."""
        if not self.run.notes.exists():
            return
        notes = checkpoint.read_notes(self.run.notes)
        about = notes["about"]
        if about["origin"] != self.run.origin:
            raise WeightsError(
                f"{self.run.notes} is of a training that started from {about['origin']}, not from {self.run.origin}. "
                "Choose another file for the output, or delete it."
            )
        checkpoint.restore(self.trainer, notes)
        self.seconds, self._since = float(about["seconds"]), self.trainer.steps
        self.say(f"Goes on at step {self.trainer.steps:,}, after {self.seconds / MINUTE:.0f} minutes.")

    def _take_stock(self) -> Score:
        """Save, compare, and add a line to the curve. Diverged: the loss is no number."""
        steps, loss = self.trainer.steps, float(self._loss) / (self.trainer.steps - self._since)
        if not math.isfinite(loss):
            raise Diverged(f"The loss became {loss} before step {steps:,}. {self.run.out} is from before that.")
        self._loss.zero_()
        self._since = steps
        self._save()
        score, smooth, dead = self._score(), self.comparison.smooth, self.comparison.dead(self.trainer.average)
        scores = score.hole, score.distance, smooth.hole, smooth.distance
        self._note((steps, self.seconds / MINUTE, *scores, dead, loss, self.trainer.rate(self.progress)))
        left = math.ceil(self.seconds / MINUTE * (1 / self.progress - 1))
        self.say(f"Step {steps:,}: {score} (without a network: {smooth}); {dead:.1%} dead; {left} min left")
        return score

    def _note(self, line: tuple[float, ...]) -> None:
        new = not self.run.curve.exists()
        with self.run.curve.open("a", newline="") as file:
            table = csv.writer(file, delimiter="\t")
            table.writerows([COLUMNS] if new else [])
            table.writerow(f"{value:.6g}" for value in line)

    def _score(self) -> Score:
        return self.comparison.score(self.trainer.average)

    def _save(self) -> None:
        checkpoint.save_weights(self.trainer, self.run.out)
        about = {"origin": self.run.origin, "seconds": self.seconds}
        checkpoint.save_notes(self.trainer, self.run.notes, about)

    def _bar(self) -> tqdm:
        """A line that tells the time left; nothing where nobody watches."""
        if self.run.steps:
            return tqdm(total=self.run.steps, initial=self.trainer.steps, unit="step", disable=None)
        form = "{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
        total = (self.run.minutes or 0) * MINUTE
        return tqdm(total=total, initial=self.seconds, bar_format=form, disable=None)
