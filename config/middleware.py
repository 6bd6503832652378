"""What every request passes: an id of its own, its true address behind our own proxy, the limits on forms."""

from __future__ import annotations

import functools
import ipaddress
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django_ratelimit.core import get_usage

from accounts import metering
from config import exceptions, logs, metrics, probes

logger = logging.getLogger(__name__)

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


class Observed:
    """Each request is counted and timed, what is logged meanwhile bears its id, and one that is slow is logged."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        with logs.about(logs.Subject(request)) as subject:
            response = self.get_response(request)
            seconds, endpoint = time.monotonic() - started, metrics.endpoint_of(request)
            metrics.count_request(endpoint, request.method, response.status_code, seconds)
            if 0 < settings.SLOW_REQUEST_SECONDS <= seconds:
                spent = {name: round(value, 3) for name, value in subject.spent.items()}
                told = {"endpoint": endpoint, "status": response.status_code, "seconds": round(seconds, 3), **spent}
                logger.warning("slow request: %s", logs.line(told), extra=told)
        # What gunicorn's access log tells, which knows no Django (config/logs.py).
        request.META["object_remover.endpoint"] = endpoint
        request.META["object_remover.account_id"] = subject.account_id
        return response


class InternalPort:
    """METRICS_PORT answers machines, and serves nothing else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if probes.on_internal_port(request) and request.path.lstrip("/") not in settings.HEALTH_PATHS:
            return exceptions.page_not_found(request, Http404())
        return self.get_response(request)


class TrustedProxies:
    """REMOTE_ADDR becomes the client's: X-Forwarded-For counts, but only from settings.TRUSTED_PROXIES.

    Anybody else's forwarded headers are dropped. An IPv4 address in IPv6 is written as IPv4.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        if _is_trusted(peer):
            peer = self._client(peer, request.META.get("HTTP_X_FORWARDED_FOR", ""))
        else:
            request.META.pop("HTTP_X_FORWARDED_FOR", None)
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        request.META["REMOTE_ADDR"] = str(_address(peer) or peer)
        return self.get_response(request)

    def _client(self, peer: str, forwarded: str) -> str:
        """The right-most address that no trusted proxy has: what stands left of it anybody may have written."""
        chain = [*(hop.strip() for hop in forwarded.split(",") if hop.strip()), peer]
        while len(chain) > 1 and _is_trusted(chain[-1]):
            chain.pop()
        return chain[-1] if _address(chain[-1]) else peer


def client_of(peer: str) -> str | None:
    """Whose a connection is, by the other end's address: that, or the /64 of an IPv6 one. None: anybody's, of many."""
    address = _address(peer)
    if address is None or _is_trusted(peer):
        return None
    return metering.client_at(str(address))


def _is_trusted(text: str) -> bool:
    address = _address(text)
    return address is not None and any(address in _network(each) for each in settings.TRUSTED_PROXIES)


_network = functools.cache(ipaddress.ip_network)  # asked at each request and connection


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """As proxies write it: 192.0.2.1, 192.0.2.1:443, 2001:db8::1, [2001:db8::1]:443. None: it is no address.

    A zone (fe80::1%eth0) is dropped: it may be any text, however long.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.version == 4:
        return address
    return address.ipv4_mapped or ipaddress.IPv6Address(int(address))


class AnyHostForHealth:
    """Balancers ask for health by address, whatever the site is called: there every Host is ours."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.lstrip("/") in settings.HEALTH_PATHS:
            request.META["HTTP_HOST"] = urlsplit(settings.SITE_URL).netloc
        return self.get_response(request)


class AnswerHeaders:
    """Nobody keeps an answer that does not say how long it lasts; no page asks for cameras, places and the like."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Permissions-Policy"] = settings.PERMISSIONS_POLICY
        return response


class Cors(CorsMiddleware):
    """Scripts of other sites: of any on the object remover surface while it is public, else CORS_ALLOWED_ORIGINS'."""

    def check_signal(self, request: HttpRequest) -> bool:
        """Asked for origins that are not in the list."""
        return not settings.API_TOKEN and bool(re.match(settings.OBJECT_REMOVER_URLS_REGEX, request.path_info))


class FormSize:
    """No form has a megabyte, nor an event of Stripe's: no page reads one. 413, unread. The API has own limits."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *args: Any) -> HttpResponse | None:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        if hasattr(view, "cls") or length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:  # Django REST framework sets it
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


class Foreseen:
    """What a page's view may raise: no 500, and no traceback in the log. The API has its own (config/exceptions.py)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return exceptions.foreseen(request, error)
