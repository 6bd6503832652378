"""Training LaMa from its options: what to start from, on which pictures, and what is said of the result."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from inpainting.engine.inpainters.lama.checkpoint import load
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from training.data.folder import Folder, open_pictures
from training.lama.comparison import Score
from training.lama.trainer import FINE_TUNING, FROM_NOTHING, LamaTrainer
from training.loop import train
from training.trainer import Recipe

NARROW = 32  # channels after the stem of a new network: half of big-lama's
MOST_THREADS = 12


@dataclass(frozen=True)
class Job:
    data: Path  # a packed set, or a folder of pictures
    out: Path  # the weights, .safetensors
    start: Path | None  # weights to go on from; None: a new network of so many blocks
    finished: bool  # those weights are of a training that came to its end
    blocks: int
    recipe: Recipe  # but for rate and workers, which follow from the rest
    every: float  # minutes between checkpoints

    @property
    def origin(self) -> str:
        return self.start.name if self.start else f"a new network of {self.blocks} blocks"


def train_lama(job: Job, say: Callable[[str], None]) -> Score:
    """Train, and give how the averaged weights do on held-out crops. `say` gets a line now and then.

    TrainingError: pictures or features are missing, or it diverged. WeightsError: the weights to start from cannot be
    read, or the checkpoint beside the output is another training's.
    """
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True  # crops are all of one size, so looking for the fastest kernels pays
    lama = load(job.start) if job.start else Lama(LamaConfig(ngf=NARROW, n_blocks=job.blocks))
    stage = FINE_TUNING if job.start and job.finished else FROM_NOTHING
    crops, held_out = open_pictures(job.data, "train"), open_pictures(job.data, "held-out")
    recipe = replace(job.recipe, rate=stage.rate, workers=_threads())
    trainer = LamaTrainer(lama, recipe, stage, (crops, held_out), job.origin)
    say(f"{len(crops):,} pictures to learn from, {len(held_out):,} held out to judge by; {trainer.device}")
    if isinstance(crops, Folder) and crops.unusable:
        say(f"{len(crops.unusable)} left out, such as {crops.unusable[0]}")
    comparison = trainer.comparison
    begun = comparison.score(trainer.average)
    say(f"Without a network: {comparison.smooth}")
    say(f"To begin with: {begun}")
    train(trainer, job.out, say, job.every)
    score = comparison.score(trainer.average)
    if score.distance > comparison.smooth.distance:
        say("It is worse than no network at all: these weights are not for use yet. Train longer.")
    elif score.distance > begun.distance:
        say("It is worse than what it started from: keep that.")
    return score


def _threads() -> int:
    """Threads of the CPU belong to the network there; a GPU wants crops faster than one thread makes them."""
    return min(MOST_THREADS, os.cpu_count() or 1) if torch.cuda.is_available() else 1
