"""Trains the network that makes PatchMatch's copies fit."""

from pathlib import Path
from typing import TYPE_CHECKING

from inpainting.management.training import TrainingCommand

if TYPE_CHECKING:
    from training.hybrid import Trainer
    from training.run import Recipe


class Command(TrainingCommand):
    help = "Train the network that makes the copies of PatchMatch fit. Stopped, it goes on."
    MULTIPLE = 8
    RATE = 5e-4  # at 1.5e-3 it learned for an hour and was then lost within minutes

    def trainer(self, recipe: "Recipe", start: Path | None) -> "Trainer":
        from training.hybrid import Trainer

        return Trainer(recipe, start)

    def write(self, trainer: "Trainer", data: Path, out: Path) -> None:  # type: ignore[override]  # its own trainer
        trainer.write(out)
