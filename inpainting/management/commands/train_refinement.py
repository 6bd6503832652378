"""Trains the network that mends what was computed from below a watermark."""

from pathlib import Path
from typing import TYPE_CHECKING

from inpainting.management.training import TrainingCommand

if TYPE_CHECKING:
    from training.run import Recipe
    from training.watermark.mending import Trainer


class Command(TrainingCommand):
    help = "Train the network that mends what the embedded watermark network restores. Stopped, it goes on."
    SIDE, MULTIPLE = 160, 4

    def trainer(self, recipe: "Recipe", start: Path | None) -> "Trainer":
        from training.watermark.mending import Trainer

        return Trainer(recipe, start)

    def write(self, trainer: "Trainer", data: Path, out: Path) -> None:  # type: ignore[override]  # its own trainer
        trainer.write(out)
