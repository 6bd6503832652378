"""Storages against rows, both ways: what a crash, a restored backup or a hand in the bucket has left behind goes."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.files.storage import Storage, storages
from django.utils import timezone

from inpainting import storage
from inpainting.models import Result, SavedMark, Upload

logger = logging.getLogger(__name__)

# What is younger may be on its way: a file of a health check, a row whose file is being written.
SETTLED = timedelta(hours=1)


class Reconciled(NamedTuple):
    files: int  # that had no row
    rows: int  # whose file was missing, or was never written to its end


def reconcile() -> Reconciled:
    """Delete files without rows and rows without files. A bucket must belong to one database alone."""
    files, rows = zip(*(_reconcile(model) for model in (Upload, Result, SavedMark)), strict=True)
    return Reconciled(sum(files), sum(rows))


def _reconcile(model: type[Upload | Result | SavedMark]) -> Reconciled:
    settled = timezone.now() - SETTLED
    names = storage.names(model)  # before the rows: each row is there before its file
    without_row = names.difference(model.objects.values_list("name", flat=True).iterator())
    rows = model.objects.filter(created_at__lt=settled).iterator()
    without_file = [row for row in rows if not row.written or row.name not in names]
    deleted = sum(_delete_if_settled(storages[model.storage_alias], name, settled) for name in without_row)
    for row in without_file:
        logger.warning("%s has a row and no file; the row is deleted", row.name)
        storage.discarded(row)
    return Reconciled(deleted, len(without_file))


def _delete_if_settled(files: Storage, name: str, settled: datetime) -> bool:
    try:
        if files.get_modified_time(name) > settled:
            return False
    except FileNotFoundError:  # deleted meanwhile
        return False
    logger.warning("%s has a file and no row; the file is deleted", name)
    files.delete(name)
    return True
