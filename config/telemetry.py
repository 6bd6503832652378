"""Traces by OpenTelemetry: of requests and of the engine's stages, where OTEL_EXPORTER_OTLP_ENDPOINT says whereto.

Everything else is said by OpenTelemetry's own variables (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and so on). The
packages are in requirements-telemetry.txt; none is imported where there is no endpoint.
"""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.metrics import endpoint_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

logger = logging.getLogger(__name__)

# By two generations of conventions: all that may hold a query or a file's name.
ADDRESSES = "http.url", "http.target", "url.full", "url.path"
QUERY = "url.query"

_tracers: list[Tracer] = []  # none, or one


def start() -> bool:
    """Trace this process from now on; whether it does. Call it after a fork: the exporter has a thread."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return False
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.django import DjangoInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        logger.error(  # noqa: TRY400 - the sentence says it all
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but nothing is traced: %s. "
            "Run pip install -r requirements-telemetry.txt.",
            error,
        )
        return False
    os.environ.setdefault("OTEL_SERVICE_NAME", "object-remover")
    provider = TracerProvider(resource=Resource.create({"service.version": settings.VERSION}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(response_hook=_name)
    _tracers.append(trace.get_tracer("object_remover"))
    logger.info("traces go to %s", os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"])
    return True


def span(name: str, **attributes: str) -> AbstractContextManager[Any]:
    """A stage of the request at hand, if it is traced."""
    return _tracers[0].start_as_current_span(name, attributes=attributes) if _tracers else nullcontext()


def _name(span: Span, request: HttpRequest, response: HttpResponse) -> None:
    """A span bears the endpoint's name and the request's id, and no path or query: they may hold a file's name."""
    endpoint = endpoint_of(request)
    span.update_name(f"{request.method} {endpoint}")
    span.set_attribute("request_id", getattr(request, "request_id", ""))
    for attribute in ADDRESSES:
        if attribute in getattr(span, "attributes", {}):
            span.set_attribute(attribute, endpoint)
    if QUERY in getattr(span, "attributes", {}):
        span.set_attribute(QUERY, "")
