"""What machines ask: /livez and /readyz of an orchestrator, /metrics of Prometheus. They need no place of a thread."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from config import exceptions, exposition
from inpainting import health


def on_internal_port(request: HttpRequest) -> bool:
    """Whether it came by METRICS_PORT. The port is the socket's own: no header says it."""
    return bool(settings.METRICS_PORT) and request.META.get("SERVER_PORT") == str(settings.METRICS_PORT)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers. Nothing is asked: a process must not be killed because its database is away."""
    return JsonResponse({"status": "alive"})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether requests may be sent here: database, storage, migrations, and the model loaded. Within TIMEOUT."""
    parts = health.readiness()
    works = all(part.works for part in parts)
    body = {
        "status": "ready" if works else "not ready",
        "checks": {part.name.lower(): part.problem or "ok" for part in parts},
    }
    headers = {} if works else {"Retry-After": str(health.TRY_AGAIN)}
    return JsonResponse(body, status=200 if works else 503, headers=headers)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """On the internal port for whoever reaches that; elsewhere for METRICS_TOKEN, and without one not at all."""
    if not on_internal_port(request):
        if not settings.METRICS_TOKEN:
            raise Http404
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(token.encode(), settings.METRICS_TOKEN.encode()):
            return exceptions.wrong_metrics_token(request)
    return HttpResponse(generate_latest(exposition.whole), content_type=CONTENT_TYPE_LATEST)
