"""Mails, and mail servers that are away or refuse them.

Most are logged then, and fail nothing else (`went_out`). One that somebody waits for has to be told of (`waited_for`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import send_mail

from accounts.plain import in_one_line

logger = logging.getLogger(__name__)


class NotSent(Exception):
    """The mail server is away, or takes no mail now."""

    def __init__(self, text: str = "Mail cannot be sent now. Please try again later.") -> None:
        super().__init__(text)


class Undeliverable(NotSent):
    """The mail server will never take a mail to this address."""

    def __init__(self) -> None:
        super().__init__("Mail to this address cannot be delivered. Please check it.")


@contextmanager
def waited_for() -> Iterator[None]:
    """Around the sending of a mail. Raises NotSent, Undeliverable."""
    try:
        yield
    except SMTPRecipientsRefused as error:
        for_good = all(code >= 500 for code, _ in error.recipients.values())
        raise (Undeliverable() if for_good else NotSent()) from error
    except ValueError as error:  # Django makes no header of it
        raise Undeliverable from error
    except (SMTPException, OSError) as error:
        raise NotSent from error


def went_out(to: str, subject: str, body: str, about: object) -> bool:
    """Whether the mail server took it; the subject is led by the site's name.

    `about` says in the log which one it did not take: no address. Whatever was wrong with it, the next one goes out.
    """
    try:
        send_mail(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{in_one_line(subject)}", body, None, [to])
    except Exception:
        logger.exception("A mail was not sent: %s", about)
        return False
    return True
