"""Which repair of a mark leaves the least trace, learned on rendered marks."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training import TrainingError

description = "Learn when to restore a mark and when to repaint it; prints the numbers for inpainting/repair.py."


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="The folder that the verb data wrote.")
    parser.add_argument("--pictures", type=int, default=400, help="Rendered pictures; 400 by default.")


def run(options: dict[str, Any], say: Callable[[str], None]) -> None:
    """TrainingError: too few marks were found to learn from."""
    from training.watermark.repairs import learn

    try:
        learn(options["data"], options["pictures"], say)
    except (FileNotFoundError, ValueError) as error:
        raise TrainingError(str(error)) from error
