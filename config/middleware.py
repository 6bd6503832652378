"""What every request passes: an id of its own, its true address behind our own proxy, the limits on forms."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django_ratelimit.core import get_usage

from config import exceptions

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestId:
    """`request.request_id` (32 hex characters), and the same in the X-Request-Id header of every response."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response


class TrustedProxies:
    """X-Forwarded-For becomes REMOTE_ADDR, but only from settings.TRUSTED_PROXIES; anybody else's is dropped."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.networks = [ipaddress.ip_network(network) for network in settings.TRUSTED_PROXIES]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._is_trusted(request.META.get("REMOTE_ADDR", "")):
            request.META["REMOTE_ADDR"] = self._client(request)
        else:
            request.META.pop("HTTP_X_FORWARDED_FOR", None)
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)

    def _client(self, request: HttpRequest) -> str:
        """The right-most address that no trusted proxy has: what stands left of it anybody may have written."""
        chain = [request.META["REMOTE_ADDR"]]
        chain[:0] = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        while len(chain) > 1 and self._is_trusted(chain[-1]):
            chain.pop()
        try:
            return str(ipaddress.ip_address(chain[-1]))
        except ValueError:
            return str(request.META["REMOTE_ADDR"])

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self.networks)


class FormSize:
    """No form has a megabyte, so no page reads one: 413, unread. Forms are what needs a CSRF token."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *args: Any) -> HttpResponse | None:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if getattr(view, "csrf_exempt", False) or length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return None
        return exceptions.form_too_large(request)


class FormRate:
    """FORM_RATE per client address over all forms: every POST that needs a CSRF token (the API's do not)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *args: Any) -> HttpResponse | None:
        if getattr(view, "csrf_exempt", False):
            return None
        usage = get_usage(request, group="forms", key="ip", rate=settings.FORM_RATE, method="POST", increment=True)
        if usage and usage["should_limit"]:
            return exceptions.too_many_requests(request, retry_after=max(1, usage["time_left"]))
        return None
