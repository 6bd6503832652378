"""Mail about plan requests. A mail server that is down loses a mail, never a request or a decision."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse

from accounts.models import PlanRequest

logger = logging.getLogger(__name__)


def tell_staff(plan_request: PlanRequest) -> None:
    """To CONTACT_EMAIL, where there is one: somebody waits for an answer."""
    if settings.CONTACT_EMAIL:
        page = settings.SITE_URL + reverse("admin:accounts_planrequest_change", args=[plan_request.pk])
        message = f"They wrote: {plan_request.message}\n\n" if plan_request.message else ""
        _send(settings.CONTACT_EMAIL, f"{plan_request}", f"{plan_request}.\n\n{message}Approve or refuse: {page}\n")


def tell_user(plan_request: PlanRequest) -> None:
    """What staff decided."""
    plan = plan_request.plan
    decision = f"Your account is on {plan} now." if plan_request.approved else f"We cannot give you {plan} now."
    reply = f"{plan_request.reply}\n\n" if plan_request.reply else ""
    page = settings.SITE_URL + reverse("billing")
    _send(plan_request.user.email, f"You asked for {plan}", f"{decision}\n\n{reply}Your plan: {page}\n")


def _send(to: str, subject: str, body: str) -> None:
    try:
        send_mail(subject, body, None, [to])
    except (SMTPException, OSError):
        logger.exception("A mail about a plan request was not sent")
