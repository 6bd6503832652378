"""Collect the pictures, logos and fonts that the embedded models are trained on."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training import TrainingError

description = "Fetch Debian packages and pack their photographs, textures, logos and fonts into one training set."
KINDS = ("photo", "texture", "logo", "font")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, help="A folder for the set; downloads are kept beside it.")
    parser.add_argument("--photos", type=Path, help="A folder of your own photographs to include.")
    parser.add_argument("--licences", type=Path, help="Their sources: file, repo, commit, path, licence; with tabs.")
    parser.add_argument(
        "--packages",
        nargs="*",
        metavar="KIND=NAME",
        help=f"Debian packages instead of the list; KIND is one of {', '.join(KINDS)}. None at all: only --photos.",
    )
    parser.add_argument("--side", type=int, default=896, help="The longer side of a stored picture, in pixels.")
    parser.add_argument("--quality", type=int, default=90, help="WebP quality of the stored pictures.")


def run(options: dict[str, Any], say: Callable[[str], None]) -> None:
    """TrainingError: an option makes no sense, or a package cannot be had."""
    from training.data.collect import PACKAGES, Collector, build
    from training.data.pack import Writer  # needs requirements-dev.txt

    out: Path = options["out"]
    packages = PACKAGES if options["packages"] is None else _chosen(options["packages"])
    writer = Writer(out)
    collector = Collector(writer, options["side"], options["quality"])
    if photos := options["photos"]:
        say(f"{photos}: {collector.take_folder(photos, options['licences'])} photographs")
    for line in build(collector, packages, out.parent / "downloads"):
        say(line)
    writer.close()
    say(f"{len(writer.items)} items are in {out}")


def _chosen(arguments: list[str]) -> dict[Any, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        kind, _, name = argument.partition("=")
        if kind not in KINDS or not name:
            raise TrainingError(f"--packages: {argument!r} is not KIND=NAME with KIND one of {', '.join(KINDS)}")
        chosen[kind] = (*chosen.get(kind, ()), name)
    return chosen
