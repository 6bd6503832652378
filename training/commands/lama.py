"""Train LaMa on pictures of one's own: further from weights that exist, or a new, narrow one from nothing.

Imports no torch: both `manage.py train_lama` and `python -m training lama` show its options.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from inpainting.engine import weights
from training import TrainingError

description = (
    "Train LaMa on a folder of pictures. Use the result with LAMA_WEIGHTS=FILE. "
    "Run the same command again to go on where it stopped. See docs/training.md."
)
STEPS = 2000
SMALLEST = 64  # pixels of a crop


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="A folder of pictures, or a packed set.")
    parser.add_argument("--out", type=Path, required=True, help="The weights to make: FILE.safetensors.")
    parser.add_argument("--from", dest="origin", help="big-lama or a file; without it a new, small network is made.")
    parser.add_argument("--unfinished", action="store_true", help="The training that made --from did not end.")
    parser.add_argument("--blocks", type=int, default=9, help="Residual blocks of a new network; 9 by default.")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help=f"Steps in total; {STEPS:,} by default.")
    length.add_argument("--minutes", type=float, help="Minutes of training in total, instead of steps.")
    parser.add_argument("--size", type=int, default=256, help="Pixels of a crop, a multiple of 8; 256 by default.")
    parser.add_argument("--batch", type=int, default=8, help="Crops of a step; 8 by default.")
    parser.add_argument("--every", type=float, default=5.0, help="Minutes between checkpoints; 5 by default.")


def run(options: dict[str, Any], say: Callable[[str], None]) -> None:
    """TrainingError: an option makes no sense, or training failed. WeightsError: weights or checkpoint are no good."""
    start = _checked(options)
    from training.lama.run import Job, train_lama  # imports torch
    from training.trainer import Recipe

    minutes: float | None = options["minutes"]
    job = Job(
        data=options["data"],
        out=options["out"],
        start=start,
        finished=not options["unfinished"],
        blocks=options["blocks"],
        recipe=Recipe(
            side=options["size"],
            batch=options["batch"],
            hours=minutes and minutes / 60,
            steps=options["steps"] or (None if minutes else STEPS),
        ),
        every=options["every"],
    )
    score = train_lama(job, say)
    say(f"{job.out}: {score}. Use it with LAMA_WEIGHTS={job.out.resolve()}")


def _checked(options: dict[str, Any]) -> Path | None:
    """The weights to go on from. TrainingError: an option makes no sense."""
    if options["out"].suffix != ".safetensors":
        raise TrainingError("--out: the name must end in .safetensors")
    if options["size"] < SMALLEST or options["size"] % 8:
        raise TrainingError(f"--size: a multiple of 8 from {SMALLEST} on")
    for name in ("blocks", "batch", "steps", "minutes", "every"):
        if options[name] is not None and options[name] <= 0:
            raise TrainingError(f"--{name}: more than 0")
    if options["origin"] is None:
        return None
    found = weights.locate(options["origin"], settings.WEIGHTS_DIR) if options["origin"] else None
    if found is None:
        raise TrainingError(
            f"--from: there are no weights {options['origin']!r}. manage.py fetch_weights gets big-lama."
        )
    return found[1]
