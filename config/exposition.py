"""What a scrape of Prometheus gets: the metrics of all processes of this server, and what waits in the database."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import Error, connections
from django.db.models import Count, Min, Q
from django.utils import timezone
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from accounts.webhooks.models import Delivery
from config import metrics
from inpainting import health
from inpainting.batches.models import Item

logger = logging.getLogger(__name__)

LASTS = 5.0  # seconds that what was read from the database serves


class Backlog(Collector):
    """Items of batches and deliveries of webhooks that wait. The same on every machine that shares the database."""

    def __init__(self) -> None:
        self._lock, self._read_at = threading.Lock(), float("-inf")
        self._families: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """Nothing, while the database cannot be reached: the other metrics are needed most then."""
        with self._lock:
            if time.monotonic() - self._read_at > LASTS:
                self._families, self._read_at = _read(), time.monotonic()
            return self._families


def _read() -> list[Metric]:
    if not health.database_check.passes():
        return []
    try:
        return list(_families())
    except Error:
        logger.exception("what waits could not be counted")
        return []
    finally:
        connections.close_all()


def _families() -> Iterator[Metric]:
    items = _gauge("batch_items", "Items of batches, by what is done to them next.", "stage", "state")
    oldest = _gauge("batch_oldest_seconds", "How long the item that waits longest has been due.", "stage")
    now = timezone.now()
    for stage, of_stage in {"fetch": ~Q(image_url=""), "work": Q(image_url="")}.items():
        queued = Item.objects.filter(of_stage, state=Item.State.QUEUED)
        waiting = queued.aggregate(count=Count("pk"), due=Min("available_at"))
        running = Item.objects.filter(of_stage, state=Item.State.RUNNING).count()
        items.add_metric([stage, "queued"], waiting["count"])
        items.add_metric([stage, "running"], running)
        oldest.add_metric([stage], max(0.0, (now - (waiting["due"] or now)).total_seconds()))
    yield from (items, oldest)
    waiting = Delivery.objects.filter(state=Delivery.State.QUEUED, available_at__lte=now).aggregate(
        count=Count("pk"), due=Min("available_at")
    )
    deliveries = _gauge("webhook_deliveries_due", "Deliveries of webhooks that could be tried now.")
    deliveries.add_metric([], waiting["count"])
    late = _gauge("webhook_oldest_seconds", "How long the delivery that waits longest has been due.")
    late.add_metric([], (now - (waiting["due"] or now)).total_seconds())
    yield from (deliveries, late)


def _gauge(name: str, tells: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{metrics.SPACE}_{name}", tells, labels=labels)


class Whole(Collector):
    """Everything, of all processes."""

    def __init__(self) -> None:
        self._backlog = Backlog()

    def collect(self) -> Iterable[Metric]:
        metrics.note_memory()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            yield from MultiProcessCollector(None).collect()
        else:
            yield from REGISTRY.collect()
        yield from self._backlog.collect()


whole = CollectorRegistry()
whole.register(Whole())


def serve() -> None:
    """On METRICS_PORT, where there is one: for workers, which have no web server. It ends with the process."""
    if settings.METRICS_PORT:
        start_http_server(settings.METRICS_PORT, settings.METRICS_HOST, whole)
        logger.info("metrics are at http://%s:%s/metrics", settings.METRICS_HOST, settings.METRICS_PORT)
