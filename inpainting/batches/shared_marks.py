"""The mark that a batch's pictures share: computed once, by the worker of whichever item comes first.

The batch's row says who computes it: an item and its attempt, which count while that runs. What a dead worker leaves is
begun anew by the next one. Others wait meanwhile. Where it fails, each picture is cleaned in the ordinary way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from accounts.reservations import resume
from config.exceptions import classify
from config.postgres import lend_connection
from inpainting import admission, cutouts, engine, images, storage
from inpainting.batches.models import Batch, Item
from inpainting.batches.wake import bell
from inpainting.engine import SharedMark, Shot
from inpainting.engine.interface import Picture
from inpainting.images import SizeLimit
from inpainting.models import Upload

logger = logging.getLogger(__name__)

MOST_ESTIMATES = 3  # that are begun: workers may die of it
MOST_USED = 32  # pictures, evenly spread over the batch: more add little
PIXELS = 8 << 20  # as many as would take the memory that all pictures' crops take (engine/watermark/shared/mark.py)


class MarkAwaited(Exception):
    """Another worker computes it now."""

    retry_after = 5  # seconds


class _Damaged(Exception):
    def __init__(self, item: Item) -> None:
        self.item = item


def mark_of(item: Item) -> SharedMark | None:
    """What the pictures of a claimed item's batch share; None: nothing, or nobody asked.

    Raises MarkAwaited, and what is to be tried again: NoRoom, EngineBusy, StorageUnavailable.
    """
    batch = item.batch
    if batch.mark_state == Batch.Mark.WANTED:
        if _is_begun(item):
            _estimate(item)
        batch.refresh_from_db(fields=["mark_state", "mark"])
        if batch.mark_state == Batch.Mark.WANTED:
            _postpone(batch, MarkAwaited.retry_after)
            raise MarkAwaited
    return None if batch.mark is None else SharedMark.from_bytes(storage.read(batch.mark))


def _is_begun(item: Item) -> bool:
    """Whether this item's attempt is the one that computes the mark now."""
    begun = Item.objects.filter(
        pk=OuterRef("estimator"), attempt=OuterRef("estimator_attempt"), state=Item.State.RUNNING
    )
    waiting = Batch.objects.filter(~Exists(begun), pk=item.batch_id, mark_state=Batch.Mark.WANTED)
    return bool(waiting.update(estimator=item.pk, estimator_attempt=item.attempt, estimates=F("estimates") + 1))


def _estimate(item: Item) -> None:
    batch, mark = item.batch, None
    batch.refresh_from_db(fields=["estimates"])
    try:
        if batch.estimates <= MOST_ESTIMATES:
            mark = _computed(item)
        stored = mark and storage.put_upload(mark.to_bytes(), Upload.Kind.MARK, batch.owner)
    except Exception as error:
        if classify(error)[0] == 503:  # what is away for a while is asked again
            _own(item).update(estimator=None, estimates=F("estimates") - 1)
            raise
        logger.exception("the shared mark of batch %s", batch.pk)
        stored = None
    state = Batch.Mark.FOUND if stored else Batch.Mark.ABSENT
    if not _own(item).update(mark_state=state, mark=stored, estimator=None) and stored:
        storage.discarded(stored)
    bell.wake(_postpone(batch, 0))


def _own(item: Item) -> QuerySet[Batch]:
    return Batch.objects.filter(pk=item.batch_id, estimator=item.pk, estimator_attempt=item.attempt)


def _postpone(batch: Batch, seconds: float) -> int:
    """Let none of the batch's items be claimed earlier or later than that. How many wait."""
    with transaction.atomic():
        Batch.objects.filter(pk=batch.pk).hold()
        queued = batch.items.filter(state=Item.State.QUEUED)
        return queued.update(available_at=timezone.now() + timedelta(seconds=seconds))


def _computed(item: Item) -> SharedMark | None:
    if item.usage is None:
        return None
    items = list(item.batch.items.filter(image__isnull=False).select_related("image"))
    if len(items) > MOST_USED:
        items = [items[index * len(items) // MOST_USED] for index in range(MOST_USED)]
    limit, caller = SizeLimit.of(None, None), resume(item.usage).call.caller
    shots, pixels, files = {}, 0, 0
    for each in items:
        data = _file(each)
        shots[each.pk] = Shot(*images.size(data, limit), _reader(each, limit))
        pixels, files = max(pixels, images.check(data, limit)), max(files, len(data))
    lend_connection()
    with admission.worked_on(PIXELS + pixels, files, detects=True), engine.on_behalf_of(caller, patient=True):
        while True:
            try:
                return engine.shared_mark(list(shots.values()))
            except _Damaged as error:
                del shots[error.item.pk]


def _reader(item: Item, limit: SizeLimit) -> Callable[[], Picture]:
    def read() -> Picture:
        try:
            return cutouts.shown(images.decode(_file(item), limit))
        except images.InvalidImage as error:
            raise _Damaged(item) from error

    return read


def _file(item: Item) -> bytes:
    assert item.image is not None  # noqa: S101 - it was asked for
    return storage.read(item.image)
