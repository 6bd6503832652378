"""How batches end before their time, or with it: cancelled, expired, or with their account."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from accounts import reservations
from accounts.models import Usage
from inpainting import storage
from inpainting.batches import telling
from inpainting.batches.models import Batch, Item
from inpainting.models import Result, Upload


def cancel(batch: Batch, *, tell: bool = True) -> None:
    """Stop what has not ended, give its units back, and delete every file of the batch now.

    `tell`: the account's webhooks; not where the account itself is being deleted.
    """
    with transaction.atomic():
        Batch.objects.filter(pk=batch.pk).hold()
        # What runs is taken from its worker: it may no longer write, so nothing is charged for it.
        stopped = batch.items.filter(state__in=Item.OPEN).update(
            state=Item.State.CANCELLED, finished_at=timezone.now(), lease_expires_at=None
        )
        files = _files(batch)
        # So that nobody tries again what failed, while its files go.
        batch.items.update(image=None, mask=None, image_url="")
        cancelled = batch.items.filter(state=Item.State.CANCELLED)
        reservations.forget(Usage.objects.filter(pk__in=cancelled.values("usage")))
        if stopped and tell:
            telling.batch_ended(batch)
    _discard(files)


def _files(batch: Batch) -> list[Upload | Result]:
    return [*Upload.objects.of_items(batch.items.all()), *Result.objects.filter(item__batch=batch)]


def _discard(files: list[Upload | Result]) -> bool:
    """Whether all could be deleted; what could not be keeps its row."""
    return sum(storage.discarded(stored) for stored in files) == len(files)


def delete_expired() -> int:
    """Batches that are over and whose time is up; how many."""
    still_open = Item.objects.filter(batch=OuterRef("pk"), state__in=Item.OPEN)
    deleted = 0
    for batch in Batch.objects.filter(expires_at__lte=timezone.now()).exclude(Exists(still_open)):
        if _discard(_files(batch)):
            with transaction.atomic():
                Batch.objects.filter(pk=batch.pk).hold()
                batch.delete()
            deleted += 1
    return deleted


def discard_leftovers() -> int:
    """Files that a worker which died left behind: inputs of what is done, results of attempts that do not count."""
    inputs = Upload.objects.of_items(Item.objects.exclude(Item.NEEDING_INPUTS)).unneeded()
    results = Result.objects.filter(item__isnull=False).exclude(item__state__in=Item.OPEN)
    stale = results.exclude(item__state=Item.State.SUCCEEDED, attempt=F("item__attempt"))
    return sum(storage.discarded(stored) for stored in (*inputs, *stale))
