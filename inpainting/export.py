"""What batches, uploads and results add to an account's export: their rows, and their pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accounts.export import Files, LeftOut, Part, StorageDown, Table
from accounts.models import User
from inpainting import storage
from inpainting.containers import heif, jpeg, png, webp
from inpainting.models import Batch, Item, Line, Result, SavedMark, StoredFile, Upload

PICTURES_AT_ONCE = 500  # rows of them


def parts(sender: Any, **kwargs: Any) -> list[Part]:
    return [
        Table("batches.json", Batch, "owner", "The batches that you sent."),
        Table("items.json", Item, "owner", "The pictures of batches, with what was asked and what became of each."),
        Table("uploads.json", Upload, "owner", "Pictures and masks that are stored."),
        Table("results.json", Result, "owner", "Results that are stored."),
        Table("saved_marks.json", SavedMark, "owner", "The marks that you saved."),
        Files("pictures/uploads", "Those pictures and masks, by their name in uploads.json.", _uploads, _read_upload),
        Files("pictures/results", "Those results, by their name in results.json.", _results, _read_result),
        Files("pictures/marks", "Those marks, by their name in saved_marks.json.", _saved_marks, _read_saved_mark),
        LeftOut(Line, "owner", "Whose batch is next: a place in a queue."),
    ]


def _uploads(user: User) -> Iterator[Upload]:
    """Marks that batches share are no pictures: they are computed from them."""
    return _pages(Upload, kind__in=[Upload.Kind.IMAGE, Upload.Kind.MASK], owner=user)


def _results(user: User) -> Iterator[Result]:
    return _pages(Result, owner=user)


def _saved_marks(user: User) -> Iterator[SavedMark]:
    return _pages(SavedMark, owner=user)


def _pages(model: type[StoredFile], **which: Any) -> Iterator[Any]:
    """All that is stored, expired or not, in short queries: clients may read slowly."""
    found = model.objects.filter(written=True, **which).order_by("pk")
    page = list(found[:PICTURES_AT_ONCE])
    while page:
        yield from page
        page = list(found.filter(pk__gt=page[-1].pk)[:PICTURES_AT_ONCE])


def _read_upload(upload: Upload) -> tuple[str, bytes]:
    content = _reachable(storage.read, upload)
    return upload.name + _ending(content), content


def _read_result(result: Result) -> tuple[str, bytes]:
    return result.name, _reachable(storage.read_result, result)


def _read_saved_mark(mark: SavedMark) -> tuple[str, bytes]:
    return f"{mark.name}.png", _reachable(storage.read, mark)


def _reachable(read: Any, stored: StoredFile) -> bytes:
    try:
        content: bytes = read(stored)
    except storage.StorageUnavailable as error:
        raise StorageDown from error
    return content


def _ending(content: bytes) -> str:
    """What systems know such a file by; uploads are stored under bare ids."""
    if heif.recognises(content):
        return ".avif" if b"avif" in content[8:32] else ".heic"
    known = {".jpg": jpeg.recognises, ".png": png.recognises, ".webp": webp.recognises}
    return next((ending for ending, recognises in known.items() if recognises(content)), "")
