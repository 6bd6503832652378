"""Whose delivery is next, what its address answers, and what follows from that.

Claimed as a batch's items are: one conditional UPDATE gives it a new attempt's number and a lease, and who has an older
number writes nothing. A process that dies while it tells leaves a lease that ends; then it is told again, under the
same message id.
"""

from __future__ import annotations

import logging
import random
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from accounts.mail import went_out
from accounts.webhooks import signing
from accounts.webhooks.models import DefaultSigner, Delivery, Try, WebhookEndpoint
from config import fetching, metrics
from config.postgres import lend_connection

logger = logging.getLogger(__name__)

MINUTE, HOUR = 60, 3600
# Seconds before each try, after Standard Webhooks; the first is at once.
SCHEDULE = (0, 5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
JITTER = 0.1  # of the wait, at most
LONGEST_WAIT = 24 * HOUR  # that a Retry-After is followed for
FAILS_FOR = timedelta(days=5)  # then the endpoint is disabled
LEASE = timedelta(seconds=45)  # longer than any try takes
KEPT_ANSWER = 1000  # characters
AT_ONCE = 2  # of one account, to different addresses: those that hang leave others room

State = Delivery.State


def work_next() -> bool:
    """Try the next delivery, if one is due; whether one was. Raises what the database raises."""
    delivery = claim()
    if delivery is None:
        return False
    _work(delivery)
    return True


def claim() -> Delivery | None:
    """The next delivery, the caller's for LEASE. One at a time for each address."""
    stale = Delivery.objects.filter(state=State.RUNNING, lease_expires_at__lt=timezone.now())
    if stale.exists():  # who is idle takes no lock
        stale.update(state=State.QUEUED, lease_expires_at=None)
    while (first := _next()) is not None:
        mine = Delivery.objects.filter(pk=first.pk, state=State.QUEUED)
        lease = timezone.now() + LEASE
        if mine.update(state=State.RUNNING, attempt=F("attempt") + 1, lease_expires_at=lease):
            return Delivery.objects.select_related("event", "endpoint__owner").get(pk=first.pk)
    return None


def anything_waits() -> bool:
    return _waiting().exists()


def _next() -> Delivery | None:
    """What is due longest: of accounts that are not being told, to endpoints that answer, before all others.

    An endpoint that hangs holds a thread for seconds each time: a few, with much to be told, would hold them all.
    """
    return _waiting(at_once=1).filter(endpoint__failing_since=None).first() or _waiting().first()


def _waiting(at_once: int = AT_ONCE) -> QuerySet[Delivery]:
    """Due, of accounts of which fewer than so many are being told, to addresses that are not."""
    running = Delivery.objects.filter(state=State.RUNNING, owner=OuterRef("owner")).order_by()
    return (
        Delivery.objects.filter(state=State.QUEUED, available_at__lte=timezone.now())
        .annotate(
            others=Coalesce(
                Subquery(running.values("owner").annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0
            )
        )
        .filter(~Exists(running.filter(url=OuterRef("url"))), others__lt=at_once)
        .order_by("available_at")
    )


def _work(delivery: Delivery) -> None:
    endpoint, tried, wait = delivery.endpoint, Try(delivery=delivery, seconds=0), 0.0
    if endpoint is not None and endpoint.disabled:
        _own(delivery).update(state=State.FAILED, finished_at=timezone.now(), lease_expires_at=None)
        return
    started = time.monotonic()
    try:
        headers = _signed(delivery)
        lend_connection()
        answer = fetching.post(delivery.url, delivery.event.body.encode(), headers, f"account {delivery.owner_id}")
    except fetching.TooManyFetches as error:
        _queue_again(delivery, error.retry_after, tries=delivery.tries)
        return
    except (fetching.FetchError, fetching.GaveWay) as error:
        tried.error = str(error)[:200]
    except InvalidToken:
        tried.error = "The secret cannot be read any more. Rotate it."
    except Exception:  # else it would be tried for ever, each time its lease ends
        logger.exception("delivery %s, attempt %s", delivery.pk, delivery.attempt)
        tried.error = "It failed on our side."
    else:
        tried.status, wait = answer.status, retry_after(answer.headers.get("Retry-After", ""))
        tried.answer = answer.body.decode(errors="replace").replace("\0", "�")[:KEPT_ANSWER]
    tried.seconds = round(time.monotonic() - started, 3)
    with transaction.atomic():
        _conclude(delivery, tried, wait)


def _signed(delivery: Delivery) -> dict[str, str]:
    signer = delivery.endpoint or DefaultSigner.objects.get(owner=delivery.owner_id)
    body = delivery.event.body.encode()
    return signing.headers(delivery.event.message_id, int(time.time()), body, signer.secrets())


def _conclude(delivery: Delivery, tried: Try, wait: float) -> None:
    """Write what follows from a try, unless the delivery is another attempt's by now."""
    # Locked before the delivery, as by whoever changes or deletes it: in another order they would wait for each other.
    now, endpoint = timezone.now(), WebhookEndpoint.objects.filter(deliveries=delivery.pk)
    list(endpoint.select_for_update(of=("self",)))
    ended = {"finished_at": now, "lease_expires_at": None}
    if tried.succeeded:
        if _own(delivery).update(state=State.SUCCEEDED, **ended):
            _count("succeeded")
            tried.save()
            endpoint.exclude(failing_since=None).update(failing_since=None)
        return
    tries, gone = delivery.tries + 1, tried.status == 410
    if tries == len(SCHEDULE) or gone:
        won = bool(_own(delivery).update(state=State.FAILED, tries=tries, **ended))
    else:
        later = SCHEDULE[tries] * (1 + JITTER * random.random())  # noqa: S311 - no secret
        won = _queue_again(delivery, max(later, wait), tries)
    if not won:
        return
    _count("gone" if gone else "given_up" if tries == len(SCHEDULE) else "failed")
    tried.save()
    endpoint.filter(failing_since=None).update(failing_since=now)
    if gone:
        _disable(delivery, WebhookEndpoint.Reason.GONE)
    elif endpoint.filter(failing_since__lt=now - FAILS_FOR):
        _disable(delivery, WebhookEndpoint.Reason.FAILING)


def _count(outcome: str) -> None:
    """Of a try. failed: it is tried again; given_up: that was the last one; gone: the endpoint is disabled."""
    transaction.on_commit(metrics.WEBHOOKS.labels(outcome).inc)


def _queue_again(delivery: Delivery, seconds: float, tries: int) -> bool:
    at = timezone.now() + timedelta(seconds=seconds)
    queued = {"state": State.QUEUED, "available_at": at, "lease_expires_at": None, "tries": tries}
    return bool(_own(delivery).update(**queued))


def _disable(delivery: Delivery, reason: str) -> None:
    """Nothing more goes there: not to the endpoint, or not to the bare address what was queued for it."""
    others = Delivery.objects.filter(owner=delivery.owner_id, endpoint=delivery.endpoint_id, url=delivery.url)
    others.filter(state=State.QUEUED).update(state=State.FAILED, finished_at=timezone.now())
    if WebhookEndpoint.objects.filter(deliveries=delivery.pk, disabled="").update(disabled=reason):
        transaction.on_commit(lambda: _mail(delivery, reason))


WHY = {
    WebhookEndpoint.Reason.GONE: "it answered 410 Gone",
    WebhookEndpoint.Reason.FAILING: f"nothing could be delivered to it for {FAILS_FOR.days} days",
}


def _mail(delivery: Delivery, reason: str) -> None:
    """A mail server that is down loses a mail; its page and the API tell the same."""
    endpoint = delivery.endpoint
    assert endpoint is not None  # noqa: S101 - only endpoints are disabled
    text = (
        f"{delivery.url}\n\nThis webhook endpoint is disabled now, because {WHY[WebhookEndpoint.Reason(reason)]}.\n"
        f"What happens meanwhile is kept for 30 days. Enable the endpoint again, then replay what it missed:\n"
        f"{settings.SITE_URL}{reverse('webhook_page', args=[endpoint.pk])}\n"
    )
    went_out(endpoint.owner.email, "A webhook is disabled", text, f"{endpoint} is disabled")


def retry_after(header: str) -> float:
    """Seconds that a Retry-After (RFC 9110, 10.2.3) asks for, LONGEST_WAIT at most; 0 where it cannot be read."""
    try:
        seconds = float(header) if header.isdigit() else parsedate_to_datetime(header).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0
    return min(max(seconds, 0), LONGEST_WAIT)


def _own(delivery: Delivery) -> QuerySet[Delivery]:
    """The delivery, while it is still this attempt's."""
    return Delivery.objects.filter(pk=delivery.pk, attempt=delivery.attempt, state=State.RUNNING)
