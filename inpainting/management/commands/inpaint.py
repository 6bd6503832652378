"""Clean one picture, or a folder of them, without a server."""

import os
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from tqdm import tqdm

from inpainting import engine, images, masks, service
from inpainting.engine.registry import INPAINTERS
from inpainting.images import SizeLimit
from inpainting.options import MAX_GROW, METADATA, MODES, TARGETS, FileFormat, Options, Target
from inpainting.removal import Job

FORMATS: dict[str, FileFormat] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".avif": "avif"}
READ = (*FORMATS, ".heic", ".heif")
REFUSALS = (ValueError, OSError, engine.EngineUnavailable)
UNCHANGED = "nothing to remove was found, the picture is unchanged."


class Command(BaseCommand):
    help = "Remove a watermark, or what a mask marks (white = remove), from a picture or every picture of a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("image", type=Path, help="A picture, or a folder of them; hidden files are left out.")
        parser.add_argument(
            "mask",
            type=Path,
            nargs="?",
            help="One mask for all, or a folder with one of each picture's name; resized where a picture has another "
            "size. Without it the watermark is found.",
        )
        parser.add_argument("-o", "--output", type=Path, required=True, help="A file; for a folder another folder.")
        parser.add_argument("--grow", type=int, default=0, help=f"Widen what is repainted, 0 to {MAX_GROW} pixels.")
        parser.add_argument(
            "--mode",
            choices=MODES,
            help="The default is repaint with a mask, auto (restore or repaint) without one. restore: there is a mark.",
        )
        parser.add_argument(
            "--metadata",
            choices=METADATA,
            default="strip",
            help="keep: the result has the picture's EXIF. The default is strip: no place, no names.",
        )
        parser.add_argument(
            "--targets",
            choices=[*TARGETS, ",".join(TARGETS)],
            help="What is looked for without a mask; the default is watermark. text: lettering of any kind.",
        )
        parser.add_argument("--model", help=f"{', '.join(INPAINTERS)}; without it the service's default.")

    def handle(self, *args: Any, image: Path, mask: Path | None, output: Path, **options: Any) -> None:
        if not 0 <= options["grow"] <= MAX_GROW:
            raise CommandError(f"--grow: 0 to {MAX_GROW}")
        chosen = Options(options["model"], options["mode"], options["grow"], metadata=options["metadata"])
        if options["targets"] is not None:
            chosen = replace(chosen, targets=_targets(options["targets"], mask, options["mode"]))
        try:
            engine.check_room(chosen.model)
        except engine.UnknownModel as error:
            raise CommandError(str(error)) from error
        if mask is not None and not mask.exists():
            raise CommandError(f"{mask}: No such file or directory")
        if image.is_dir():
            self._clean_folder(image, mask, output, chosen)
            return
        if output.suffix.lower() not in FORMATS:
            raise CommandError(f"{output}: the name must end in one of {', '.join(FORMATS)}")
        _check_folder(output.parent)
        try:
            self.stdout.write(_clean(image, mask, output, chosen))
        except REFUSALS as error:
            raise CommandError(f"{image}: {error}") from error

    def _clean_folder(self, folder: Path, mask: Path | None, output: Path, options: Options) -> None:
        photos = _pictures(folder)
        if not photos:
            raise CommandError(f"{folder} has no pictures ({', '.join(READ)}).")
        for read in (folder, mask):
            if read is not None and read.resolve() == output.resolve():
                raise CommandError(
                    f"{output} is read from: results would overwrite what is in it. Name another folder."
                )
        _check_folder(output if output.exists() else output.parent)
        output.mkdir(exist_ok=True)
        stems = Counter(photo.stem for photo in photos)
        failed = 0
        for photo in tqdm(photos, unit="picture", disable=None):
            # a.jpg and a.webp of one folder must not overwrite each other.
            name = photo.stem if stems[photo.stem] == 1 else photo.name
            try:
                self._say(self.stdout, _clean(photo, mask, output / f"{name}.png", options))
            except REFUSALS as error:
                failed += 1
                self._say(self.stderr, f"{photo}: {error}")
        self.stdout.write(f"{len(photos) - failed} of {len(photos)} pictures are in {output}")
        if failed:
            raise CommandError(f"{failed} could not be cleaned.")

    def _say(self, stream: OutputWrapper, line: str) -> None:
        with tqdm.external_write_mode():
            stream.write(line)


def _targets(named: str, mask: Path | None, mode: str | None) -> tuple[Target, ...]:
    if mask is not None:
        raise CommandError("Name either --targets or a mask: that says what is to go.")
    if "text" in named and mode == "restore":
        raise CommandError("Lettering is repainted, so --targets text takes no --mode restore.")
    try:
        if "text" in named:
            engine.check_text()
    except engine.TextNotInstalled as error:
        raise CommandError(str(error)) from error
    return tuple(target for target in TARGETS if target in named.split(","))


def _clean(image: Path, mask: Path | None, output: Path, options: Options) -> str:
    """A line that says what was done. Where there was nothing to remove, the output is the picture as it came."""
    limit = SizeLimit.of(None, None)
    picture, blend_mask = images.decode(image.read_bytes(), limit), None
    if mask is not None:
        own = _mask_of(image, mask) if mask.is_dir() else mask
        blend_mask = masks.blend(own.read_bytes(), picture, limit)
    format = FORMATS[output.suffix.lower()]
    cleaned = service.clean(Job.of(picture, blend_mask, replace(options, format=format)))
    _write(output, cleaned.data)
    said = f"{cleaned.pixels} pixels cleaned in {cleaned.seconds:.1f} s" if cleaned.pixels else UNCHANGED
    return f"{image}: {said}"


def _pictures(folder: Path) -> list[Path]:
    """Hidden files are none: macOS puts one of its own beside every picture on foreign disks."""
    files = (path for path in folder.iterdir() if path.suffix.lower() in READ and path.is_file())
    return sorted(path for path in files if not path.name.startswith("."))


def _mask_of(image: Path, masks: Path) -> Path:
    """The one in the folder `masks` that has the picture's name, whatever its ending."""
    found = [path for path in _pictures(masks) if path.stem == image.stem]
    if len(found) != 1:
        raise ValueError(f"{len(found) or 'no'} masks of its name are in {masks}; one is expected.")
    return found[0]


def _check_folder(folder: Path) -> None:
    """That it can be written to, before anything is computed."""
    if not folder.is_dir():
        raise CommandError(f"There is no folder {folder} to write to.")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise CommandError(f"{folder} cannot be written to: {error.strerror}") from error


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
