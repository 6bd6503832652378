"""What the clients do, without doing it: generators that yield what they want and are sent what came of it.

client.py and async_client.py drive the same flows, one blocking, one awaiting, and close what they opened at the end.
"""

from __future__ import annotations

import json
import os
import random
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from iopaint import calls, errors
from iopaint.answers import Batch, Item, of
from iopaint.calls import Call
from iopaint.version import __version__

BASE_URL = "https://api.iopaint.com"
USER_AGENT = f"iopaint-sdk-python/{__version__}"
CONNECT_TIMEOUT = 10.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds
LONGEST_WAIT = 120.0  # seconds of Retry-After that are waited for
RECONNECT = 2.0  # seconds before a batch's events are asked for again

T = TypeVar("T")


@dataclass(frozen=True)
class Send:
    """Sent back: the answer, or what httpx raised instead."""

    call: Call[Any]
    headers: dict[str, str]

    def request(self, http: httpx.Client | httpx.AsyncClient, caller: Caller) -> httpx.Request:
        call = self.call
        return http.build_request(
            call.method,
            caller.url(call.path),
            data=dict(call.fields),
            files=[(name, (file.name, file.content)) for name, file in call.files],
            headers={"User-Agent": USER_AGENT, **self.headers},
            timeout=httpx.Timeout(call.timeout or caller.timeout, connect=CONNECT_TIMEOUT),
        )


@dataclass(frozen=True)
class Sleep:
    seconds: float


@dataclass(frozen=True)
class ReadLine:
    """Of an open answer. Sent back: the line, or None at its end or where the connection broke."""

    answer: httpx.Response


@dataclass(frozen=True)
class Close:
    answer: httpx.Response


@dataclass(frozen=True)
class Give:
    """To whoever iterates over the flow."""

    value: Any


Want = Send | Sleep | ReadLine | Close | Give
Flow = Generator[Want, Any, T]


class Caller:
    """Who calls which service, and how patiently: timeout in seconds for each try, tries after the first.

    api_key, base_url: None: as IOPAINT_API_KEY, IOPAINT_BASE_URL say. Raises ValueError.
    """

    def __init__(self, api_key: str | None, base_url: str | None, timeout: float, max_retries: int) -> None:
        self.api_key = (api_key or os.environ.get("IOPAINT_API_KEY") or "").strip()
        self.base_url = (base_url or os.environ.get("IOPAINT_BASE_URL") or BASE_URL).strip().rstrip("/")
        self.timeout, self.max_retries = timeout, max_retries
        if not self.base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url begins with http:// or https://, unlike {self.base_url!r}.")
        if max_retries < 0:
            raise ValueError("max_retries is 0 or more.")

    def url(self, path: str) -> str:
        return self.base_url + path if path.startswith("/") else path


def send(caller: Caller, call: Call[T]) -> Flow[T]:
    """The answer, tried again where that can help, under one idempotency key. Raises IOPaintError."""
    headers = _headers(caller, call)
    for attempt in range(caller.max_retries + 1):
        answer = yield Send(call, headers)
        if isinstance(answer, httpx.Response) and (answer.is_success or answer.status_code in call.also):
            try:
                return call.parse(answer)
            except (KeyError, TypeError, ValueError) as unread:
                raise errors.unexpected(answer) from unread
        error = (
            errors.of_answer(answer)
            if isinstance(answer, httpx.Response)
            else errors.of_transport(answer, caller.base_url)
        )
        wait = pause(error, attempt, random.random())  # noqa: S311 - no secret
        if wait is None or attempt == caller.max_retries:
            raise error
        yield Sleep(wait)
    raise AssertionError("the last try returns or raises")


def pause(error: errors.IOPaintError, attempt: int, jitter: float) -> float | None:
    """Seconds before the next try; None: it would not help. attempt: from 0. jitter: 0 to 1, shortens by a quarter."""
    again = isinstance(
        error,
        (errors.ConnectionFailed, errors.RateLimited, errors.IdempotencyInProgress, errors.ServerError),
    )
    if not again and error.status_code != 408:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= LONGEST_WAIT else None
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt) * (1 - jitter / 4))


def follow(caller: Caller, id: str, ended: Callable[[Item], Flow[None]]) -> Flow[Batch]:
    """The batch when it is over; `ended` is gone through with each of its pictures, as they end."""
    told: set[int] = set()
    last = ""
    while True:
        try:
            answer = yield from send(caller, calls.events(id, last))
        except errors.Busy:  # others follow batches of this account: wait for a place
            yield Sleep(RECONNECT)
            continue
        while (event := (yield from _event(answer))) is not None:
            kind, last, body = event
            if kind == "item" and body["index"] not in told:
                told.add(body["index"])
                yield from ended(of(Item, body))
            elif kind == "batch" and (batch := of(Batch, body)).is_over:
                return batch
        yield Close(answer)
        if answer.status_code == 204:  # it was over before the last event that came: the list tells what was missed
            for item in (yield from items(caller, id)):
                if item.index not in told:
                    yield from ended(item)
            return (yield from send(caller, calls.batch(id)))
        yield Sleep(RECONNECT)


def completed(flow: Flow[T]) -> Flow[None]:
    """Gives what the flow returns."""
    yield Give((yield from flow))


def followed(caller: Caller, id: str) -> Flow[None]:
    """Gives a batch's pictures as they end."""

    def ended(item: Item) -> Flow[None]:
        yield Give(item)

    yield from follow(caller, id, ended)


def items(caller: Caller, id: str) -> Flow[list[Item]]:
    found: list[Item] = []
    cursor = None
    while True:
        page, cursor = yield from send(caller, calls.items(id, cursor))
        found += page
        if cursor is None:
            return found


def _event(answer: httpx.Response) -> Flow[tuple[str, str, dict[str, Any]] | None]:
    """The next server-sent event (WHATWG HTML, 9.2.6) as its type, id and data; None: the stream has ended."""
    kind, id, data = "message", "", ""
    while (line := (yield ReadLine(answer))) is not None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "id":
            id = value
        elif name == "data":
            data += value
        elif not line and data:
            return kind, id, json.loads(data)
    return None


def _headers(caller: Caller, call: Call[Any]) -> dict[str, str]:
    headers = dict(call.headers)
    if call.needs_key:
        if not caller.api_key:
            detail = "There is no API key. Pass api_key= or set IOPAINT_API_KEY."
            raise errors.AuthenticationFailed(detail, code="missing_api_key")
        if not (caller.api_key.isascii() and caller.api_key.isprintable()):
            raise errors.AuthenticationFailed("The API key has characters that no key has.", code="invalid_api_key")
        headers["X-API-Key"] = caller.api_key
    if call.charged:
        key = call.idempotency_key or str(uuid.uuid4())
        if not (key.isascii() and key.isprintable()):
            raise ValueError("An idempotency key has printable ASCII characters only.")
        headers["Idempotency-Key"] = key
    return headers
