"""The embedded networks that are trained on a packed set, and the options they share. Imports no torch."""

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from training import TrainingError

SMALLEST = 64  # pixels of a crop
HOURS = 1.5


@dataclass(frozen=True)
class Network:
    description: str
    trainer: tuple[str, str]  # module and class
    multiple: int  # pixels, of which a crop's side is a multiple
    side: int = 128  # pixels of a crop
    rate: float = 1.5e-3  # the learning rate at its highest
    numbers: Mapping[str, tuple[int, str]] = field(default_factory=dict)  # its own options: default, help

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="A packed set: python -m training data.")
        parser.add_argument("--out", type=Path, required=True, help="The weights to make: FILE.safetensors.")
        parser.add_argument("--from", type=Path, dest="start", help="Weights to begin with.")
        length = parser.add_mutually_exclusive_group()
        length.add_argument("--hours", type=float, help=f"Hours in all, with earlier starts; {HOURS} by default.")
        length.add_argument("--steps", type=int, help="Steps in all, instead of hours.")
        parser.add_argument(
            "--side", type=int, default=self.side, help=f"Side of the crops, in pixels; a multiple of {self.multiple}."
        )
        parser.add_argument("--batch", type=int, default=8, help="Crops of a step; 8 by default.")
        parser.add_argument("--rate", type=float, default=self.rate, help="The highest learning rate.")
        parser.add_argument("--workers", type=int, default=1, help="Processes that make examples; 0: this one.")
        parser.add_argument("--every", type=float, default=5.0, help="Minutes between checkpoints; 5 by default.")
        for name, (usual, what) in self.numbers.items():
            parser.add_argument(f"--{name}", type=int, default=usual, help=f"{what}; {usual:,} by default.")

    def run(self, options: dict[str, Any], say: Callable[[str], None]) -> None:
        """TrainingError: an option makes no sense, or there are no pictures. WeightsError: files that are no good."""
        from training.loop import train  # imports torch
        from training.trainer import Recipe

        out: Path = options["out"]
        if out.suffix != ".safetensors":
            raise TrainingError("--out: the name must end in .safetensors")
        if options["side"] % self.multiple or options["side"] < SMALLEST:
            raise TrainingError(f"--side: a multiple of {self.multiple}, at least {SMALLEST}")
        hours = None if options["steps"] else options["hours"] or HOURS
        given = {name: options[name] for name in ("steps", "side", "batch", "rate", "workers")}
        recipe = Recipe(hours=hours, **given)
        own = {name: options[name] for name in self.numbers}
        module, name = self.trainer
        trainer = getattr(import_module(module), name)(recipe, options["data"], options["start"], **own)
        train(trainer, out, say, options["every"])
        say(f"{out} is written: {trainer.step} steps, {trainer.pictures:,} pictures.")


WATERMARK = Network(
    "Train the network that finds and lifts watermarks.",
    ("training.watermark.unblend", "UnblendTrainer"),
    multiple=16,
    numbers={"verdict": (6000, "Pictures from which the verdict is learned, at the end")},
)
MEND = Network(
    "Train the network that mends what the embedded watermark network restores.",
    ("training.watermark.mending", "MendingTrainer"),
    multiple=4,
    side=160,
)
HYBRID = Network(
    "Train the network that weighs PatchMatch against smooth fills.",
    ("training.hybrid", "HybridTrainer"),
    multiple=8,
    rate=5e-4,  # at 1.5e-3 it learned for an hour and was then lost within minutes
)
