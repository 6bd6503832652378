"""Heads of requests and of a form's parts, whose parsing may take far more time than their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from typing import Any

from django.utils import http

# Of a request's headers of one name, together. gunicorn takes as much of each of a hundred.
MAX_VALUE = 8190
# Semicolons and percent signs of a head with parameters, and backslashes of cookies: Python looks through all that
# follows at each, or takes a microsecond for it.
MAX_MARKS = 64
PARAMETERS = ("CONTENT_TYPE", "HTTP_ACCEPT", "HTTP_CONTENT_DISPOSITION")
# Those of RFC 8187 and before. Others take time in the square of their bytes (punycode), or decode to what is no text.
CHARSETS = {"", "utf-8", "iso-8859-1", "us-ascii"}


def are_costly(environ: Mapping[str, Any]) -> bool:
    """Whether reading the headers of this request of WSGI's would hold Python's lock for long."""
    return (
        any(len(value) > MAX_VALUE for name, value in environ.items() if name.startswith("HTTP_"))
        or any(environ.get(name, "").count(mark) > MAX_MARKS for name in PARAMETERS for mark in ";%")
        or environ.get("HTTP_COOKIE", "").count("\\") > MAX_MARKS
    )


def parse_parameters(line: str) -> tuple[str, dict[str, str]]:
    """Django's parse_header_parameters, with no charset but CHARSETS: ValueError."""
    if "*" in line:
        message = Message()
        message["content-type"] = line
        values = [value for _, value in message.get_params([])]
        if not {(value[0] or "").lower() for value in values if isinstance(value, tuple)} <= CHARSETS:
            raise ValueError("A parameter's charset is none of RFC 8187.")
    return http.parse_header_parameters(line)
