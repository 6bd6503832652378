"""Collects the pictures, logos and fonts that the embedded models are trained on."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

KINDS = ("photo", "texture", "logo", "font")


class Command(BaseCommand):
    help = "Fetch Debian packages and pack their photographs, textures, logos and fonts into one training set."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--out", type=Path, required=True, help="A folder for the set; downloads are kept beside it."
        )
        parser.add_argument("--photos", type=Path, help="A folder of photographs of your own, taken too.")
        parser.add_argument(
            "--licences", type=Path, help="A table of those: file, repo, commit, path, licence; with tabs."
        )
        parser.add_argument(
            "--packages",
            nargs="*",
            metavar="KIND=NAME",
            help=f"Debian packages instead of the list; KIND is one of {', '.join(KINDS)}. None at all: only --photos.",
        )
        parser.add_argument("--side", type=int, default=896, help="The longer side of a stored picture, in pixels.")
        parser.add_argument("--quality", type=int, default=90, help="WebP quality of the stored pictures.")

    def handle(
        self, *, out: Path, photos: Path | None, licences: Path | None, packages: list[str] | None, **options: Any
    ) -> None:
        from training.data import Writer
        from training.data.collect import PACKAGES, Collector, build  # needs requirements-dev.txt
        from training.data.packages import PackageError

        chosen = PACKAGES if packages is None else _chosen(packages)
        writer = Writer(out)
        collector = Collector(writer, options["side"], options["quality"])
        try:
            if photos:
                self.stdout.write(f"{photos}: {collector.take_folder(photos, licences)} photographs")
            for line in build(collector, chosen, out.parent / "downloads"):
                self.stdout.write(line)
        except (PackageError, OSError) as error:
            raise CommandError(str(error)) from error
        writer.close()
        self.stdout.write(f"{len(writer.items)} items are in {out}")


def _chosen(arguments: list[str]) -> dict[Any, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        kind, _, name = argument.partition("=")
        if kind not in KINDS or not name:
            raise CommandError(f"--packages: {argument!r} is not KIND=NAME with KIND one of {', '.join(KINDS)}")
        chosen[kind] = (*chosen.get(kind, ()), name)
    return chosen
