"""What the clients do, without doing it: generators that yield what they want and are sent what came of it.

client.py and async_client.py drive the same flows, one blocking, one awaiting, and close what they opened at the end.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from iopaint import calls, errors, saving
from iopaint.answers import Batch, Item
from iopaint.calls import Call, Page
from iopaint.events import Events, ReadPart
from iopaint.reading import UNREADABLE
from iopaint.version import __version__

BASE_URL = "https://api.iopaint.com"
USER_AGENT = f"iopaint-sdk-python/{__version__}"
CONNECT_TIMEOUT = 10.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds
LONGEST_WAIT = 120.0  # seconds of Retry-After that are waited for
RECONNECT = 2.0  # seconds before a batch's events are asked for again; doubled while none come
RECONNECTS = 5  # streams in a row that tell nothing; the service's own begin with how far the batch is
MOST_PAGES = 10_000  # of a list, that a service which gives pages for ever is not asked for ever

ABOUT_THE_WAY = ("content-encoding", "content-length", "transfer-encoding")  # of what was read already

T = TypeVar("T")


@dataclass(frozen=True)
class Send:
    """Sent back: the answer, open, or what httpx raised instead."""

    call: Call[Any]
    headers: dict[str, str]

    def request(self, http: httpx.Client | httpx.AsyncClient, caller: Caller) -> httpx.Request:
        call = self.call
        return http.build_request(
            call.method,
            caller.url(call.path),
            data=dict(call.fields),
            files=[(name, (file.name, file.content)) for name, file in call.files],
            json=call.body,
            headers={"User-Agent": USER_AGENT, **self.headers},
            timeout=httpx.Timeout(call.timeout or caller.timeout, connect=CONNECT_TIMEOUT),
        )


@dataclass(frozen=True)
class Sleep:
    seconds: float


@dataclass(frozen=True)
class Close:
    answer: httpx.Response


@dataclass(frozen=True)
class Give:
    """To whoever iterates over the flow."""

    value: Any


Want = Send | Sleep | ReadPart | Close | Give
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
        try:
            httpx.URL(self.base_url)
        except httpx.InvalidURL as error:
            raise ValueError(f"base_url is no address: {error}") from error
        if max_retries < 0:
            raise ValueError("max_retries is 0 or more.")

    def url(self, path: str) -> str:
        return self.base_url + path if path.startswith("/") else path


def send(caller: Caller, call: Call[T]) -> Flow[T]:
    """The answer, tried again where that can help, under one idempotency key. Raises IOPaintError."""
    headers = _headers(caller, call)
    for attempt in range(caller.max_retries + 1):
        answer = yield from _try(caller, call, headers)
        if isinstance(answer, httpx.Response) and (answer.is_success or answer.status_code in call.also):
            try:
                return call.parse(answer)
            except UNREADABLE as unread:
                raise errors.unexpected(answer) from unread
        error = errors.of_answer(answer) if isinstance(answer, httpx.Response) else answer
        wait = pause(error, attempt, random.random())  # noqa: S311 - no secret
        refused = isinstance(error, (errors.RateLimited, errors.Busy))
        if wait is None or attempt == caller.max_retries or (call.once and not refused):
            raise error
        yield Sleep(wait)
    raise AssertionError("the last try returns or raises")


def _try(caller: Caller, call: Call[Any], headers: dict[str, str]) -> Flow[httpx.Response | errors.IOPaintError]:
    answer = yield Send(call, headers)
    if not isinstance(answer, httpx.Response):
        return errors.of_transport(answer, caller.base_url)
    if call.streamed and answer.is_success:
        return answer
    content, until = bytearray(), time.monotonic() + (call.timeout or caller.timeout)
    while (part := (yield ReadPart(answer))) is not None:
        if not isinstance(part, bytes):
            return errors.of_transport(part, caller.base_url)
        content += part
        if len(content) > call.largest:
            yield Close(answer)
            return errors.endless(answer, call.largest)
        if time.monotonic() > until:
            yield Close(answer)
            return errors.of_transport(httpx.ReadTimeout(""), caller.base_url)
    yield Close(answer)
    headers_left = [each for each in answer.headers.multi_items() if each[0].lower() not in ABOUT_THE_WAY]
    return httpx.Response(answer.status_code, headers=headers_left, content=bytes(content), request=answer.request)


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
    """The batch when it is over; `ended` is gone through with each of its pictures, as they end.

    Raises IOPaintError.
    """
    told: set[int] = set()
    last = ""
    fruitless = 0

    def tell(item: Item) -> Flow[None]:
        if item.index not in told and item.is_over:
            told.add(item.index)
            yield from ended(item)

    while fruitless < RECONNECTS:
        batch, before = None, last
        try:
            answer = yield from send(caller, calls.events(id, last))
        except errors.Busy:  # others follow batches of this account: it is asked for itself
            batch = yield from send(caller, calls.batch(id))
        else:
            if answer.status_code == 204:  # it was over before the last event that came
                batch = yield from send(caller, calls.batch(id))
            else:
                last, batch = yield from _hear(answer, last, tell)
            yield Close(answer)
        if batch is not None and batch.is_over:
            if len(told) < batch.total:
                for item in (yield from items(caller, id)):
                    yield from tell(item)
            return batch
        fruitless = fruitless + 1 if batch is None and last == before else 0
        if fruitless < RECONNECTS:
            yield Sleep(RECONNECT * 2**fruitless)
    detail = f"The events of batch {id} ended {RECONNECTS} times in a row without telling anything."
    raise errors.ConnectionFailed(detail, code="connection_failed")


def _hear(answer: httpx.Response, last: str, tell: Callable[[Item], Flow[None]]) -> Flow[tuple[str, Batch | None]]:
    """The last event's id, and the batch as it was last told of, if it was, when it is over or the stream has ended."""
    events = Events(answer)
    batch = None
    while (event := (yield from events.next())) is not None:
        last = event.id
        if event.kind == "item":
            yield from tell(event.as_(Item))
        elif event.kind == "batch" and (batch := event.as_(Batch)).is_over:
            break
    return last, batch


def completed(flow: Flow[T]) -> Flow[None]:
    """Gives what the flow returns."""
    yield Give((yield from flow))


def followed(caller: Caller, id: str) -> Flow[None]:
    """Gives a batch's pictures as they end."""

    def ended(item: Item) -> Flow[None]:
        yield Give(item)

    yield from follow(caller, id, ended)


def items(caller: Caller, id: str) -> Flow[list[Item]]:
    return (yield from listed(caller, lambda limit, cursor: calls.items(id, limit, cursor)))


def listed(
    caller: Caller, page_after: Callable[[int, str | None], Call[Page[T]]], most: int | None = None
) -> Flow[list[T]]:
    """Of a list in pages: at most so many, or all. Raises IOPaintError."""
    found: list[T] = []
    cursor = None
    for _ in range(MOST_PAGES):
        page, cursor = yield from send(
            caller, page_after(calls.MOST_A_PAGE if most is None else most - len(found), cursor)
        )
        found += page
        if cursor is None or not page or (most is not None and len(found) >= most):
            return found[:most]
    raise errors.UnexpectedAnswer(f"A list has more than {MOST_PAGES} pages.", code="unexpected_answer")


def save_results(caller: Caller, id: str, target: Path) -> Flow[Path]:
    """The ZIP of what is there, written while it comes, whole or not at all. Raises OSError, IOPaintError."""
    saving.check_target(target)
    answer = yield from send(caller, calls.results(id))
    with saving.whole(target) as file:
        while (part := (yield ReadPart(answer))) is not None:
            if not isinstance(part, bytes):
                raise errors.of_transport(part, caller.base_url)
            file.write(part)
    yield Close(answer)
    return target


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
