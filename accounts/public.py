"""How much callers without an account may have, an address and a day (UTC): bytes stored, pictures cleaned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

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
    key = _key("bytes", call.address)
    if cache.incr(key, size) > settings.PUBLIC_MEGABYTES << 20:
        cache.decr(key, size)
        used = f"This address has stored its {settings.PUBLIC_MEGABYTES} MB of today."
        raise RateLimited(_until_midnight(), f"{used} Use an API key, or come back after midnight UTC.")


def pictures_left(address: str) -> int:
    """How many of the PUBLIC_PICTURES it has left today."""
    left: int = settings.PUBLIC_PICTURES - cache.get(_key("pictures", address), 0)
    return max(0, left)


@contextmanager
def take_picture(call: Call) -> Iterator[Taken]:
    """One of the PUBLIC_PICTURES that a visitor has a day, given back unless it is spent. Raises NoPicturesLeft."""
    key, every = _key("pictures", call.address), _key("pictures", EVERYBODY)
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


def pictures_today() -> int:
    """How many all visitors had, those that are worked on now included."""
    return int(cache.get(_key("pictures", EVERYBODY)))


def _key(what: str, address: str) -> str:
    """Of today's counter, which is there."""
    key = f"public-{what}:{timezone.now().date()}:{address}"
    cache.add(key, 0, DAY)
    return key


def _until_midnight() -> int:
    return seconds_until(period_end(Period.DAY, timezone.now().date()))
