"""An account's saved marks: kept, found, renamed, deleted; never more than the service's limits for one account."""

from __future__ import annotations

import uuid
from dataclasses import asdict

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum

from accounts.models import User
from inpainting import storage
from inpainting.models import SavedMark
from inpainting.saved_marks.saved import Kind, Place, Saved

NOT_THERE = "No such saved mark of yours: it was deleted or never existed."


class TooManyMarks(ValueError):
    """The account has as many, or as many bytes of them, as it may."""


def keep(owner: User, title: str, saved: Saved) -> SavedMark:
    """Raises TooManyMarks, StorageUnavailable; then nothing is kept."""
    place = asdict(saved.place)
    mark = SavedMark(
        owner=owner, title=title, kind=saved.kind, opacity=saved.opacity, place=place, size=len(saved.file)
    )
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)  # two at once must not pass the limit together
        check(owner, mark.size)
        mark.save()
    storage.put_saved_mark(mark, saved.file)
    return mark


def check(owner: User, size: int = 1) -> None:
    """Raises TooManyMarks, where another one of so many bytes is too much."""
    kept = SavedMark.objects.filter(owner=owner)
    if kept.count() >= settings.MAX_SAVED_MARKS:
        raise TooManyMarks(f"An account may keep {settings.MAX_SAVED_MARKS} marks. Delete one first.")
    if (kept.aggregate(all=Sum("size"))["all"] or 0) + size > settings.MAX_SAVED_MARK_BYTES:
        most = settings.MAX_SAVED_MARK_BYTES >> 20
        raise TooManyMarks(f"All saved marks of an account may have {most} MB together. Delete one first.")


def own(owner: User) -> QuerySet[SavedMark]:
    """The account's, newest first."""
    return SavedMark.objects.filter(owner=owner, written=True)


def find(owner: User | None, id: uuid.UUID, kind: Kind | None = None) -> SavedMark:
    """Raises NotThere, also where it is another account's, or of another kind than is asked for."""
    mark = None if owner is None else own(owner).filter(name=str(id)).first()
    if mark is not None and kind is not None and mark.kind != kind:
        mark = None
    if mark is None:
        raise storage.NotThere(NOT_THERE)
    return mark


def read(mark: SavedMark) -> Saved:
    """Raises NotThere, StorageUnavailable."""
    return Saved(mark.kind, storage.read(mark), Place(**mark.place), mark.opacity)  # type: ignore[arg-type]


def rename(mark: SavedMark, title: str) -> None:
    mark.title = title
    mark.save(update_fields=["title"])


def delete(owner: User, id: uuid.UUID) -> None:
    """Batches that were sent with it have a copy of their own and go on. Raises NotThere, StorageUnavailable."""
    find(owner, id).delete()
