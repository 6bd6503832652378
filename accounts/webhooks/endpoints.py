"""An account's endpoints and its default secret: made, changed, rotated and deleted, by API and by page alike."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from accounts.models.user import User
from accounts.webhooks.events import TYPES, send_test
from accounts.webhooks.models import (
    MAX_ENDPOINTS,
    DefaultSigner,
    Delivery,
    NotThere,
    TooManyEndpoints,
    WebhookEndpoint,
)


def find(owner: User, id: Any, *, lock: bool = False) -> WebhookEndpoint:
    """Raises NotThere. With `lock` call it in a transaction."""
    found = WebhookEndpoint.objects.filter(pk=id, owner=owner)
    endpoint = (found.select_for_update() if lock else found).first()
    if endpoint is None:
        raise NotThere("No such webhook endpoint.")
    return endpoint


def create(owner: User, url: str, events: Collection[str]) -> tuple[WebhookEndpoint, str]:
    """The endpoint and its secret. `url` has passed fetching.check_target. Raises TooManyEndpoints."""
    endpoint = WebhookEndpoint(owner=owner, url=url, events=_ordered(events))
    secret = endpoint.rotate()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)  # two must not both find room for the last one
        if WebhookEndpoint.objects.filter(owner=owner).count() >= MAX_ENDPOINTS:
            raise TooManyEndpoints
        endpoint.save(force_insert=True)
    return endpoint, secret


@transaction.atomic
def change(
    owner: User,
    id: Any,
    *,
    url: str | None = None,
    events: Collection[str] | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """What is None stays. What waits to be sent goes to the new address. Raises NotThere."""
    endpoint = find(owner, id, lock=True)
    if enabled is not None:
        endpoint.disabled = "" if enabled else endpoint.disabled or WebhookEndpoint.Reason.OWNER
        endpoint.failing_since = None
    if url is not None:
        endpoint.url = url
    if events is not None:
        endpoint.events = _ordered(events)
    endpoint.save(update_fields=["url", "events", "disabled", "failing_since"])
    endpoint.deliveries.filter(state=Delivery.State.QUEUED).update(url=endpoint.url)
    return endpoint


@transaction.atomic
def delete(owner: User, id: Any) -> None:
    """With its log; what was not delivered yet is not delivered any more. Raises NotThere."""
    find(owner, id, lock=True).delete()


@transaction.atomic
def rotate(owner: User, id: Any) -> tuple[WebhookEndpoint, str]:
    """The endpoint and its new secret. Raises NotThere."""
    endpoint = find(owner, id, lock=True)
    secret = endpoint.rotate()
    endpoint.save(update_fields=["encrypted", "encrypted_before", "rotated_at"])
    return endpoint, secret


@transaction.atomic
def test(owner: User, id: Any) -> Delivery:
    """Tell this endpoint alone that it is asked whether it listens. Raises NotThere, EndpointDisabled."""
    return send_test(find(owner, id, lock=True))


@transaction.atomic
def rotate_default(owner: User) -> tuple[DefaultSigner, str]:
    """Make or rotate what signs for a bare webhook_url."""
    signer, _ = DefaultSigner.objects.select_for_update().get_or_create(owner=owner)
    secret = signer.rotate()
    signer.save()
    return signer, secret


def _ordered(chosen: Collection[str]) -> list[str]:
    return [each for each in TYPES if each in chosen]
