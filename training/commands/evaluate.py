"""The tables that say how good the models are, on pictures that training never saw."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from tqdm import tqdm

from inpainting.engine import weights
from training import TrainingError
from training.cards import table

description = (
    "Compare LaMa's weights with OpenCV, PatchMatch, the hybrid and the fills without a network, by kind of hole, on "
    "held-out pictures; or judge the watermark network. dB: PSNR, higher is better; dist: perceptual distance, "
    "lower is better."
)
SMALLEST = 64  # pixels of a picture
Row = dict[str, str | float]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="A packed set, or a folder of pictures.")
    parser.add_argument("--weights", nargs="*", default=[], help="LaMa's: big-lama or files. None: the others alone.")
    parser.add_argument("--hybrid", type=Path, metavar="WEIGHTS", help="The hybrid's; the embedded ones without.")
    parser.add_argument(
        "--watermark",
        nargs="?",
        const="embedded",
        metavar="WEIGHTS",
        help="Judge the watermark network instead, the embedded one or a file, on a packed set.",
    )
    parser.add_argument(
        "--side", type=int, default=512, help="Pixels of the pictures that marks are judged on; 512 by default."
    )
    parser.add_argument(
        "--real",
        type=Path,
        metavar="TABLE",
        help="With --watermark: judge it on the real pictures of --data, after a table of where their marks are.",
    )
    parser.add_argument("--out", type=Path, help="A folder for contact sheets (PNG) and the table (JSON).")
    parser.add_argument("--pictures", type=int, default=12, help="Photographs, at most; 12 by default.")
    parser.add_argument(
        "--all", action="store_true", help="All pictures of a folder: only for one that was never trained on."
    )


def run(options: dict[str, Any], say: Callable[[str], None]) -> None:
    """TrainingError: an option makes no sense, or there are no pictures. WeightsError: weights cannot be read."""
    found = dict(sorted({_located(name) for name in options["weights"]}))
    if options["pictures"] < 1:
        raise TrainingError("--pictures: 1 or more")
    if options["side"] < SMALLEST:
        raise TrainingError(f"--side: {SMALLEST} or more")
    rows = _watermark(options) if options["watermark"] else _fills(found, options, say)
    if out := options["out"]:
        (out / "table.json").write_text(json.dumps(rows, indent=1) + "\n")
    for line in table(rows):
        say(line)


def _fills(found: dict[str, Path], options: dict[str, Any], say: Callable[[str], None]) -> list[Row]:
    from inpainting.engine.inpainters.hybrid import load as load_hybrid
    from inpainting.engine.inpainters.lama.checkpoint import load
    from inpainting.engine.inpainters.lama.inpainter import LamaInpainter
    from training.data.folder import open_pictures
    from training.evaluate import fills
    from training.features import Features

    features = Features()
    pictures = open_pictures(options["data"], None if options["all"] else "held-out")
    cases = fills.cases(pictures, options["pictures"])
    lamas = {label: LamaInpainter(load(path), label) for label, path in found.items()}
    hybrid = load_hybrid(options["hybrid"]) if options["hybrid"] else None
    with tqdm(total=len(cases), unit="hole", disable=None, leave=False) as bar:
        rows = fills.evaluate(fills.methods(lamas, hybrid), cases, features, options["out"], watch=bar.update)
    shares = ", ".join(f"{kind} {share:.1%}" for kind, share in fills.coverage(cases).items())
    say(f"{len(cases) // len(fills.KINDS)} pictures, holes of {shares} of them\n")
    return rows


def _watermark(options: dict[str, Any]) -> list[Row]:
    from inpainting.engine.watermark.detector import load
    from training.data.folder import is_packed
    from training.evaluate import real, watermark

    if not (options["real"] or is_packed(options["data"])):
        raise TrainingError("The watermark network is judged on a packed set: it has fonts and logos too.")
    name = options["watermark"]
    detector = load(weights.WATERMARK if name == "embedded" else Path(name))
    if options["real"]:
        return real.evaluate(detector, options["real"], options["data"], options["out"])
    return watermark.evaluate(detector, options["data"], options["out"], options["side"])


def _located(name: str) -> tuple[str, Path]:
    found = weights.locate(name, settings.WEIGHTS_DIR) if name else None
    if found is None:
        raise TrainingError(f"--weights: there are no weights {name!r}. manage.py fetch_weights gets big-lama.")
    return found
