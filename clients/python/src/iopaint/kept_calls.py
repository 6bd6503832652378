"""The table of requests about what an account keeps: its saved marks and its webhooks' endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import httpx

from iopaint import files
from iopaint.answers import Delivery, NewWebhookEndpoint, SavedMark, WebhookEndpoint, WebhookSecret
from iopaint.calls import LARGEST_PICTURE, Call, MarkKind, MarkOptions, Page, address, one, page_query, paged, picture
from iopaint.reading import body_of, of, several

EventType = Literal["batch.succeeded", "batch.failed", "batch.cancelled", "item.succeeded", "item.failed", "quota.low"]


@dataclass(frozen=True)
class Queued:
    """How many deliveries a replay made."""

    queued: int


def create_mark(image: files.Picture, name: str, kind: MarkKind, options: MarkOptions) -> Call[SavedMark]:
    fields = {"name": name, "kind": kind, **{field: str(value) for field, value in options.items()}}
    sent = [("image", files.file(image, "mark"))]
    return Call("POST", "/api/v1/marks", one(SavedMark), fields, sent, once=True)


def marks(limit: int, cursor: str | None) -> Call[Page[SavedMark]]:
    return Call("GET", f"/api/v1/marks?{page_query(limit, cursor)}", paged(SavedMark))


def mark(id: str) -> Call[SavedMark]:
    return Call("GET", address("marks", id), one(SavedMark))


def mark_file(id: str) -> Call[bytes]:
    return Call("GET", f"{address('marks', id)}/file", picture, largest=LARGEST_PICTURE)


def rename_mark(id: str, name: str) -> Call[SavedMark]:
    return Call("PATCH", address("marks", id), one(SavedMark), body={"name": name})


def delete_mark(id: str) -> Call[None]:
    return Call("DELETE", address("marks", id), lambda answer: None)


def webhooks() -> Call[list[WebhookEndpoint]]:
    def parse(answer: httpx.Response) -> list[WebhookEndpoint]:
        return several(WebhookEndpoint, body_of(answer.content)["results"])

    return Call("GET", "/api/v1/webhooks", parse)


def webhook(id: str) -> Call[WebhookEndpoint]:
    return Call("GET", address("webhooks", id), one(WebhookEndpoint))


def create_webhook(url: str, events: Sequence[EventType]) -> Call[NewWebhookEndpoint]:
    body = {"url": url, "events": _types(events)}
    return Call("POST", "/api/v1/webhooks", one(NewWebhookEndpoint), body=body, once=True)


def update_webhook(
    id: str, url: str | None, events: Sequence[EventType] | None, enabled: bool | None
) -> Call[WebhookEndpoint]:
    changes = {"url": url, "events": None if events is None else _types(events), "enabled": enabled}
    body = {name: value for name, value in changes.items() if value is not None}
    return Call("PATCH", address("webhooks", id), one(WebhookEndpoint), body=body)


def delete_webhook(id: str) -> Call[None]:
    return Call("DELETE", address("webhooks", id), lambda answer: None)


def rotate_webhook_secret(id: str) -> Call[WebhookSecret]:
    return Call("POST", f"{address('webhooks', id)}/rotate", one(WebhookSecret), once=True)


def rotate_default_secret() -> Call[WebhookSecret]:
    return Call("POST", "/api/v1/webhooks/default-secret", one(WebhookSecret), once=True)


def test_webhook(id: str) -> Call[Delivery]:
    return Call("POST", f"{address('webhooks', id)}/test", one(Delivery), once=True)


def replay_webhook(id: str, since: datetime) -> Call[int]:
    if since.tzinfo is None:
        raise ValueError("since needs a time zone: datetime.now(timezone.utc) - timedelta(hours=1)")
    body = {"since": since.isoformat()}
    return Call("POST", f"{address('webhooks', id)}/replay", _queued, body=body, once=True)


def deliveries(endpoint: str | None, limit: int, cursor: str | None) -> Call[Page[Delivery]]:
    query = page_query(limit, cursor, **({} if endpoint is None else {"endpoint": endpoint}))
    return Call("GET", f"/api/v1/webhooks/deliveries?{query}", paged(Delivery))


def replay_delivery(id: str) -> Call[Delivery]:
    return Call("POST", f"{address('webhooks/deliveries', id)}/replay", one(Delivery), once=True)


def _queued(answer: httpx.Response) -> int:
    return of(Queued, body_of(answer.content)).queued


def _types(events: Sequence[EventType]) -> list[Any]:
    """Raises TypeError for one where a list is meant: it would be taken for its letters."""
    if isinstance(events, str):
        raise TypeError("events is a list of types of events, not one.")
    return list(events)
