"""One at a time changes something at Stripe for an account, in all processes: two clicks at once open no two pages.

A turn is a row with a lease, and no transaction is open while Stripe is asked. Who deletes an account keeps its turn:
the row goes with the account, and whoever comes then finds neither.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from accounts.billing import UnderWay
from accounts.models import AccountDeleted, StripeTurn, User
from config import workplace

DELETION = "deletion"  # the holder's name, for all that delete the account
LEASE = timedelta(seconds=60)  # several times as long as all calls of a click together may take
WAIT, WAIT_TO_DELETE, PAUSE = 4.0, 10.0, 0.1  # seconds


@contextmanager
def turn(user: User) -> Iterator[StripeTurn]:
    """Raises UnderWay, AccountDeleted."""
    mine = _take(user, uuid.uuid4().hex, WAIT)
    try:
        yield mine
    finally:
        _give_back(mine)


@contextmanager
def last_turn(user: User) -> Iterator[StripeTurn]:
    """Of an account that is about to be deleted: kept, until its lease runs out, but where the block raises.

    Whoever deletes it shares it. Raises UnderWay, AccountDeleted.
    """
    mine = _take(user, DELETION, WAIT_TO_DELETE)
    try:
        yield mine
    except BaseException:
        _give_back(mine)
        raise


def _take(user: User, holder: str, wait: float) -> StripeTurn:
    give_up = time.monotonic() + wait
    while not _taken(user, holder):
        if time.monotonic() > give_up:
            raise UnderWay
        with workplace.left():
            time.sleep(PAUSE)
    return StripeTurn.objects.get(user=user)


def _taken(user: User, holder: str) -> bool:
    now = timezone.now()
    free = Q(until=None) | Q(until__lt=now) | Q(holder=holder)
    try:
        StripeTurn.objects.get_or_create(user=user)
    except IntegrityError as error:
        raise AccountDeleted from error
    return bool(StripeTurn.objects.filter(free, user=user).update(holder=holder, until=now + LEASE))


def _give_back(mine: StripeTurn) -> None:
    StripeTurn.objects.filter(pk=mine.pk, holder=mine.holder).update(holder="", until=None)
