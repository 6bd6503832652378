"""Whose item is next, and who may write what became of it: one conditional UPDATE each.

A claim gives the item a new attempt's number and a lease. Whoever has an older number, or no lease any more, changes
nothing: a worker that was thought dead, or one whose item was cancelled meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import reservations
from inpainting.batches.models import Batch, Item, Line

logger = logging.getLogger(__name__)

# A worker that died on it, a storage or a model that was away: past so many the item fails.
MOST_SETBACKS = 5
UNLIMITED = 1 << 30


class Superseded(Exception):
    """The item is another attempt's by now, or was cancelled: what this one made of it counts for nothing."""


def claim() -> Item | None:
    """The next item, the caller's for ITEM_LEASE seconds; None: nothing waits that may be worked on now.

    Accounts take turns; within one the oldest item comes first, and a plan's `concurrent_items` run at most.
    """
    take_back_abandoned()
    while anything_waits():  # only looks: who is idle takes no lock
        with transaction.atomic():
            line = _next_line()
            item = line and _claim_in(line)
            if item:
                return item
    return None


def anything_waits() -> bool:
    """Whether a claim would find an item now."""
    return _lines().exists()


def take_back_abandoned() -> int:
    """Queue what has no live lease: its worker died. How many that were."""
    stale = Item.objects.filter(state=Item.State.RUNNING, lease_expires_at__lt=timezone.now())
    return sum(set_back(item, 500, "interrupted", "The workers that tried it died.") for item in stale)


@contextmanager
def leased(item: Item) -> Iterator[None]:
    """Renew the item's lease while the block runs."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(settings.ITEM_LEASE / 3):
            try:
                _own(item).update(lease_expires_at=_lease_end())
            except DatabaseError:
                logger.exception("the lease of item %s could not be renewed", item.pk)
            finally:
                connection.close()

    threading.Thread(target=renew, name="lease", daemon=True).start()
    try:
        yield
    finally:
        over.set()


@transaction.atomic
def end(item: Item, state: Item.State, **outcome: Any) -> None:
    """Write the item's end. Raises Superseded. Settle or give back its unit in the same transaction."""
    now = timezone.now()
    if not _own(item).update(state=state, finished_at=now, lease_expires_at=None, **outcome):
        raise Superseded
    Batch.objects.filter(pk=item.batch_id).update(expires_at=now + timedelta(seconds=settings.RESULT_TTL))


@transaction.atomic
def fail(item: Item, status: int, code: str, detail: str) -> None:
    """It failed for good, and costs nothing. `status`, `code`, `detail`: as a call would be told. Raises Superseded."""
    end(item, Item.State.FAILED, error={"code": code, "detail": detail})
    if item.usage is not None:
        reservations.give_back(item.usage, status=status, code=code)


def hand_back(item: Item, after: float = 0) -> None:
    """Let others have it, in `after` seconds; nothing happened to it."""
    at = timezone.now() + timedelta(seconds=after)
    _own(item).update(state=Item.State.QUEUED, lease_expires_at=None, available_at=at)


def set_back(item: Item, status: int, code: str, detail: str, after: float = 0) -> bool:
    """Try it again in `after` seconds, or fail with these where that has happened too often. Whether it was ours."""
    if item.setbacks + 1 >= MOST_SETBACKS:
        try:
            fail(item, status, code, detail)
        except Superseded:
            return False
        return True
    at = timezone.now() + timedelta(seconds=after)
    queued = {"state": Item.State.QUEUED, "setbacks": item.setbacks + 1, "available_at": at, "lease_expires_at": None}
    return bool(_own(item).update(**queued))


def _own(item: Item) -> QuerySet[Item]:
    """The item, while it is still this attempt's."""
    return Item.objects.filter(pk=item.pk, attempt=item.attempt, state=Item.State.RUNNING)


def _waiting() -> QuerySet[Item]:
    return Item.objects.filter(state=Item.State.QUEUED, available_at__lte=timezone.now())


def _lines() -> QuerySet[Line]:
    """Of accounts that have an item waiting and may have one more running, who was served longest ago first."""
    running = Item.objects.filter(state=Item.State.RUNNING, owner=OuterRef("owner")).order_by().values("owner")
    plan = "owner__subscription__plan__concurrent_items"
    lines = Line.objects.annotate(
        running=Coalesce(Subquery(running.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0),
        most=Coalesce("owner__subscription__concurrent_items", plan, UNLIMITED),
    )
    waiting = Exists(_waiting().filter(owner=OuterRef("owner")))
    return lines.filter(waiting, running__lt=F("most")).order_by("served_at")


def _next_line() -> Line | None:
    """Locked, so that its account's items are claimed one after the other; others' are claimed at the same time."""
    for skip in (True, False):  # if others hold all lines: wait for one
        line = _lines().select_for_update(skip_locked=skip, of=("self",)).first()
        if line is not None:
            return line
    return None


def _claim_in(line: Line) -> Item | None:
    """None: another worker was faster, or the account was closed meanwhile."""
    mine = Q(owner=line.owner_id)
    if Item.objects.filter(mine, state=Item.State.RUNNING).count() >= line.most:  # type: ignore[attr-defined]
        return None
    first = _waiting().filter(mine).order_by("pk").first()
    now = timezone.now()
    if first is None or not Item.objects.filter(pk=first.pk, state=Item.State.QUEUED).update(
        state=Item.State.RUNNING,
        attempt=F("attempt") + 1,
        lease_expires_at=_lease_end(),
        started_at=Coalesce("started_at", now),
    ):
        return None
    Line.objects.filter(pk=line.pk).update(served_at=now)
    return Item.objects.select_related("batch__owner", "image", "mask", "usage__user", "usage__api_key").get(
        pk=first.pk
    )


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.ITEM_LEASE)
