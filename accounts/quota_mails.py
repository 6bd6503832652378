"""Mails that a quota runs low. The sweep sends them: a mail server that is slow or down delays no request."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.mail import went_out
from accounts.models import QuotaMail
from accounts.quota import period_end, quota_of

logger = logging.getLogger(__name__)

State = QuotaMail.State
LONGEST = timedelta(minutes=10)  # that sending one may take: afterwards the process that began is dead


def send_due() -> int:
    """Send what is queued; how many went out. What the mail server refuses stays queued until the period ends."""
    _drop_interrupted()
    queued = QuotaMail.objects.filter(state=State.QUEUED).select_related("period__user").order_by("changed_at")
    return sum(_send(mail) for mail in queued)


def _drop_interrupted() -> None:
    """Whether a mail went out before its process died nobody knows: a second one would be worse than a log entry."""
    for mail in QuotaMail.objects.filter(state=State.SENDING, changed_at__lt=timezone.now() - LONGEST):
        if _move(mail, State.SENDING, State.DROPPED):
            logger.error("The process died that was sending a mail: %s. It may not have arrived.", mail)


def _send(mail: QuotaMail) -> bool:
    period = mail.period
    user = period.user
    if not user.quota_mails or user.limits.quota is None:  # not wanted any more, or nothing runs low
        _move(mail, State.QUEUED, State.DROPPED)
        return False
    if period_end(period.period, period.starts_on) <= timezone.now():
        if _move(mail, State.QUEUED, State.DROPPED):
            logger.error("A mail could not be sent before its period ended: %s", mail)
        return False
    if not _move(mail, State.QUEUED, State.SENDING):
        return False  # another sweep has it
    if went_out(user.email, *_text(mail), mail):
        return _move(mail, State.SENDING, State.SENT)
    _move(mail, State.SENDING, State.QUEUED)
    return False


def _move(mail: QuotaMail, before: QuotaMail.State, after: QuotaMail.State) -> bool:
    rows = QuotaMail.objects.filter(pk=mail.pk, state=before)
    return bool(rows.update(state=after, changed_at=timezone.now()))


def _text(mail: QuotaMail) -> tuple[str, str]:
    """Subject and body, with the numbers of now."""
    quota = quota_of(mail.period.user)
    when = "today" if mail.period.period == "day" else "this month"
    share = "All" if mail.percent == 100 else f"{mail.percent}%"
    body = (
        f"Hello,\n\n{quota.used:,} of {quota.limit or 0:,} pictures {when} are used, "
        f"{quota.remaining or 0:,} are left. The quota renews {quota.renewal}.\n\n"
        f"To get more, or no more of these mails: {settings.SITE_URL}{reverse('billing')}\n\n"
        f"{settings.SITE_NAME}\n{settings.SITE_URL}\n"
    )
    return f"{share} of your pictures {when} are used", body
