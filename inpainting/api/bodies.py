"""Batches and their items as every answer, event and webhook shows them.

`request`: who looks, and so at which of the service's addresses; None: a webhook, which tells the one it is known by.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework.request import Request

from config import links
from inpainting.api import answers
from inpainting.batches.models import Batch, Item, Progress

PATHS = {"items": "items", "results": "results.zip", "events": "events", "retry": "retry"}


def body(request: Request | None, batch: Batch, progress: Progress) -> dict[str, Any]:
    """A batch as every answer shows it."""
    address = _absolute(request, reverse("batch", args=[batch.pk]))
    parts = {name: f"{address}/{path}" for name, path in PATHS.items()}
    members = {
        **{name: getattr(batch, name) for name in ("id", "created_at", "expires_at", "metadata")},
        **{name: getattr(progress, name) for name in answers.PROGRESS},
        "links": {"self": address, "cancel": address, **parts},
    }
    return dict(answers.Batch(members).data)


def item_bodies(request: Request | None, items: list[Item]) -> list[dict[str, Any]]:
    """Items of one batch as every answer shows them, in their order."""
    queued = [item for item in items if item.state == Item.State.QUEUED]
    ahead = 0
    if queued:
        mine = Item.objects.filter(owner=queued[0].owner_id, state=Item.State.QUEUED)
        ahead = mine.filter(pk__lt=min(item.pk for item in queued)).count()
    position = {item.pk: ahead + nth for nth, item in enumerate(sorted(queued, key=lambda item: item.pk), start=1)}
    return [
        answers.Item(
            {
                "batch": item.batch_id,
                "index": item.index,
                "name": item.name,
                "status": item.state,
                "position": position.get(item.pk),
                "error": item.error if item.state == Item.State.FAILED else None,
                "result": _result(request, item),
            }
        ).data
        for item in items
    ]


def _result(request: Request | None, item: Item) -> dict[str, Any] | None:
    result = item.result
    if result is None:
        return None
    return {
        "url": _absolute(request, reverse("download", args=[result.name])),
        "expires_at": result.expires_at,
        **{name: getattr(item, name) for name in ("width", "height", "coverage", "seconds", "mask_source")},
    }


def now(request: Request, batch: Batch) -> dict[str, Any]:
    """`body`, with the batch's progress looked up."""
    return body(request, batch, batch.progress())


def _absolute(request: Request | None, path: str) -> str:
    return links.absolute(request, path) if request else settings.SITE_URL + path
