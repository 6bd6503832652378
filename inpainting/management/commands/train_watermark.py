"""Trains the network that finds and lifts watermarks."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Train the watermark network on a set of build_training_set. Stopped, it goes on from its last checkpoint."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="The folder that build_training_set wrote.")
        parser.add_argument(
            "--out", type=Path, required=True, help="A .safetensors file; checkpoints are kept beside it."
        )
        parser.add_argument("--from", type=Path, dest="start", help="Weights to begin with.")
        parser.add_argument("--hours", type=float, default=1.5, help="Training time in all, over every resumption.")
        parser.add_argument("--side", type=int, default=128, help="Side of the crops, in pixels; a multiple of 16.")
        parser.add_argument("--batch", type=int, default=8)
        parser.add_argument("--rate", type=float, default=1.5e-3, help="The learning rate at its highest.")
        parser.add_argument("--workers", type=int, default=1, help="Processes that make examples.")

    def handle(self, *, data: Path, out: Path, start: Path | None, **options: Any) -> None:
        from inpainting.training.watermark import Recipe, Trainer, train  # needs requirements-dev.txt

        if out.suffix != ".safetensors":
            raise CommandError("--out: the name must end in .safetensors")
        if options["side"] % 16 or options["side"] < 64:
            raise CommandError("--side: a multiple of 16, at least 64")
        trainer = Trainer(
            Recipe(**{name: options[name] for name in ("hours", "side", "batch", "rate", "workers")}), start
        )
        checkpoint = out.with_suffix(".checkpoint")
        if checkpoint.exists():
            trainer.resume(checkpoint)
            self.stdout.write(f"Goes on from {checkpoint}: {trainer.step} steps, {trainer.pictures:,} pictures.")
        try:
            train(trainer, data, checkpoint, self.stdout.write)
            trainer.write(data, out, self.stdout.write)
        except (FileNotFoundError, ValueError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            trainer.save(checkpoint)
            raise CommandError(f"Stopped; the same command goes on from {checkpoint}.") from None
        self.stdout.write(f"{out} is written: {trainer.step} steps, {trainer.pictures:,} pictures.")
