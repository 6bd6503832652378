"""Mails that a mail server may refuse: they are logged then, and fail nothing else."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail

logger = logging.getLogger(__name__)


def went_out(to: str, subject: str, body: str, about: object) -> bool:
    """Whether the mail server took it; the subject is led by the site's name.

    `about` says in the log which one it did not take: no address.
    """
    try:
        send_mail(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}", body, None, [to])
    except (SMTPException, OSError):
        logger.exception("A mail was not sent: %s", about)
        return False
    return True
