"""For how long an account's uploads and results are kept: as the call says, else as the account chose, in its plan's
bounds.

A lifetime is in seconds. ONCE of a result is until it has been downloaded whole, of an upload until a call can have
used it; either ends after ONCE_LASTS seconds at the latest.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.models import Lifetime, User

ONCE = Lifetime.ONCE.value
ONCE_LASTS = 600
SHORTEST = 60  # that a call may ask for

Kind = Literal["upload", "result"]


def default(kind: Kind) -> int:
    """Where neither the call nor the account says anything."""
    seconds: int = settings.UPLOAD_TTL if kind == "upload" else settings.RESULT_TTL
    return seconds


def longest(kind: Kind, user: User | None) -> int:
    """What may be asked for: as the plan allows; of the public, and where the plan says nothing, the default."""
    own = user.limits.longest_lifetime if user else None
    return default(kind) if own is None else own


def choices(kind: Kind, user: User) -> list[Lifetime]:
    return [each for each in Lifetime if each <= longest(kind, user)]


def chosen(kind: Kind, user: User | None, asked: int | None = None) -> int:
    """`asked`: by the call, which was checked. A plan that allows less by now shortens it."""
    own = (user.upload_lifetime if kind == "upload" else user.result_lifetime) if user else None
    wanted = next((each for each in (asked, own) if each is not None), default(kind))
    return min(wanted, longest(kind, user))


def end(lifetime: int) -> datetime:
    """Of what is stored now."""
    return timezone.now() + timedelta(seconds=ONCE_LASTS if lifetime == ONCE else lifetime)


def in_words(seconds: int) -> str:
    """2 weeks, or 1 day, 12 hours."""
    now = timezone.now()
    return timesince(now - timedelta(seconds=seconds), now)
