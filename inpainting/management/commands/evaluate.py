"""The tables that say how good the models are, on pictures that training never saw."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from inpainting.engine import weights
from training import TrainingError

MISSING = "Evaluation needs {}, which the service does not: pip install -r requirements-dev.txt"
Row = dict[str, str | float]


class Command(BaseCommand):
    help = (
        "Compare LaMa's weights with OpenCV, PatchMatch, the hybrid and the fills without a network, by kind of hole, "
        "on held-out pictures; and judge the watermark network. dB: PSNR, higher is better; dist: perceptual distance, "
        "lower is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="A packed set, or a folder of pictures.")
        parser.add_argument(
            "--weights", nargs="*", default=[], help="LaMa's: big-lama, compact or files. None: the others alone."
        )
        parser.add_argument("--hybrid", type=Path, metavar="WEIGHTS", help="The hybrid's; the embedded ones without.")
        parser.add_argument(
            "--watermark",
            nargs="?",
            const="embedded",
            metavar="WEIGHTS",
            help="Judge the watermark network instead, the embedded one or a file, on a set of build_training_set.",
        )
        parser.add_argument(
            "--side",
            type=int,
            default=512,
            help="Pixels of the pictures that marks are judged on; 512 by default.",
        )
        parser.add_argument("--out", type=Path, help="A folder for contact sheets (PNG); none are made without it.")
        parser.add_argument("--pictures", type=int, default=12, help="Photographs, at most; 12 by default.")
        parser.add_argument(
            "--all", action="store_true", help="All pictures of a folder: only for one that was never trained on."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = {_located(name) for name in options["weights"]}
        if options["pictures"] < 1:
            raise CommandError("--pictures: 1 or more")
        if options["side"] < 64:
            raise CommandError("--side: 64 or more")
        try:
            import training.evaluate.fills
            import training.evaluate.watermark  # noqa: F401 - here to see whether all they need is there
        except ModuleNotFoundError as error:
            raise CommandError(MISSING.format(error.name)) from error
        try:
            if options["watermark"]:
                self._watermark(options["watermark"], options["data"], options["out"], options["side"])
            else:
                self._lama(dict(sorted(found)), options)
        except (TrainingError, weights.WeightsError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _lama(self, found: dict[str, Path], options: dict[str, Any]) -> None:
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
        self.stdout.write(f"{len(cases) // len(fills.KINDS)} pictures, holes of {shares} of them\n\n")
        self._print(rows)

    def _watermark(self, name: str, data: Path, out: Path | None, side: int) -> None:
        from inpainting.engine.watermark.detector import load
        from training.data.folder import is_packed
        from training.evaluate.watermark import evaluate

        if not is_packed(data):
            raise CommandError(
                "The watermark network is judged on a set of build_training_set: it has fonts and logos too."
            )
        detector = load(weights.WATERMARK if name == "embedded" else Path(name))
        self._print(evaluate(detector, data, out, side))

    def _print(self, rows: Sequence[Row]) -> None:
        for line in _table(rows):
            self.stdout.write(line)


def _located(name: str) -> tuple[str, Path]:
    found = weights.locate(name, settings.WEIGHTS_DIR) if name else None
    if found is None:
        raise CommandError(f"--weights: there are no weights {name!r}. manage.py fetch_weights gets big-lama.")
    return found


def _table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown; a column for whatever any row has."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [columns, *([str(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for number, line in enumerate(cells):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
