"""How much callers without an account may have stored: bytes an address and a day (UTC)."""

from __future__ import annotations

import math
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from accounts.models import Period
from accounts.quota import period_end
from accounts.rate import RateLimited
from accounts.reservations import Call


def take_bytes(call: Call, size: int) -> None:
    """Count what is about to be stored for `call`. Raises RateLimited; accounts and the API token have no limit."""
    if call.user is not None or settings.API_TOKEN:
        return
    now = timezone.now()
    key = f"public-bytes:{now.date()}:{call.address}"
    cache.add(key, 0, timedelta(days=1).total_seconds())
    if cache.incr(key, size) > settings.PUBLIC_MEGABYTES << 20:
        cache.decr(key, size)
        seconds = (period_end(Period.DAY, now.date()) - now).total_seconds()
        used = f"This address has stored its {settings.PUBLIC_MEGABYTES} MB of today."
        raise RateLimited(math.ceil(seconds), f"{used} Use an API key, or come back after midnight UTC.")
