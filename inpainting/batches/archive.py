"""ZIP archives: pictures that come in as one, results that go out as one."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import PurePosixPath
from typing import IO

from django.conf import settings
from django.http import StreamingHttpResponse
from zipstream import ZipStream

from inpainting import storage
from inpainting.batches.accept import Source
from inpainting.batches.models import LONGEST_NAME, Batch, Item
from inpainting.models import Result

MASK = "_mask"  # photo.jpg has its mask in photo_mask.png
MOST_DIRECTORY_BYTES = 4 << 20  # of an archive's list of its files, which is read into memory whole


class InvalidArchive(ValueError):
    pass


def sources(file: IO[bytes], most: int, max_bytes: int) -> list[Source]:
    """The pictures in an archive of at most `most`, none of them read yet. Raises InvalidArchive."""
    archive = _opened(file)
    entries = {entry.filename: entry for entry in archive.infolist() if not _is_wrapping(entry)}
    if len(entries) < sum(not _is_wrapping(entry) for entry in archive.infolist()):
        raise InvalidArchive("The archive has two files of one name.")
    if not entries:
        raise InvalidArchive("The archive has no files in it.")
    if len(entries) > 2 * most:
        raise InvalidArchive(f"The archive has {len(entries)} files. A batch may have {most} pictures, a mask each.")
    for entry in entries.values():
        _check(entry, max_bytes)
    if sum(entry.file_size for entry in entries.values()) > settings.MAX_BATCH_BYTES:
        raise InvalidArchive(f"The archive is too large unpacked. Max size: {settings.MAX_BATCH_BYTES >> 20}MB")

    def reader(name: str) -> Callable[[], bytes]:
        return lambda: _read(archive, entries[name])

    masks = {PurePosixPath(name).stem.removesuffix(MASK): name for name in entries if _is_mask(name)}
    found = [
        Source(name, reader(name), reader(masks[stem]) if (stem := PurePosixPath(name).stem) in masks else None)
        for name in entries
        if not _is_mask(name)
    ]
    if lonely := masks.keys() - {PurePosixPath(source.name).stem for source in found}:
        raise InvalidArchive(f"{masks[min(lonely)]} is the mask of no picture in the archive.")
    return found


def results(batch: Batch) -> tuple[ZipStream, list[Result]]:
    """What is done by now, and errors.csv of what failed, read while it is sent; and the results that are in it.

    Raises NotThere: it is over, and none of its results is left.
    """
    archive = ZipStream(sized=True)
    found: list[Result] = []
    names: set[str] = {"errors.csv"}
    failures = [("index", "name", "code", "detail")]
    items = list(batch.items.order_by("index").prefetch_related("results"))
    for item in items:
        result = item.result
        if result is not None:
            found.append(result)
            archive.add(storage.chunks(result), _unique(item.name, result.name, names), size=result.size)
        elif item.error:
            failures.append((str(item.index), _harmless(item.name), item.error["code"], item.error["detail"]))
    states = {item.state for item in items}
    if not found and states.isdisjoint(Item.OPEN) and states != {Item.State.FAILED}:
        raise storage.NotThere("This batch has no results any more: expired, deleted, downloaded once, or cancelled.")
    if len(failures) > 1:
        text = io.StringIO()
        csv.writer(text).writerows(failures)
        archive.add(text.getvalue(), "errors.csv")
    return archive, found


def _harmless(name: str) -> str:
    """A name that a spreadsheet would compute as a formula is marked as text, as OWASP advises (CSV injection)."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def download(batch: Batch) -> StreamingHttpResponse:
    """`results` as the answer to a request. Raises NotThere."""
    made, found = results(batch)
    response = StreamingHttpResponse(storage.downloaded(made, found), content_type="application/zip")
    if not any(result.once for result in found):  # which go with the last block (api/object_remover.py)
        response["Content-Length"] = str(len(made))
    response["Content-Disposition"] = f'attachment; filename="{batch.pk}.zip"'
    return response


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        # The archive's own end says how long its list is; nothing public tells it before the list is read.
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end and end[zipfile._ECD_SIZE] > MOST_DIRECTORY_BYTES:  # type: ignore[attr-defined]
            raise InvalidArchive("The archive lists too many files.")
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        if isinstance(error, InvalidArchive):
            raise
        raise InvalidArchive("The archive is no ZIP file, or is damaged.") from error


def _is_wrapping(entry: zipfile.ZipInfo) -> bool:
    """What archivers add by themselves: folders, and macOS's notes about files."""
    # ZipInfo.is_dir() fails where the name is empty.
    return entry.filename.endswith("/") or entry.filename.startswith("__MACOSX/") or entry.filename == ".DS_Store"


def _is_mask(name: str) -> bool:
    return PurePosixPath(name).stem.endswith(MASK)


def _check(entry: zipfile.ZipInfo, max_bytes: int) -> None:
    name = entry.filename
    if "/" in name or "\\" in name or name in ("", ".", ".."):
        raise InvalidArchive(f"{name}: names with a folder are not accepted. Put the files side by side.")
    if not name.isprintable():
        raise InvalidArchive(f"{ascii(name)[:60]}: names with control characters are not accepted.")
    if len(name) > LONGEST_NAME:
        raise InvalidArchive(f"{name[:40]}…: the name is too long.")
    if entry.flag_bits & 0x1:
        raise InvalidArchive(f"{name} is encrypted.")
    if name.lower().endswith(".zip"):
        raise InvalidArchive(f"{name}: archives in archives are not opened.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidArchive(f"{name} is compressed in an unusual way. Stored and deflated files are read.")
    if entry.file_size == 0:
        raise InvalidArchive(f"{name} is empty.")
    if entry.file_size > max_bytes:
        raise InvalidArchive(f"{name} is too large. Max size: {max_bytes / (1 << 20):g}MB")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """As many bytes as its header says, which _check() has judged; a file that is longer or shorter is damaged.

    zipfile unpacks to the end and cuts off what is too much, unless it is told how much to read; and ends at the
    header's size without looking for more.
    """
    more = copy(entry)
    more.file_size += 1
    try:
        with archive.open(more) as file:
            content = file.read(more.file_size)
    except Exception as error:  # zlib, struct and zipfile each have their own
        raise InvalidArchive(f"{entry.filename} is damaged.") from error
    if len(content) != entry.file_size:
        raise InvalidArchive(f"{entry.filename} is damaged.")
    return content


def _unique(name: str, result: str, taken: set[str]) -> str:
    """The input's name with the result's ending, and a number where another has it already."""
    stem, ending = PurePosixPath(name).stem, PurePosixPath(result).suffix
    candidates: Iterator[str] = (f"{stem}{'' if n == 1 else f' ({n})'}{ending}" for n in range(1, len(taken) + 2))
    chosen = next(candidate for candidate in candidates if candidate.lower() not in taken)
    taken.add(chosen.lower())
    return chosen
