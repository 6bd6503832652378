"""Mails that a key will expire soon: 7 days and 1 day before, sent by the sweep.

Each is sent once, or once more where a process dies between sending it and writing that down: an owner who reads it
twice loses nothing, one who never does loses what the key is for.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.mail import went_out
from accounts.models import ApiKey

BEFORE = (1, 7)  # days; a key that expires within both is told of by the first alone
LONGEST = timedelta(minutes=10)  # that sending one may take: afterwards the process that began is dead


def send_due() -> int:
    """How many went out. What the mail server refuses is due again at the next sweep."""
    return sum(_send(key, days) for days in BEFORE for key in _due(days).select_related("user"))


def _due(days: int) -> QuerySet[ApiKey]:
    """Keys that expire within `days`, were made more than a day earlier than that, and are not told of yet, nor now."""
    ahead, now = timedelta(days=days), timezone.now()
    untold = Q(told_days=None) | Q(told_days__gt=days)
    unheld = Q(telling_until=None) | Q(telling_until__lt=now)
    soon: QuerySet[ApiKey] = ApiKey.objects.live().filter(untold, unheld, expires_at__lte=now + ahead)
    return soon.filter(created_at__lt=F("expires_at") - ahead - timedelta(days=1))


def _send(key: ApiKey, days: int) -> bool:
    now = timezone.now()
    if not _due(days).filter(pk=key.pk).update(telling_until=now + LONGEST):
        return False  # another sweep has it
    told = went_out(key.user.email, *_text(key, days), f"key {key.pk} expires")
    mine = ApiKey.objects.filter(pk=key.pk, telling_until=now + LONGEST)
    mine.update(telling_until=None, **({"told_days": days} if told else {}))
    return told


def _text(key: ApiKey, days: int) -> tuple[str, str]:
    """Subject and body."""
    body = (
        f"Hello,\n\nyour API key {key} expires on {key.expires_at:%-d %B %Y, %H:%M} UTC. "
        f"From then on requests with it get a 401.\n\n"
        f"To put a new one in its place: {settings.SITE_URL}{reverse('key_rotate', args=[key.pk])}\n\n"
        f"{settings.SITE_NAME}\n{settings.SITE_URL}\n"
    )
    return f"Your API key {key.name} expires {'within a day' if days == 1 else f'within {days} days'}", body
