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
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import lifetimes, reservations
from inpainting.batches import telling
from inpainting.batches.models import Batch, Item

if TYPE_CHECKING:
    from inpainting.models import Upload

logger = logging.getLogger(__name__)

# A worker that died on it, a storage or a model that was away: past so many the item fails.
MOST_SETBACKS = 5
UNLIMITED = 1 << 30


class Superseded(Exception):
    """The item is another attempt's by now, or was cancelled: what this one made of it counts for nothing."""


class Stage(NamedTuple):
    """What is done to an item next. Accounts take turns at each stage."""

    items: str  # SQL: which are at it
    turn: str  # the line's column that tells who had one last
    most: str  # SQL: how many of an account's may run at once


# Of what may be fetched at once for an account (fetching.EACH) half stays free for its calls; and of the threads that
# fetch for batches (work.FETCHERS) half for others, as an address may hang for 20 seconds.
FETCH = Stage("NOT (image_url = '')", "fetched_at", "2")
WORK = Stage("image_url = ''", "served_at", f"COALESCE(own.concurrent_items, plan.concurrent_items, {UNLIMITED})")

# SQL, as the ORM would take ten times as long to write them as the database to answer. Both databases know them.
NEXT_LINE = """
    SELECT line.owner_id, {most}
    FROM inpainting_line AS line
    JOIN accounts_subscription AS own ON own.user_id = line.owner_id
    JOIN accounts_plan AS plan ON plan.id = own.plan_id
    WHERE EXISTS (SELECT 1 FROM inpainting_item
                  WHERE owner_id = line.owner_id AND state = 'queued' AND {items} AND available_at <= %s)
      AND (SELECT COUNT(*) FROM inpainting_item WHERE owner_id = line.owner_id AND state = 'running' AND {items})
          < {most}
    ORDER BY line.{turn} LIMIT 1
"""
CLAIM = """
    UPDATE inpainting_item
    SET state = 'running', attempt = attempt + 1, lease_expires_at = %s, started_at = COALESCE(started_at, %s)
    WHERE state = 'queued' AND {items}
      AND id = (SELECT MIN(id) FROM inpainting_item
                WHERE owner_id = %s AND state = 'queued' AND {items} AND available_at <= %s)
      AND (SELECT COUNT(*) FROM inpainting_item WHERE owner_id = %s AND state = 'running' AND {items}) < %s
    RETURNING id
"""
SERVED = "UPDATE inpainting_line SET {turn} = %s WHERE owner_id = %s"
ABANDONED = "SELECT 1 FROM inpainting_item WHERE state = 'running' AND lease_expires_at < %s LIMIT 1"


def claim(stage: Stage = WORK) -> Item | None:
    """The stage's next item, the caller's for ITEM_LEASE seconds; None: nothing waits that may be worked on now.

    Accounts take turns; within one the oldest item comes first, and a plan's `concurrent items` run at most.
    """
    while pk := claim_next(stage):
        # After the lock: a deleted account's item is gone by now.
        item = Item.objects.select_related("batch__owner", "image", "mask", "usage").filter(pk=pk).first()
        if item:
            return item
    return None


def claim_next(stage: Stage) -> int | None:
    """The claimed item's primary key: the claim alone, before anything is read of it."""
    take_back_abandoned()
    # Who is idle takes no lock. PostgreSQL locks nothing where nothing waits; SQLite would lock everything.
    while connection.vendor == "postgresql" or anything_waits(stage):
        with transaction.atomic():
            line = _locked_line(stage)
            pk = line and _claim_of(stage, *line)
        if pk:
            return pk
        if line is None:
            break
    return None


def anything_waits(stage: Stage = WORK) -> bool:
    """Whether a claim would find an item now."""
    return _next_line(stage) is not None


def take_back_abandoned() -> int:
    """Queue what has no live lease: its worker died. How many that were."""
    if _first_row(ABANDONED, [_sql(timezone.now())]) is None:  # every claim looks
        return 0
    stale = Item.objects.filter(state=Item.State.RUNNING, lease_expires_at__lt=timezone.now()).order_by()
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
    # First: who cancels the batch locks its row before its items, too.
    Batch.objects.filter(pk=item.batch_id).update(expires_at=lifetimes.end(item.batch.results_lifetime))
    if not _own(item).update(state=state, finished_at=now, lease_expires_at=None, **outcome):
        raise Superseded
    telling.item_ended(item.pk)


@transaction.atomic
def fail(item: Item, status: int, code: str, detail: str, *, keeps_inputs: bool = True) -> None:
    """It failed for good, and costs nothing. `status`, `code`, `detail`: as a call would be told. Raises Superseded.

    `keeps_inputs`: it can be tried again.
    """
    kept = {} if keeps_inputs else {"image": None, "mask": None}
    end(item, Item.State.FAILED, error={"code": code, "detail": detail}, **kept)
    if item.usage is not None:
        reservations.give_back(item.usage, status=status, code=code)


def fetched(item: Item, image: Upload) -> None:
    """Its picture is here: queue it to be worked on. Raises Superseded."""
    queued = {"state": Item.State.QUEUED, "image": image, "image_url": "", "lease_expires_at": None, "setbacks": 0}
    if not _own(item).update(**queued):
        raise Superseded


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


def _next_line(stage: Stage, lock: str = "") -> tuple[int, int] | None:
    """The account whose turn it is, and how many of its items may run at once."""
    row: tuple[int, int] | None = _first_row(NEXT_LINE.format(**stage._asdict()) + lock, [_sql(timezone.now())])
    return row


def _locked_line(stage: Stage) -> tuple[int, int] | None:
    """Its items are claimed one after the other; others' are claimed at the same time."""
    if connection.vendor != "postgresql":
        return _next_line(stage)  # SQLite: the transaction has locked everything
    return _next_line(stage, " FOR UPDATE OF line SKIP LOCKED") or _next_line(stage, " FOR UPDATE OF line")


def _claim_of(stage: Stage, owner: int, most: int) -> int | None:
    """None: the line's last item was cancelled meanwhile, or another worker has claimed it."""
    now = timezone.now()
    row = _first_row(CLAIM.format(items=stage.items), [_sql(_lease_end()), _sql(now), owner, _sql(now), owner, most])
    if row is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(SERVED.format(turn=stage.turn), [_sql(now), owner])
    pk: int = row[0]
    return pk


def _first_row(sql: str, parameters: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()


def _sql(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.ITEM_LEASE)
