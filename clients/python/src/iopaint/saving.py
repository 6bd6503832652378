"""Where results go: names for them, and files that are there whole or not at all."""

from __future__ import annotations

import itertools
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

Format = Literal["png", "jpeg", "webp", "avif", "auto"]

FORMATS: dict[str, Format] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".avif": "avif"}
LONGEST_NAME = 200  # bytes, so that there is room for an ending
TYPES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}


def check_target(path: Path) -> None:
    """Raises the OSError that writing would end with, before anything is charged. Leaves nothing behind."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it.")
    check_folder(path.parent)


def check_folder(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise type(error)(error.errno, f"Cannot write into the folder: {error.strerror}", str(folder)) from None


def write(path: Path, content: bytes) -> None:
    with whole(path) as file:
        file.write(content)


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all: one beside it is written and takes its place, a link's too."""
    # Its name is short whatever the target's is, and hidden from those who list pictures.
    partial = path.with_name(f".iopaint-{uuid.uuid4().hex}.part")
    try:
        with partial.open("xb") as file:
            yield file
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def stems(labels: Iterable[str]) -> list[str]:
    """What to call each result, apart from its extension: photo; photo.jpg or photo-2 where that is taken.

    Which gets which depends on their order alone.
    """
    taken: set[str] = set()  # casefolded: some file systems take A.png for a.png
    chosen = []
    for label in labels:
        name = _tame(label)
        stem = Path(name).stem
        candidates = itertools.chain((stem, name), (f"{stem}-{number}" for number in itertools.count(2)))
        chosen.append(next(each for each in candidates if each.casefold() not in taken))
        taken.add(chosen[-1].casefold())
    return chosen


def _tame(label: str) -> str:
    """As the name of a file: a service's word for it leads to no other folder, and moves no terminal's cursor."""
    name = Path(label).name
    kept = "".join("_" if ord(each) < 32 or 127 <= ord(each) < 160 else each for each in name)
    try:
        encoded = os.fsencode(kept)
    except UnicodeEncodeError:  # half of a pair, as JSON can have it
        encoded = kept.encode(errors="replace")
    kept = os.fsdecode(encoded) if len(encoded) <= LONGEST_NAME else encoded[:LONGEST_NAME].decode(errors="ignore")
    return kept if kept.strip(".") else "image"
