"""What the commands that train the networks around watermarks have in common."""

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

if TYPE_CHECKING:  # training needs requirements-dev.txt
    from training.run import Recipe, Run


class TrainingCommand(BaseCommand):
    """Trains, stops, goes on from its last checkpoint, and writes weights."""

    SIDE = 128  # pixels, of the crops, if nobody says otherwise
    MULTIPLE = 16  # pixels, of which it is a multiple
    RATE = 1.5e-3  # the learning rate at its highest

    @abstractmethod
    def trainer(self, recipe: "Recipe", start: Path | None) -> "Run[Any, Any]":
        """Where training begins."""

    @abstractmethod
    def write(self, trainer: "Run[Any, Any]", data: Path, out: Path) -> None:
        """What is done once it has ended."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="The folder that build_training_set wrote.")
        parser.add_argument(
            "--out", type=Path, required=True, help="A .safetensors file; checkpoints are kept beside it."
        )
        parser.add_argument("--from", type=Path, dest="start", help="Weights to begin with.")
        parser.add_argument("--hours", type=float, default=1.5, help="Training time in all, over every resumption.")
        parser.add_argument(
            "--side", type=int, default=self.SIDE, help=f"Side of the crops, in pixels; a multiple of {self.MULTIPLE}."
        )
        parser.add_argument("--batch", type=int, default=8)
        parser.add_argument("--rate", type=float, default=self.RATE, help="The learning rate at its highest.")
        parser.add_argument("--workers", type=int, default=1, help="Processes that make examples.")

    def handle(self, *, data: Path, out: Path, start: Path | None, **options: Any) -> None:
        from training.run import Recipe, train

        if out.suffix != ".safetensors":
            raise CommandError("--out: the name must end in .safetensors")
        if options["side"] % self.MULTIPLE or options["side"] < 64:
            raise CommandError(f"--side: a multiple of {self.MULTIPLE}, at least 64")
        trainer = self.trainer(
            Recipe(**{name: options[name] for name in ("hours", "side", "batch", "rate", "workers")}), start
        )
        checkpoint = out.with_suffix(".checkpoint")
        if checkpoint.exists():
            trainer.resume(checkpoint)
            self.stdout.write(f"Goes on from {checkpoint}: {trainer.step} steps, {trainer.pictures:,} pictures.")
        try:
            train(trainer, data, checkpoint, self.stdout.write)
            self.write(trainer, data, out)
        except (FileNotFoundError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            trainer.save(checkpoint)
            raise CommandError(f"Stopped; the same command goes on from {checkpoint}.") from None
        self.stdout.write(f"{out} is written: {trainer.step} steps, {trainer.pictures:,} pictures.")
