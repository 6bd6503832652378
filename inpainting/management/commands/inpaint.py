"""Clean one picture, or a folder of them, without a server."""

import os
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from inpainting import engine, images, masks, service
from inpainting.images import SizeLimit
from inpainting.options import MAX_GROW, MODES, Format, Options
from inpainting.removal import Job

FORMATS: dict[str, Format] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
REFUSALS = (ValueError, OSError, engine.EngineUnavailable)
UNCHANGED = "no watermark was found, the picture is unchanged."


class Command(BaseCommand):
    help = "Remove a watermark, or what a mask marks (white = remove), from a picture or every picture of a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("image", type=Path, help="A picture, or a folder of them.")
        parser.add_argument(
            "mask",
            type=Path,
            nargs="?",
            help="One mask for all; resized where a picture has another size. Without it the watermark is found.",
        )
        parser.add_argument("-o", "--output", type=Path, required=True, help="A file; for a folder, a folder.")
        parser.add_argument("--grow", type=int, default=0, help=f"Widen what is repainted, 0 to {MAX_GROW} pixels.")
        parser.add_argument(
            "--mode",
            choices=MODES,
            help="The default is repaint with a mask, auto (restore or repaint) without one. restore: there is a mark.",
        )
        parser.add_argument("--model", help="lama, hybrid or patchmatch; without it the service's default.")

    def handle(self, *args: Any, image: Path, mask: Path | None, output: Path, **options: Any) -> None:
        if not 0 <= options["grow"] <= MAX_GROW:
            raise CommandError(f"--grow: 0 to {MAX_GROW}")
        if mask is not None and mask.is_dir():
            raise CommandError(f"{mask} is a folder: one mask for all is expected.")
        if not output.parent.is_dir():
            raise CommandError(f"There is no folder {output.parent} to write to.")
        chosen = Options(options["model"], options["mode"], options["grow"])
        if not image.is_dir():
            try:
                if not _clean(image, mask, output, chosen):
                    self.stdout.write(f"{image}: {UNCHANGED}")
            except REFUSALS as error:
                raise CommandError(f"{image}: {error}") from error
            return
        photos = sorted(path for path in image.iterdir() if path.suffix.lower() in FORMATS)
        if not photos:
            raise CommandError(f"{image} has no pictures ({', '.join(FORMATS)}).")
        output.mkdir(parents=True, exist_ok=True)
        stems = Counter(photo.stem for photo in photos)
        failed = 0
        for photo in tqdm(photos, unit="picture", disable=None):
            try:
                # a.jpg and a.webp of one folder must not overwrite each other.
                name = photo.stem if stems[photo.stem] == 1 else photo.name
                if not _clean(photo, mask, output / f"{name}.png", chosen):
                    tqdm.write(f"{photo}: {UNCHANGED}", file=self.stdout)
            except REFUSALS as error:
                failed += 1
                tqdm.write(f"{photo}: {error}", file=self.stderr)
        self.stdout.write(f"{len(photos) - failed} of {len(photos)} pictures are in {output}")
        if failed:
            raise CommandError(f"{failed} could not be cleaned.")


def _clean(image: Path, mask: Path | None, output: Path, options: Options) -> bool:
    """Whether there was something to remove; where there was not, the output is the picture as it came."""
    format = FORMATS.get(output.suffix.lower())
    if format is None:
        raise ValueError(f"the output's name must end in one of {', '.join(FORMATS)}")
    limit = SizeLimit.of(None, None)
    picture = images.decode(image.read_bytes(), limit)
    blend_mask = None if mask is None else masks.blend(mask.read_bytes(), picture, limit)
    cleaned = service.clean(Job.of(picture, blend_mask, replace(options, format=format)))
    _write(output, cleaned.data)
    return cleaned.pixels > 0


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a full disk leaves no half picture behind."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    path.chmod(0o644)
