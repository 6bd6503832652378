"""Train LaMa on pictures of one's own: further from weights that exist, or a compact one from nothing."""

import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from inpainting.engine import weights
from training import TrainingError

STEPS = 2000
SMALLEST = 64  # pixels of a crop
MISSING = "Training needs {}, which the service does not: pip install -r requirements-dev.txt"


class Command(BaseCommand):
    help = (
        "Train LaMa on a folder of pictures. The weights in --out are the service's to use: LAMA_WEIGHTS=FILE. "
        "The same command again goes on where it stopped. docs/training.md tells more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="A folder of pictures, or a packed set.")
        parser.add_argument("--out", type=Path, required=True, help="The weights to make: FILE.safetensors.")
        parser.add_argument(
            "--from", dest="origin", help="big-lama, compact or a file; without it a new, small network."
        )
        parser.add_argument(
            "--unfinished", action="store_true", help="The weights of --from are not trained to their end yet."
        )
        parser.add_argument("--blocks", type=int, default=9, help="Residual blocks of a new network; 9 by default.")
        length = parser.add_mutually_exclusive_group()
        length.add_argument("--steps", type=int, help=f"Steps in all; {STEPS:,} by default.")
        length.add_argument("--minutes", type=float, help="Minutes of training in all, instead of steps.")
        parser.add_argument("--size", type=int, default=256, help="Pixels of a crop, a multiple of 8; 256 by default.")
        parser.add_argument("--batch", type=int, default=8, help="Crops of a step; 8 by default.")
        parser.add_argument("--every", type=float, default=5.0, help="Minutes between checkpoints; 5 by default.")

    def handle(self, *args: Any, **options: Any) -> None:
        start = _checked(options)
        try:
            from training.lama.run import Run, run_training  # imports torch
        except ModuleNotFoundError as error:
            raise CommandError(MISSING.format(error.name)) from error

        run = Run(
            data=options["data"],
            out=options["out"],
            weights=start,
            blocks=options["blocks"],
            unfinished=options["unfinished"],
            steps=options["steps"] or (None if options["minutes"] else STEPS),
            minutes=options["minutes"],
            side=options["size"],
            count=options["batch"],
            every=options["every"],
        )
        # A machine that is switched off politely gets its last checkpoint too.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            score = run_training(run, self._say)
        except (TrainingError, weights.WeightsError, OSError) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=130) from None
        finally:
            signal.signal(signal.SIGTERM, before)
        self._say(f"{run.out}: {score}. Use it with LAMA_WEIGHTS={run.out.resolve()}")

    def _say(self, line: str) -> None:
        with tqdm.external_write_mode():
            self.stdout.write(line)


def _checked(options: dict[str, Any]) -> Path | None:
    """The weights to go on from. CommandError: an option makes no sense."""
    if options["out"].suffix != ".safetensors":
        raise CommandError("--out: the name must end in .safetensors")
    if options["size"] < SMALLEST or options["size"] % 8:
        raise CommandError(f"--size: a multiple of 8 from {SMALLEST} on")
    for name in ("blocks", "batch", "steps", "minutes", "every"):
        if options[name] is not None and options[name] <= 0:
            raise CommandError(f"--{name}: more than 0")
    if options["origin"] is None:
        return None
    found = weights.locate(options["origin"], settings.WEIGHTS_DIR) if options["origin"] else None
    if found is None:
        raise CommandError(
            f"--from: there are no weights {options['origin']!r}. manage.py fetch_weights gets big-lama."
        )
    return found[1]
