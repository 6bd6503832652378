"""The view every API endpoint is: authenticated, throttled, measured, with the plan's headers on its answers."""

from __future__ import annotations

import logging
import math
import time
from ipaddress import IPv6Network
from typing import Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist
from django.core.handlers.wsgi import LimitedStream
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponseBase
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from accounts.authentication import ApiKeyAuthentication
from accounts.models import AccountDeleted, ApiKey, Scope, User
from accounts.quota import quota_of
from accounts.reservations import Call, record_outcome
from accounts.throttling import PlanThrottle, RatedView
from config.postgres import lend_connection

logger = logging.getLogger(__name__)

MAX_IDEMPOTENCY_KEY = 255


class BodyTooLarge(Exception):
    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"Request body too large. Max size: {max_bytes / (1 << 20):.3g}MB")


class ChunkedBody(LimitedStream):
    """A body whose length nobody told: read to its end, or to BodyTooLarge."""

    def __init__(self, stream: Any, max_bytes: int) -> None:
        super().__init__(stream, max_bytes + 1)
        self.left = max_bytes

    def read(self, size: int | None = -1, /) -> bytes:
        data: bytes = super().read(size)
        self.left -= len(data)
        if self.left < 0:
            raise BodyTooLarge(self.limit - 1)
        return data


class InvalidIdempotencyKey(ValueError):
    def __init__(self) -> None:
        super().__init__(f"Idempotency-Key: 1 to {MAX_IDEMPOTENCY_KEY} printable ASCII characters are expected.")


class InsufficientScope(Exception):
    def __init__(self, scope: Scope) -> None:
        super().__init__(f"This key lacks the scope {scope.value}. Use a key that has it.")


class MeteredAPIView(RatedView):
    authentication_classes = [ApiKeyAuthentication]
    permission_classes = [IsAuthenticated]
    throttle_classes = [PlanThrottle]
    # What is posted to it counts in the account's statistics and may cost quota.
    processes_pictures = False
    # The most bytes a request body may have; past it 413, unread.
    max_body_bytes = 1 << 16
    # What a key needs, by method; HEAD needs what GET does. A view that asks for no key has none.
    scopes: ClassVar[dict[str, Scope]] = {}

    call: Call

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The cheap gates, before the body is read: key, rate, scope, size."""
        self.started = time.monotonic()
        super().initial(request, *args, **kwargs)
        self.call = _call(request)
        self._check_scope(request)
        self.call.idempotency_key = _idempotency_key(request)
        if "Transfer-Encoding" in request.headers:  # the web server takes no other than chunked
            django: Any = request._request  # its types know no stream but the web server's
            django._stream = ChunkedBody(request.META["wsgi.input"], self.max_body_bytes)
            request.META["CONTENT_LENGTH"] = str(self.max_body_bytes)  # parsers take a body without one for none
        if int(request.headers.get("Content-Length") or 0) > self.max_body_bytes:
            raise BodyTooLarge(self.max_body_bytes)
        if request.method == "POST":
            lend_connection()  # a body may come slowly

    def _check_scope(self, request: Request) -> None:
        """Raises InsufficientScope. A method that the view does not have is refused by DRF, with 405."""
        needed = self.scopes.get("GET" if request.method == "HEAD" else str(request.method))
        if isinstance(request.auth, ApiKey) and needed is not None and needed not in request.auth.scopes:
            raise InsufficientScope(needed)

    def perform_authentication(self, request: Request) -> None:
        """Whatever stops it stops it once: finalize_response asks who it was, and that is nobody then."""
        try:
            super().perform_authentication(request)
        except Exception:
            request.user = request.auth = None  # type: ignore[assignment] # as UNAUTHENTICATED_USER says
            raise

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Accept never refuses: a picture's format is chosen by `format`, everything else is JSON."""
        return super().perform_content_negotiation(request, force=True)

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        call = _call(request) if not hasattr(self, "call") else self.call  # the gates may have refused before
        if call.is_test:
            response["X-Sandbox"] = "true"
        if call.user is not None:
            try:
                self._record(call, response)
                for name, value in self._plan_headers(call, call.user, response).items():
                    response[name] = str(value)
            except (User.DoesNotExist, IntegrityError):
                if not is_deleted(call.user):
                    raise
                logger.info("the account of %s was deleted meanwhile", call.request_id)
            except (OperationalError, InterfaceError):
                # The answer itself stands: a picture that is done and paid for is not thrown away for its headers.
                logger.exception("what became of %s could not be recorded", call.request_id)
        return response

    def _record(self, call: Call, response: HttpResponseBase) -> None:
        # 429 was not processed: it is in no statistic.
        if self.processes_pictures and self.request.method == "POST" and response.status_code != 429:
            code = response.data.get("code", "") if response.status_code >= 400 else ""  # type: ignore[attr-defined]
            elapsed = round((time.monotonic() - self.started) * 1000)
            record_outcome(call, status=response.status_code, code=code, milliseconds=elapsed)

    def _plan_headers(self, call: Call, user: User, response: HttpResponseBase) -> dict[str, Any]:
        """X-RateLimit-*, X-Quota-* and X-Credits-Charged. What is unlimited has no header."""
        headers: dict[str, Any] = {}
        quota = quota_of(user)
        renewal = int(quota.resets_at.timestamp())
        if self.rate is not None:
            out_of_quota = response.status_code == 429 and self.rate.allowed
            headers["X-RateLimit-Limit"] = self.rate.limit
            headers["X-RateLimit-Remaining"] = self.rate.remaining
            again = renewal
            if out_of_quota and response.data["code"] == "key_quota_exceeded":  # type: ignore[attr-defined]
                again = math.ceil(time.time()) + int(response["Retry-After"])
            headers["X-RateLimit-Reset"] = max(self.rate.reset, again) if out_of_quota else self.rate.reset
        if quota.limit is not None:
            headers["X-Quota-Limit"] = quota.limit
            headers["X-Quota-Remaining"] = quota.remaining
            headers["X-Quota-Reset"] = renewal
        if call.charged:
            headers["X-Credits-Charged"] = call.charged
        return headers


def lost_account(error: Exception, user: object) -> bool:
    """Whether `error` comes of it that the account of `user` was deleted meanwhile."""
    of_rows = isinstance(error, ObjectDoesNotExist | DatabaseError) and not isinstance(error, OperationalError)
    return isinstance(error, AccountDeleted) or (of_rows and is_deleted(user))


def is_deleted(user: object) -> bool:
    """Whether `user` had an account when the request began, and has none now."""
    return isinstance(user, User) and not User.objects.filter(pk=user.pk).exists()


def _call(request: Request) -> Call:
    return Call(
        user=request.user if isinstance(request.user, User) else None,
        api_key=request.auth if isinstance(request.auth, ApiKey) else None,
        endpoint=request.path,
        request_id=request.request_id,  # type: ignore[attr-defined]
        is_test=isinstance(request.auth, ApiKey) and request.auth.is_test,
        address=address_of(request),
    )


def address_of(request: Request | HttpRequest) -> str:
    return client_at(request.META.get("REMOTE_ADDR", ""))


def client_at(remote: str) -> str:
    """What is one client: an IPv4 address, the /64 of an IPv6 one; what is neither (a Unix socket's) as it is."""
    try:
        return str(IPv6Network((remote.partition("%")[0], 64), strict=False))
    except ValueError:
        return remote


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= MAX_IDEMPOTENCY_KEY and key.isascii() and key.isprintable()):
        raise InvalidIdempotencyKey
    return key
