"""What people type that is shown and mailed: names of one line, addresses that are an address and nothing else."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

# Controls, line and paragraph separators, halves of characters: Unicode's Cc, Zl, Zp and Cs, to which it adds none.
NOT_IN_A_LINE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def in_one_line(text: str) -> str:
    """As a mail's header may hold it."""
    return NOT_IN_A_LINE.sub(" ", text)


def check_line(text: str) -> None:
    """A form's and a serializer's validator."""
    if NOT_IN_A_LINE.search(text):
        raise ValidationError("Line breaks and control characters are not allowed.")


def canonical(address: str) -> str:
    """As mail is sent there: one spelling of a domain, which IDNA makes of many. What has none stays."""
    local, at, domain = address.strip().rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode().lower()}"
    except UnicodeError:
        return address


def check_address(address: str) -> None:
    """What is left of Django's EmailValidator: no quotes, encoded words, IP addresses, nor domains that IDNA lacks, or
    of which it makes another address or two."""
    local, _, domain = address.rpartition("@")
    is_plain = local.isascii() and '"' not in local and "=?" not in local and "[" not in domain
    try:
        domain.encode("idna")
        validate_email(canonical(address))
    except (UnicodeError, ValidationError):
        is_plain = False
    if not is_plain:
        raise ValidationError("We cannot mail to an address of this form. Enter one such as name@example.com.")
