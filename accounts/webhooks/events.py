"""What is told. An event and its deliveries are rows, written in the transaction of what they tell: none is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from accounts.models.user import User
from accounts.webhooks.models import TEST, WORDS, Delivery, NotThere, WebhookEndpoint, WebhookEvent
from accounts.webhooks.wake import bell

TYPES = tuple(type for type in WORDS if type != TEST)
KEPT = timedelta(days=30)


def is_heard(owner_id: int, type: str) -> bool:
    """Whether an endpoint of the account wants it; a disabled one may have it replayed later."""
    return any(type in endpoint.events for endpoint in WebhookEndpoint.objects.filter(owner=owner_id))


def tell(owner_id: int, type: str, data: dict[str, Any], url: str = "") -> None:
    """Queue it for the account's endpoints that want it, and for `url` where there is one. Call it in a transaction."""
    # Locked: one that is deleted meanwhile would take what happened with it.
    endpoints = WebhookEndpoint.objects.select_for_update().filter(owner=owner_id)
    wanting = [each for each in endpoints if type in each.events]
    if wanting or url:
        event = _event(owner_id, type, data)
        live = [each for each in wanting if not each.disabled]
        bare = [Delivery(event=event, owner_id=owner_id, url=url)] if url else []
        _queue([*bare, *(_to(endpoint, event) for endpoint in live)])


def send_test(endpoint: WebhookEndpoint) -> Delivery:
    """Call it in a transaction that has locked the endpoint. Raises EndpointDisabled."""
    endpoint.check_enabled()
    event = _event(endpoint.owner_id, TEST, {"endpoint": str(endpoint.pk)})
    [delivery] = _queue([_to(endpoint, event)])
    return delivery


def replay(owner: User, id: Any) -> Delivery:
    """Tell it again, from the start of the schedule. One that is on its way already goes on. Raises NotThere,
    EndpointDisabled.
    """
    found = Delivery.objects.filter(pk=id, owner=owner).select_related("event", "endpoint")
    delivery = found.first()
    if delivery is None:
        raise NotThere("No such delivery: it is older than 30 days, or never existed.")
    if delivery.endpoint is not None:
        delivery.endpoint.check_enabled()
    _again([delivery.pk])
    bell.wake()
    return found.get()


@transaction.atomic
def replay_since(endpoint: WebhookEndpoint, since: datetime) -> int:
    """Tell the endpoint all it wants that happened since then, whether it heard it or not; how many that is.

    Raises EndpointDisabled.
    """
    endpoint.check_enabled()
    list(WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk))  # two replays would queue the same twice
    happened = WebhookEvent.objects.filter(owner=endpoint.owner_id, created_at__gte=since, type__in=endpoint.events)
    known = dict(Delivery.objects.filter(endpoint=endpoint, event__in=happened).values_list("event", "pk"))
    new = [_to(endpoint, event) for event in happened.exclude(pk__in=known)]
    _again(list(known.values()))
    _queue(new)
    return len(known) + len(new)


def delete_old() -> int:
    """Events that are kept no longer, with their deliveries and log; how many."""
    old = WebhookEvent.objects.filter(created_at__lt=timezone.now() - KEPT)
    open_ones = Delivery.objects.filter(state__in=(Delivery.State.QUEUED, Delivery.State.RUNNING))
    return old.exclude(pk__in=open_ones.values("event")).delete()[1].get("accounts.WebhookEvent", 0)


def _event(owner_id: int, type: str, data: dict[str, Any]) -> WebhookEvent:
    now = timezone.now()
    body = json.dumps({"type": type, "timestamp": now, "data": data}, cls=DjangoJSONEncoder)
    return WebhookEvent.objects.create(owner_id=owner_id, type=type, created_at=now, body=body)


def _to(endpoint: WebhookEndpoint, event: WebhookEvent) -> Delivery:
    return Delivery(event=event, owner_id=endpoint.owner_id, endpoint=endpoint, url=endpoint.url)


def _queue(deliveries: Sequence[Delivery]) -> list[Delivery]:
    made = Delivery.objects.bulk_create(deliveries)
    transaction.on_commit(bell.wake)
    return made


def _again(pks: Sequence[Any]) -> None:
    ended = Delivery.objects.filter(pk__in=pks, state__in=(Delivery.State.SUCCEEDED, Delivery.State.FAILED))
    ended.update(state=Delivery.State.QUEUED, tries=0, available_at=timezone.now(), finished_at=None)
