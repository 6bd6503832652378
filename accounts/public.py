"""How much callers without an account may have, an address and a day (UTC): bytes stored, pictures cleaned."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis import RedisError

from accounts.models import Period
from accounts.quota import period_end, seconds_until
from accounts.rate import RateLimited
from accounts.reservations import Call

DAY = timedelta(days=1).total_seconds()
EVERYBODY = "everybody"  # in place of an address


class NoPicturesLeft(RateLimited):
    """The address has had its pictures of today."""


@dataclass
class Taken:
    """A picture of an address's day. `spent`: otherwise it is given back."""

    spent: bool = False


def take_bytes(call: Call, size: int) -> None:
    """Count what is about to be stored for `call`. Raises RateLimited; accounts and the API token have no limit."""
    if call.user is not None or settings.API_TOKEN:
        return
    key = _counter("bytes", call.address)
    if cache.incr(key, size) > settings.PUBLIC_MEGABYTES << 20:
        cache.decr(key, size)
        used = f"This address has stored its {settings.PUBLIC_MEGABYTES} MB of today."
        raise RateLimited(_until_midnight(), f"{used} Use an API key, or come back after midnight UTC.")


def pictures_left(address: str) -> int | None:
    """How many of the PUBLIC_PICTURES it has left today. None: the cache, which alone knows, cannot be reached."""
    had = _pictures_had(address)
    return None if had is None else max(0, settings.PUBLIC_PICTURES - had)


@contextmanager
def take_picture(call: Call) -> Iterator[Taken]:
    """One of the PUBLIC_PICTURES that a visitor has a day, given back unless it is spent. Raises NoPicturesLeft."""
    key, every = _counter("pictures", call.address), _counter("pictures", EVERYBODY)
    if cache.incr(key) > settings.PUBLIC_PICTURES:
        cache.decr(key)
        used = f"Your {settings.PUBLIC_PICTURES} free pictures of today are used."
        raise NoPicturesLeft(_until_midnight(), f"{used} Sign up to go on, or come back after midnight UTC.")
    cache.incr(every)
    taken = Taken()
    try:
        yield taken
    finally:
        if not taken.spent:
            cache.decr(key)
            cache.decr(every)


def pictures_today() -> int | None:
    """How many all visitors had, those that are worked on now included. None: the cache cannot be reached."""
    return _pictures_had(EVERYBODY)


def _pictures_had(address: str) -> int | None:
    """Read for pages, which are there without it, too."""
    try:
        return int(cache.get(_key("pictures", address), 0))
    except (RedisError, sqlite3.OperationalError):
        return None


def _counter(what: str, address: str) -> str:
    """The key of today's, which is there."""
    key = _key(what, address)
    cache.add(key, 0, DAY)
    return key


def _key(what: str, address: str) -> str:
    return f"public-{what}:{timezone.now().date()}:{address}"


def _until_midnight() -> int:
    return seconds_until(period_end(Period.DAY, timezone.now().date()))
