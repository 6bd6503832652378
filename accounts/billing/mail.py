"""Mail about plan requests. A mail server that is down loses a mail, never a request or a decision."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse

from accounts.models import PlanRequest

logger = logging.getLogger(__name__)


def tell_staff(asked: PlanRequest) -> None:
    """To CONTACT_EMAIL, where there is one: somebody waits for an answer."""
    if settings.CONTACT_EMAIL:
        page = settings.SITE_URL + reverse("admin:accounts_planrequest_change", args=[asked.pk])
        message = f"They wrote: {asked.message}\n\n" if asked.message else ""
        _send(settings.CONTACT_EMAIL, f"{asked}", f"{asked}.\n\n{message}Approve or refuse: {page}\n")


def tell_user(asked: PlanRequest) -> None:
    """What staff decided."""
    decision = f"Your account is on {asked.plan} now." if asked.approved else f"We cannot give you {asked.plan} now."
    reply = f"{asked.reply}\n\n" if asked.reply else ""
    page = settings.SITE_URL + reverse("billing")
    _send(asked.user.email, f"You asked for {asked.plan}", f"{decision}\n\n{reply}Your plan: {page}\n")


def _send(to: str, subject: str, body: str) -> None:
    try:
        send_mail(subject, body, None, [to])
    except (SMTPException, OSError):
        logger.exception("A mail about a plan request was not sent")
