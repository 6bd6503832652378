"""Trains the network that finds and lifts watermarks."""

from pathlib import Path
from typing import TYPE_CHECKING

from inpainting.management.training import TrainingCommand

if TYPE_CHECKING:
    from training.run import Recipe
    from training.watermark.unblend import Trainer


class Command(TrainingCommand):
    help = "Train the watermark network on a set of build_training_set. Stopped, it goes on from its last checkpoint."

    def trainer(self, recipe: "Recipe", start: Path | None) -> "Trainer":
        from training.watermark.unblend import Trainer

        return Trainer(recipe, start)

    def write(self, trainer: "Trainer", data: Path, out: Path) -> None:  # type: ignore[override]  # its own trainer
        trainer.write(data, out, self.stdout.write)
