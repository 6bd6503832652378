"""Mails that a key will expire soon: 7 days and 1 day before, once each, sent by the sweep."""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey

logger = logging.getLogger(__name__)

BEFORE = (1, 7)  # days; a key that expires within both is told of by the first alone


def send_due() -> int:
    """How many went out. What the mail server refuses is due again at the next sweep."""
    return sum(_send(key, days) for days in BEFORE for key in _due(days).select_related("user"))


def _due(days: int) -> QuerySet[ApiKey]:
    """Keys that expire within `days`, were made more than a day earlier than that, and are not told of yet."""
    ahead = timedelta(days=days)
    untold = Q(told_days=None) | Q(told_days__gt=days)
    soon: QuerySet[ApiKey] = ApiKey.objects.live().filter(untold, expires_at__lte=timezone.now() + ahead)
    return soon.filter(created_at__lt=F("expires_at") - ahead - timedelta(days=1))


def _send(key: ApiKey, days: int) -> bool:
    before = key.told_days
    if not ApiKey.objects.filter(pk=key.pk, told_days=before).update(told_days=days):
        return False  # another sweep has it
    try:
        send_mail(*_text(key, days), None, [key.user.email])
    except (SMTPException, OSError):
        logger.exception("A mail was not sent, and is tried again: key %s expires", key.pk)
        ApiKey.objects.filter(pk=key.pk, told_days=days).update(told_days=before)
        return False
    return True


def _text(key: ApiKey, days: int) -> tuple[str, str]:
    """Subject and body."""
    body = (
        f"Hello,\n\nyour API key {key} expires on {key.expires_at:%-d %B %Y, %H:%M} UTC. "
        f"From then on requests with it get a 401.\n\n"
        f"To put a new one in its place: {settings.SITE_URL}{reverse('key_rotate', args=[key.pk])}\n\n"
        f"{settings.SITE_NAME}\n{settings.SITE_URL}\n"
    )
    return f"Your API key {key.name} expires {'within a day' if days == 1 else f'within {days} days'}", body
