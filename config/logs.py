"""What the logs say and what they never do: every line of a request bears its id; none has a picture, a file's name, a
query, a key or an address of a mailbox.

LOG_FORMAT=json writes one JSON object a line. gunicorn asks for this before there is Django: no settings here.
"""

from __future__ import annotations

import logging
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from gunicorn.glogging import Logger
from pythonjsonlogger.json import JsonFormatter

# Names of results, whoever knows one may see it; keys and secrets; what stands after a ? in an address.
UNTOLD = re.compile(
    r"output_[0-9a-f]{32}|\b(?:sk_live|sk_test|whsec)_[\w+/=]+|(?<=[\w/]\?)[^\s'\"<>=]{1,100}=[^\s'\"<>]*"
)
# Mailboxes, of any signs and length that a form lets through. From a run's beginning alone, without a way back: a line
# of a megabyte takes no longer than its letters.
SIGN, LETTER, DOT = r"[^\s@<>()\[\],;:\\]", r"[^\s@<>()\[\],;:\\/?&='\"{}.\u3002\uff0e\uff61]", r"[.\u3002\uff0e\uff61]"
MAILBOX = re.compile(rf"(?<!{SIGN}){SIGN}++@(?:{LETTER}++(?:{DOT}{LETTER}++)++|localhost\b)")


def redacted(text: str) -> str:
    return MAILBOX.sub("[...]", UNTOLD.sub("[...]", text))


class Subject:
    """What is being worked on: a request, or a batch's item. `spent`: seconds by what they went into."""

    def __init__(self, request: HttpRequest | None = None, request_id: str = "", account_id: int | None = None) -> None:
        self._request, self._request_id, self._account_id = request, request_id, account_id
        self.spent: defaultdict[str, float] = defaultdict(float)

    @property
    def request_id(self) -> str:
        return self._request_id or getattr(self._request, "request_id", "")

    @property
    def account_id(self) -> int | None:
        """None also while nobody has asked whose session it is: a line in a log is no reason to."""
        user = getattr(self._request, "_cached_user", None)
        if user is None:
            user = vars(self._request).get("user") if self._request else None
        return self._account_id if type(user) is SimpleLazyObject else getattr(user, "pk", self._account_id)


NOBODY = Subject()
SUBJECT: ContextVar[Subject] = ContextVar("subject", default=NOBODY)


@contextmanager
def about(subject: Subject) -> Iterator[Subject]:
    """What this thread logs meanwhile is about it."""
    token = SUBJECT.set(subject)
    try:
        yield subject
    finally:
        SUBJECT.reset(token)


def spend(what: str, seconds: float) -> None:
    """Say where the time of this thread's request went."""
    subject = SUBJECT.get()
    if subject is not NOBODY:
        subject.spent[what] += seconds


def line(members: Mapping[str, Any]) -> str:
    """name=value name=value, for people."""
    return " ".join(f"{name}={value}" for name, value in members.items())


class OfRequest(logging.Filter):
    """Put the request's id and its account's on each record. Django's own name the path: the endpoint will do; and what
    a request did wrong needs no traceback, with which anybody could fill the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        subject = Subject(request) if isinstance(request, HttpRequest) else SUBJECT.get()
        record.request_id, record.account_id = subject.request_id, subject.account_id
        if isinstance(request, HttpRequest) and isinstance(record.args, tuple):
            from config.metrics import endpoint_of

            name = endpoint_of(request)
            record.args = tuple(name if value == request.path else value for value in record.args)
        if record.name.startswith("django.") and 400 <= getattr(record, "status_code", 500) < 500:
            record.exc_info = None
        return True


class Redacted(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class Json(JsonFormatter):
    """Members: time, level, logger, message, request_id, account_id, and what a line adds."""

    def process_log_record(self, log_record: dict[str, Any]) -> dict[str, Any]:
        log_record.pop("request", None)  # Django's own extras: an object and a number that the access log has
        log_record.pop("status_code", None)
        told = {name: value for name, value in log_record.items() if value not in (None, "")}
        return {name: redacted(value) if isinstance(value, str) else value for name, value in told.items()}


def formatter() -> logging.Formatter:
    """As LOG_FORMAT says: json, or a line for people."""
    wanted = os.environ.get("LOG_FORMAT", "line")
    if wanted == "json":
        return Json(
            "{levelname}{name}{message}{request_id}{account_id}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger"},
        )
    if wanted != "line":
        raise ImproperlyConfigured(f"LOG_FORMAT is {wanted!r}; it can be json or line.")
    return Redacted("{asctime} {levelname} {name} {message}", style="{")


class ServerLogger(Logger):
    """gunicorn's own log and its access log, in our format. A path may hold a result's name: endpoints are told."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(formatter())
                handler.addFilter(OfRequest())

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        headers = {name.lower(): value for name, value in resp.headers}
        status = str(resp.status).partition(" ")[0]  # gunicorn's own refusals have no status_code
        told = {
            "address": environ.get("REMOTE_ADDR", "-"),
            "method": environ.get("REQUEST_METHOD", "-"),
            "endpoint": environ.get("object_remover.endpoint", "-"),
            "status": int(status) if status.isdigit() else 0,
            "bytes": resp.sent,
            "seconds": round(request_time.total_seconds(), 3),
        }
        about_it = Subject(None, headers.get("x-request-id", ""), environ.get("object_remover.account_id"))
        with about(about_it):
            text = line({**told, "request_id": about_it.request_id, "account_id": about_it.account_id or "-"})
            self.access_log.info("%s", text, extra=told)
