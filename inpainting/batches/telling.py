"""What an account is told of its batches, in the transaction that ends an item or a batch."""

from __future__ import annotations

from accounts.webhooks import events
from inpainting.api import bodies
from inpainting.batches.models import Batch, Item


def item_ended(pk: int) -> None:
    """Tell of the item, and of its batch if it was the last one.

    Call it after the batch's row was written in the same transaction: who ends another item at the same moment waits
    for that, so that exactly one of both sees that all are over.
    """
    item = Item.objects.select_related("batch").prefetch_related("results").get(pk=pk)
    type = f"item.{item.state}"
    if events.is_heard(item.owner_id, type):
        [body] = bodies.item_bodies(None, [item])
        events.tell(item.owner_id, type, body)
    batch_ended(item.batch)


def batch_ended(batch: Batch) -> None:
    """Tell of the batch, if it is over."""
    if batch.items.filter(state__in=Item.OPEN).exists():
        return
    progress = batch.progress()
    body = bodies.body(None, batch, progress)
    events.tell(batch.owner_id, f"batch.{progress.status}", body, batch.webhook_url)
