"""What Prometheus is told: every metric with its labels. No label has a value that a caller chooses.

Counting needs no database and no network. Where several processes serve one port they write to files of
PROMETHEUS_MULTIPROC_DIR, which config/gunicorn.py makes, and whichever answers adds them up (config/exposition.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from prometheus_client import Counter, Gauge, Histogram

SPACE = "object_remover"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
UNMATCHED = "unmatched"  # the endpoint of paths that nothing answers
REFUSED = "refused"  # the endpoint of what the web server refuses before it is a request
# Seconds. A health check takes 5 ms, a large picture on a small machine a minute.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

REQUESTS = Counter("http_requests", "Requests that were answered.", ["endpoint", "method", "status"], namespace=SPACE)
REQUEST_SECONDS = Histogram(
    "http_request_seconds",
    "From a request's head to its answer's: with reading the body, without sending the answer.",
    ["endpoint"],
    namespace=SPACE,
    buckets=BUCKETS,
)
ERRORS = Counter("errors", "Errors by the code of their answer (docs/errors.md).", ["code"], namespace=SPACE)
REFUSALS = "quota_exceeded", "key_quota_exceeded", "rate_limited", "too_many_calls"
DENIALS = Counter("quota_denials", "Calls refused for their account's limits.", ["code"], namespace=SPACE)

ENGINE_WAITING = Gauge(
    "engine_waiting",
    "Calls that wait for a model, or for it to be loaded.",
    ["model"],
    namespace=SPACE,
    multiprocess_mode="livesum",
)
ENGINE_WAIT_SECONDS = Histogram(
    "engine_wait_seconds", "Until a call's turn came.", ["model"], namespace=SPACE, buckets=BUCKETS
)
ENGINE_SECONDS = Histogram(
    "engine_seconds", "What a model took for one call.", ["stage", "model"], namespace=SPACE, buckets=BUCKETS
)
WEBHOOKS = Counter("webhook_deliveries", "Tries to deliver a webhook.", ["outcome"], namespace=SPACE)
STORAGE_FAILURES = Counter("storage_failures", "Times that the storage refused, hung or was full.", namespace=SPACE)
MEMORY = Gauge("resident_memory_bytes", "Memory that a process holds.", namespace=SPACE, multiprocess_mode="liveall")

for _code in REFUSALS:
    DENIALS.labels(_code)  # zero is told, too: an alert must see the first one as a rise


def endpoint_of(request: HttpRequest) -> str:
    """The name of what answers, of which there are as many as addresses in config/urls.py; the admin is one."""
    match = request.resolver_match
    if match is None:
        return "static" if request.path.startswith(settings.STATIC_URL) else UNMATCHED
    return match.namespaces[0] if match.namespaces else match.view_name


def count_request(endpoint: str, method: str | None, status: int, seconds: float) -> None:
    REQUESTS.labels(endpoint, method if method in METHODS else "other", str(status)).inc()
    REQUEST_SECONDS.labels(endpoint).observe(seconds)


def count_error(code: str) -> None:
    """`code`: of config/exceptions.py's table."""
    ERRORS.labels(code).inc()
    if code in REFUSALS:
        DENIALS.labels(code).inc()


def note_memory() -> None:
    """Tell what this process holds now, where the system says (Linux)."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        MEMORY.set(int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
