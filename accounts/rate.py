"""How fast an account may call: a token bucket, exact over processes and machines.

A token is taken by ONE conditional UPDATE, so the database decides races. The bucket counts the tokens that are
missing, not (as GCRA does) the time until it is full: a raised plan helps at once, whatever was spent at the old one's
pace.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Greatest

from accounts.models import RateBucket, User

ROUNDING = 1e-6  # tokens, or seconds: what summing fractions in floating point may be off by
CLOCKS_DIFFER = 60.0  # seconds by which one machine's clock may be ahead of another's; past that it was set wrong


class RateLimited(Exception):
    """No token left. `retry_after`: whole seconds until one is."""

    def __init__(self, retry_after: int, text: str = "Rate limit exceeded. Please try again later.") -> None:
        super().__init__(text)
        self.retry_after = retry_after

    @classmethod
    def until(cls, reset: int) -> RateLimited:
        """`reset`: epoch seconds from which a request will pass."""
        return cls(max(1, math.ceil(reset - time.time())))


@dataclass(frozen=True)
class Rate:
    """The state of a bucket after a request, as the X-RateLimit headers tell it."""

    limit: int
    remaining: int
    reset: int  # epoch seconds
    allowed: bool

    def check(self) -> None:
        """Raises RateLimited."""
        if not self.allowed:
            raise RateLimited.until(self.reset)


def check_usage(usage: dict[str, Any] | None) -> None:
    """What django-ratelimit's get_usage() counted; None: nothing. Raises RateLimited."""
    if usage and usage["should_limit"]:
        raise RateLimited(max(1, usage["time_left"]))


def spend_token(user: User) -> None:
    """Raises RateLimited."""
    rate = take_token(user)
    if rate is not None:
        rate.check()


def take_token(user: User) -> Rate | None:
    """Take a token from the account's bucket, if there is one. None: the account's rate is unlimited."""
    limits = user.limits
    if limits.requests_per_minute is None:
        return None
    capacity = limits.burst or limits.requests_per_minute
    per_second = limits.requests_per_minute / 60
    now = time.time()
    # A machine whose clock is behind must not refill what another has counted already: no time runs backwards.
    elapsed = Greatest(Value(now) - F("counted_at"), Value(0.0))
    missing = Greatest(F("missing") - elapsed * Value(per_second), Value(0.0))
    buckets = RateBucket.objects.filter(user=user).annotate(missing_now=missing)
    with_room = buckets.filter(missing_now__lte=capacity - 1 + ROUNDING)
    taken = {"missing": missing + Value(1.0), "counted_at": Greatest(F("counted_at"), Value(now))}
    allowed = with_room.update(**taken)
    if not allowed:  # refused, or the account's first request
        RateBucket.objects.get_or_create(user=user)
        # Or one that a clock far ahead has counted: it would not be refilled before the right time is there, too.
        RateBucket.objects.filter(user=user, counted_at__gt=now + CLOCKS_DIFFER).update(counted_at=now)
        # Or one that a larger plan left with more tokens missing than this one's bucket holds: it is empty, no more.
        buckets.filter(missing_now__gt=capacity).update(**{**taken, "missing": float(capacity)})
        allowed = with_room.update(**taken)
    missing_now = buckets.values_list("missing_now", flat=True).get()
    return Rate(
        limit=limits.requests_per_minute,
        remaining=max(0, min(limits.requests_per_minute, math.floor(capacity - missing_now + ROUNDING))),
        reset=math.ceil(now + (missing_now if allowed else missing_now - capacity + 1) / per_second - ROUNDING),
        allowed=bool(allowed),
    )
