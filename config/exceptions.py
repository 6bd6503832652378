"""THE table: which error gets which status, code and text; and the handlers that speak it.

Every error on an API path is JSON {"error", "detail", "status_code", "code", "request_id"}, and "index" where a batch
is refused for one of its pictures; elsewhere a page.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import uuid
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from django.contrib.auth import logout
from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import render
from gunicorn.http.errors import ParseException
from redis import RedisError
from rest_framework import exceptions as drf
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from accounts import authentication, caps, hashing, mail, metering, models, prices, public, quota, rate, reservations
from accounts.webhooks import models as webhooks
from config import fetching, metrics, paths
from inpainting import admission, engine, health, images, masks, storage
from inpainting.api import events, serializers
from inpainting.batches import accept, archive
from inpainting.saved_marks import keeping, saved

logger = logging.getLogger(__name__)

# HTTPStatus has these phrases of older RFCs; the documents have the newer ones.
PHRASES = {413: "Payload Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}

# Errors of the domain; the text is the error's own. First match wins.
TABLE: list[tuple[type[Exception], int, str]] = [
    (images.AnimatedImage, 400, "animated_image"),
    (images.InvalidImage, 400, "invalid_image"),
    (images.ImageTooLarge, 400, "image_too_large"),
    (serializers.UnknownField, 400, "unknown_field"),
    (masks.InvalidMask, 400, "invalid_mask"),
    (masks.MaskTooLarge, 400, "mask_too_large"),
    (masks.FaintMask, 400, "faint_mask"),
    (masks.EmptyMask, 400, "empty_mask"),
    (masks.MaskCoversEverything, 400, "mask_covers_everything"),
    (fetching.UrlNotAllowed, 400, "url_not_allowed"),
    (fetching.UrlUnreachable, 400, "url_unreachable"),
    (fetching.UrlTooLarge, 400, "url_too_large"),
    (webhooks.NoDefaultSecret, 400, "no_webhook_secret"),
    (webhooks.TooManyEndpoints, 400, "too_many_endpoints"),
    (accept.BatchTooLarge, 400, "batch_too_large"),
    (accept.BatchTooSmall, 400, "batch_too_small"),
    (saved.InvalidMark, 400, "invalid_mark"),
    (keeping.TooManyMarks, 400, "too_many_marks"),
    (archive.InvalidArchive, 400, "invalid_archive"),
    (storage.NotThere, 404, "not_found"),
    (webhooks.NotThere, 404, "not_found"),
    (models.AccountDeleted, 401, "invalid_api_key"),
    (authentication.AddressNotAllowed, 403, "address_not_allowed"),
    (metering.InsufficientScope, 403, "insufficient_scope"),
    (prices.ModelNotInPlan, 403, "model_not_in_plan"),
    (public.NoPicturesLeft, 429, "quota_exceeded"),
    (rate.RateLimited, 429, "rate_limited"),
    (caps.KeyQuotaExceeded, 429, "key_quota_exceeded"),
    (quota.QuotaExceeded, 429, "quota_exceeded"),
    (reservations.IdempotencyMismatch, 422, "idempotency_key_reused"),
    (webhooks.EndpointDisabled, 409, "endpoint_disabled"),
    (accept.NothingToRetry, 409, "nothing_to_retry"),
    (reservations.IdempotencyInProgress, 409, "idempotency_in_progress"),
    (metering.InvalidIdempotencyKey, 400, "invalid_idempotency_key"),
    (metering.BodyTooLarge, 413, "body_too_large"),
    (engine.UnknownModel, 400, "unknown_model"),
    (engine.OptionNotTaken, 400, "option_not_taken"),
    (engine.TextNotInstalled, 400, "text_not_installed"),
    (engine.EngineUnavailable, 503, "engine_unavailable"),
    (engine.TooManyCalls, 429, "too_many_calls"),
    (engine.EngineBusy, 503, "busy"),
    (admission.NoRoom, 503, "busy"),
    (events.TooManyStreams, 503, "busy"),
    (fetching.TooManyFetches, 503, "busy"),
    (fetching.GaveWay, 503, "busy"),
    (hashing.TooManyPasswords, 503, "busy"),
]
AGAIN = "The {} cannot be reached. Please try again later."
# Errors that others raise: (status, code, text or None for the error's own).
OTHERS: list[tuple[type[Exception], int, str, str | None]] = [
    (Http404, 404, "not_found", "Not found."),
    (RequestDataTooBig, 413, "body_too_large", "The text fields of the request are too large."),
    (TooManyFieldsSent, 400, "bad_request", "The request has too many fields."),
    (TooManyFilesSent, 400, "bad_request", "The request has too many files."),
    (SuspiciousOperation, 400, "bad_request", "The request cannot be read."),
    *((kind, 503, "database_unavailable", AGAIN.format("database")) for kind in (OperationalError, InterfaceError)),
    (storage.StorageUnavailable, 503, "storage_unavailable", AGAIN.format("storage")),
    *((kind, 503, "cache_unavailable", AGAIN.format("cache")) for kind in (RedisError, sqlite3.OperationalError)),
    (UnreadablePostError, 408, "request_timeout", "The request's body ended too early or came too slowly."),
    (ParseException, 400, "bad_request", "The request's body cannot be read: its chunks are malformed."),
    (drf.NotAuthenticated, 401, "missing_api_key", "Missing API Key. Please provide X-API-Key header."),
]
# What the web server refuses before Django sees it.
WIRE: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be read."),
    403: ("forbidden", "You are not allowed to do this."),
    408: ("request_timeout", "The request came too slowly."),
    414: ("uri_too_long", "The request's address is too long."),
    417: ("expectation_failed", "The Expect header can only be 100-continue."),
    431: ("headers_too_large", "The request's headers are too many or too long."),
    500: ("internal_error", "Something went wrong on our side."),
    501: ("not_implemented", "The only transfer coding is chunked."),
}


# Codes of what DRF and our gates raise with a code of their own.
GATES: dict[int, list[str]] = {
    400: ["invalid_request", "parse_error"],
    401: ["invalid_api_key", "missing_api_token"],
    403: ["wrong_api_token"],
    415: ["unsupported_media_type"],
}


def codes(status: int) -> list[str]:
    """Every code that an answer of this status may have."""
    ours = [code for _, of, code in TABLE if of == status] + [code for _, of, code, _ in OTHERS if of == status]
    return sorted({*ours, *GATES.get(status, []), *(code for of, (code, _) in WIRE.items() if of == status)})


def error_body(request: Any, status: int, code: str, detail: str) -> dict[str, Any]:
    """Of an answer that is given, which is counted here."""
    metrics.count_error(code)
    return {
        "error": PHRASES.get(status) or HTTPStatus(status).phrase,
        "detail": detail,
        "status_code": status,
        "code": code,
        "request_id": request.request_id,
    }


def outside_of_django(status: int) -> tuple[bytes, dict[str, str]]:
    """Body and headers of what is answered without a request of Django's: what no head, no body can be read from."""
    request = SimpleNamespace(request_id=uuid.uuid4().hex)
    code, detail = WIRE[status]
    metrics.REQUESTS.labels(metrics.REFUSED, "other", f"{status:d}").inc()
    content = json.dumps(error_body(request, status, code, detail)).encode()
    return content, {
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "Cache-Control": "no-store",
        "X-Request-Id": request.request_id,
    }


def api_exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: any exception to a JSON answer. What nobody foresaw is 500, and logged whole."""
    if metering.lost_account(error, context["request"].user):
        error = models.AccountDeleted()
    status, code, detail = classify(error)
    if status >= 500:
        # Who is only turned away, however often, leaves no traceback.
        logger.error("%s %s", code, context["request"].request_id, exc_info=None if code == "busy" else error)
    set_rollback()
    request = context["request"]  # whatever form of answer it asked for
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    body = error_body(request, status, code, detail)
    if isinstance(error, images.Refused) and error.index is not None:
        body["index"] = error.index
    response = Response(body, status=status)
    retry_after = getattr(error, "retry_after", None) or (health.TRY_AGAIN if status == 503 else None)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    if header := getattr(error, "auth_header", None):  # DRF's views put it on 401s
        response["WWW-Authenticate"] = header
    return response


def classify(error: Exception) -> tuple[int, str, str]:
    """Its status, code and text: Unicode, whatever of a request it repeats. A lone surrogate, which any of Python's
    codecs that a client names may give, could be neither sent nor stored."""
    status, code, text = _classified(error)
    return status, code, text.encode(errors="backslashreplace").decode()


def _classified(error: Exception) -> tuple[int, str, str]:
    for kind, status, code in TABLE:
        if isinstance(error, kind):
            return status, code, str(error)
    if isinstance(error, drf.NotAuthenticated) and error.get_codes() != "not_authenticated":
        return 401, str(error.get_codes()), str(error.detail)
    for kind, status, code, text in OTHERS:
        if isinstance(error, kind):
            return status, code, text or str(error)
    if isinstance(error, drf.ValidationError):
        return 400, "invalid_request", _first_message(error.detail)
    if isinstance(error, drf.APIException):
        return error.status_code, str(error.get_codes()), str(error.detail)
    return 500, "internal_error", "Processing failed. Nothing was charged; please send the request_id to support."


def _first_message(detail: Any, field: str = "") -> str:
    """The first message of a serializer's errors, led by its field's name."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        named = f"{field}[{name}]" if isinstance(name, int) else str(name)
        return _first_message(inner, "" if name == "non_field_errors" else named)
    if isinstance(detail, list):
        return _first_message(detail[0], field)
    return f"{field}: {detail}" if field else str(detail)


# --- errors outside of DRF: unknown paths, CSRF, middleware ----------------------------------------------------------


def _answer(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    body = error_body(request, status, code, detail)
    wants_page = "text/html" in request.headers.get("Accept", "")
    if paths.is_api(request.path) or not wants_page:
        return JsonResponse(body, status=status)
    return render(request, "500.html" if status >= 500 else "error.html", body, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "bad_request", "The request cannot be read.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, "forbidden", "You are not allowed to do this.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page has links where the JSON names an address."""
    return _answer(request, 404, "not_found", "There is nothing here. The API's paths are listed at /api/docs.")


def wrong_metrics_token(request: HttpRequest) -> HttpResponse:
    response = _answer(request, 401, "invalid_token", "Send METRICS_TOKEN as Authorization: Bearer.")
    response["WWW-Authenticate"] = "Bearer"
    return response


def too_many_requests(request: HttpRequest, retry_after: int = 60) -> HttpResponse:
    """Forms that were sent too often: FormRate's and django-allauth's answer."""
    response = _answer(request, 429, "rate_limited", "You are sending forms too fast. Please try again in a minute.")
    response["Retry-After"] = str(retry_after)
    return response


def foreseen(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """The answer of a page whose view raised it; None: to what nobody foresaw, which is server_error's."""
    if metering.lost_account(error, request.user):
        logout(request)
        error = models.AccountDeleted()
    elif not isinstance(error, hashing.TooManyPasswords):
        return None
    status, code, detail = classify(error)
    response = _answer(request, status, code, detail)
    if status == 503:
        response["Retry-After"] = str(health.TRY_AGAIN)
    return response


def form_too_large(request: HttpRequest) -> HttpResponse:
    return _answer(request, 413, "body_too_large", "The body is too large. It may have 1 MB at most.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls it while it handles the exception: what cannot be reached is 503 here too."""
    error = sys.exc_info()[1]
    status, code, detail = classify(error) if isinstance(error, Exception) else (500, "", "")
    if isinstance(error, mail.NotSent):  # by pages alone
        status, code, detail = 503, "mail_unavailable", str(error)
    if status != 503:
        return _answer(request, 500, "internal_error", "Something went wrong on our side.")
    response = _answer(request, status, code, detail)
    response["Retry-After"] = str(health.TRY_AGAIN)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, "csrf_failed", "The form's security token is missing or old. Go back and try again.")
