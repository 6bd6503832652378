"""`iopaint clean`: one request a picture. A folder goes on where it stopped: results that are there are left alone."""

from __future__ import annotations

import argparse
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from tqdm import tqdm

from iopaint import errors, files, saving
from iopaint.answers import Result
from iopaint.calls import Options
from iopaint.client import IOPaintClient

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif")
AGAIN = 10.0  # seconds between looks at a picture that a stopped run has left to the service
# What will stop the next picture as well: by kind, and by code where the kind does not say.
FATAL = (errors.AuthenticationFailed, errors.QuotaExceeded, errors.ConnectionFailed, errors.ModelNotInPlan)
FATAL_CODES = ("unknown_model", "option_not_taken", "invalid_mask", "not_found")  # not_found: the mark


@dataclass
class Tally:
    """What became of many pictures. there: their results were there before."""

    there: int = 0
    cleaned: int = 0
    unchanged: int = 0
    failed: int = 0

    def __str__(self) -> str:
        told = (
            (self.cleaned, "cleaned"),
            (self.unchanged, "unchanged and not charged: no watermark was found"),
            (self.failed, "failed"),
            (self.there, "were there already"),
        )
        return "; ".join(f"{count} {what}" for count, what in told if count)


class Unusable(Exception):
    """The arguments cannot be followed."""


def run(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    """Whether every picture came off well."""
    if not asked.path.exists():
        raise Unusable(f"{asked.path} does not exist.")
    if asked.path.is_dir():
        return _folder(client, asked)
    target = asked.output or asked.path.with_name(f"{asked.path.stem}-clean.{extension(asked)}")
    if target.is_dir():
        target = target / f"{asked.path.stem}.{extension(asked)}"
    if target.resolve() == asked.path.resolve():
        raise Unusable(f"{target} is the picture itself. Name another --output.")
    result = _clean(client, files.file(asked.path), _mask(asked), target, asked)
    print(target)
    print(_told(result), file=sys.stderr)
    return True


def _folder(client: IOPaintClient, asked: argparse.Namespace) -> bool:
    pictures = pictures_in(asked.path, asked.mask)
    folder = asked.output or asked.path.resolve().with_name(f"{asked.path.resolve().name}-clean")
    todo = pending(pictures, folder, extension(asked))
    mask, tally = _mask(asked), Tally(there=len(pictures) - len(todo))
    with tqdm(total=len(pictures), initial=tally.there, unit="picture", disable=None) as bar:
        for picture, target in todo:
            try:
                content = files.file(picture)
            except (OSError, errors.ImageTooLarge) as error:
                tally.failed += told(picture.name, error)
            else:
                _count(tally, _tried(client, content, mask, target, asked))
            bar.update()
    print(folder)
    print(tally, file=sys.stderr)
    return not tally.failed


def _count(tally: Tally, result: Result | None) -> None:
    if result is None:
        tally.failed += 1
    elif result.changed:
        tally.cleaned += 1
    else:
        tally.unchanged += 1


def _tried(
    client: IOPaintClient, picture: files.File, mask: files.File | None, target: Path, asked: argparse.Namespace
) -> Result | None:
    """None: it failed, and no other will for that. Raises OSError, IOPaintError for what stops every picture."""
    try:
        return _clean(client, picture, mask, target, asked)
    except errors.IOPaintError as error:
        if isinstance(error, FATAL) or error.code in FATAL_CODES:
            raise
        told(str(picture.name), error)
        return None


def _mask(asked: argparse.Namespace) -> files.File | None:
    return None if asked.mask is None else files.file(asked.mask, "mask")


def _clean(
    client: IOPaintClient, picture: files.File, mask: files.File | None, target: Path, asked: argparse.Namespace
) -> Result:
    options = removal_options(asked)
    # The same for the same work, so that what was interrupted is not charged again.
    work = hashlib.sha256(repr((picture, mask, sorted(options.items()))).encode())
    options["idempotency_key"] = f"iopaint-clean-{work.hexdigest()}"
    while True:
        try:
            return client.remove_watermark(picture, mask=mask, output=target, **options)
        except errors.IdempotencyInProgress:
            # Of a run that was stopped. It ends by itself, and this one is answered with what it has paid for.
            tqdm.write(f"{picture.name} is still worked on since this was stopped: waiting", file=sys.stderr)
            sleep(AGAIN)


def removal_options(asked: argparse.Namespace) -> Options:
    options: Options = {}
    for name in ("mark", "targets", "mode", "grow", "format", "model"):
        if (value := getattr(asked, name)) is not None:
            options[name] = value
    return options


def extension(asked: argparse.Namespace) -> str:
    return "jpg" if asked.format == "jpeg" else asked.format or "png"


def pictures_in(folder: Path, mask: Path | None) -> list[Path]:
    """By name; hidden files, folders and the mask are left alone. Raises Unusable if there are none."""
    others = set() if mask is None else {mask.resolve()}
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in PICTURES
        and not path.name.startswith(".")
        and path.is_file()
        and path.resolve() not in others
    ]
    if not found:
        raise Unusable(f"{folder} has no pictures ({', '.join(PICTURES)}) in it.")
    return found


def pending(pictures: list[Path], folder: Path, extension: str) -> list[tuple[Path, Path]]:
    """Pictures whose results are not in the folder yet, with the results' paths. Makes the folder.

    Raises Unusable, OSError.
    """
    if any(picture.parent.resolve() == folder.resolve() for picture in pictures):
        raise Unusable("The results would lie among the pictures. Name another folder as --output.")
    folder.mkdir(parents=True, exist_ok=True)
    saving.check_folder(folder)
    stems = saving.stems(path.name for path in pictures)
    targets = [folder / f"{stem}.{extension}" for stem in stems]
    return [(picture, target) for picture, target in zip(pictures, targets, strict=True) if not target.exists()]


def told(name: str, error: Exception | None) -> bool:
    """Of a picture that failed: True."""
    tqdm.write(f"{name}: {error}", file=sys.stderr)
    return True


def _told(result: Result) -> str:
    if not result.changed:
        return "Nothing to remove was found; the picture is unchanged, and nothing was charged."
    return f"{result.coverage:.2%} of the picture was worked on ({result.mask_source}), {result.charged} charged."
