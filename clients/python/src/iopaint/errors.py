"""What can go wrong: one class for each thing that a program may want to tell apart, chosen by the answer's `code`."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx

from iopaint.reading import UNREADABLE, body_of, plain


class IOPaintError(Exception):
    """Base of all errors of the service and of the way to it.

    code: stable snake_case, such as "invalid_image"; see the list in the service's docs/api.md.
    status_code, request_id: None where no answer came.
    retry_after: seconds after which the service would have it tried again, if it said so.
    index: of the picture, as it was sent, for which a batch was refused.
    """

    index: int | None = None

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status_code: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status_code = status_code
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.detail} ({self.code}, request {self.request_id})" if self.request_id else self.detail


class ConnectionFailed(IOPaintError):
    """No answer came: no such host, nobody listens, the connection broke."""


class TimedOut(ConnectionFailed):
    """No answer came in time."""


class UnexpectedAnswer(IOPaintError):
    """The answer is none of the service's: of a proxy, or of another server at this address."""


class AuthenticationFailed(IOPaintError):
    """There is no API key, or it is wrong, expired or revoked, or may not do this, or not from here."""


class InvalidRequest(IOPaintError):
    """The request cannot be done as it is. Base of all that is wrong with what was sent."""


class InvalidImage(InvalidRequest):
    """The file is no picture, is damaged or animated."""


class ImageTooLarge(InvalidRequest):
    """The file has too many bytes, or the picture too many pixels."""


class InvalidMask(InvalidRequest):
    """The mask cannot be read, is too large, or marks nothing, everything, or too faintly."""


class BatchTooLarge(InvalidRequest):
    """More pictures than the plan lets into one batch."""


class BatchTooSmall(InvalidRequest):
    """Too few pictures for a mark that they share: send them without `shared_mark`."""


class BodyTooLarge(InvalidRequest):
    """More bytes than a request may have."""


class ModelNotInPlan(IOPaintError):
    """The account's plan does not have this model."""


class IdempotencyKeyReused(InvalidRequest):
    """The idempotency key was sent before with other fields."""


class NotFound(IOPaintError):
    """There is no such batch or result, or it has expired."""


class IdempotencyInProgress(IOPaintError):
    """The first request with this idempotency key may still run."""


class RateLimited(IOPaintError):
    """Too many requests in too short a time."""


class QuotaExceeded(IOPaintError):
    """The pictures of the plan, or of the key, for this day or month are used up."""


class ServerError(IOPaintError):
    """Something failed on the service's side. Nothing was charged."""


class Busy(ServerError):
    """The service has no room for the request just now."""


class Unavailable(ServerError):
    """The service cannot reach its engine, database, storage or cache."""


# Every code that docs/errors.md has; one that is newer than this package is known by its status.
BY_CODE: dict[str, type[IOPaintError]] = {
    code: kind
    for kind, codes in {
        AuthenticationFailed: "missing_api_key invalid_api_key missing_api_token wrong_api_token insufficient_scope "
        "address_not_allowed forbidden csrf_failed",
        InvalidRequest: "invalid_request unknown_field parse_error bad_request unknown_model option_not_taken "
        "text_not_installed "
        "invalid_idempotency_key url_not_allowed url_unreachable url_too_large invalid_archive invalid_mark "
        "too_many_marks no_webhook_secret too_many_endpoints endpoint_disabled nothing_to_retry "
        "method_not_allowed request_timeout precondition_failed uri_too_long headers_too_large unsupported_media_type "
        "expectation_failed",
        InvalidImage: "invalid_image animated_image",
        ImageTooLarge: "image_too_large",
        InvalidMask: "invalid_mask mask_too_large empty_mask faint_mask mask_covers_everything",
        ModelNotInPlan: "model_not_in_plan",
        BatchTooLarge: "batch_too_large",
        BatchTooSmall: "batch_too_small",
        BodyTooLarge: "body_too_large",
        IdempotencyKeyReused: "idempotency_key_reused",
        IdempotencyInProgress: "idempotency_in_progress",
        NotFound: "not_found",
        RateLimited: "rate_limited too_many_calls",
        QuotaExceeded: "quota_exceeded key_quota_exceeded",
        ServerError: "internal_error not_implemented",
        Busy: "busy",
        Unavailable: "engine_unavailable database_unavailable storage_unavailable cache_unavailable mail_unavailable",
    }.items()
    for code in codes.split()
}


def coded(code: str, detail: str) -> IOPaintError:
    """The error of a batch's picture, which has a code and a text but no answer of its own."""
    return BY_CODE.get(code, IOPaintError)(plain(detail), code=plain(code))


def of_answer(answer: httpx.Response) -> IOPaintError:
    status, request_id = answer.status_code, answer.headers.get("X-Request-Id")
    retry_after = _seconds(answer.headers.get("Retry-After"))
    try:
        body = body_of(answer.content)
        code, detail = plain(body["code"]), plain(body["detail"])
    except UNREADABLE:
        error = unexpected(answer)
        error.retry_after = retry_after
        return error
    kind = BY_CODE.get(code, ServerError if status >= 500 else InvalidRequest)
    error = kind(detail, code=code, status_code=status, request_id=request_id, retry_after=retry_after)
    if isinstance(index := body.get("index"), int):
        error.index = index
    return error


def unexpected(answer: httpx.Response) -> IOPaintError:
    """Of an answer that is not in the service's own form: a proxy's, or another server's. A 5xx may pass."""
    kind = ServerError if answer.status_code >= 500 else UnexpectedAnswer
    told = f"HTTP {answer.status_code} with {plain(answer.headers.get('Content-Type', 'no type of content'))}"
    detail = f"{answer.url.copy_with(query=None)} answered {told}, but not as the service does."
    request_id = answer.headers.get("X-Request-Id")
    return kind(detail, code="unexpected_answer", status_code=answer.status_code, request_id=request_id)


def endless(answer: httpx.Response, most: int) -> IOPaintError:
    detail = f"{answer.url.copy_with(query=None)} answered more than {most >> 20} MB."
    return UnexpectedAnswer(detail, code="unexpected_answer", status_code=answer.status_code)


def of_transport(error: httpx.RequestError, url: str) -> IOPaintError:
    if isinstance(error, httpx.DecodingError):
        return UnexpectedAnswer(f"{url} answered what is not compressed as it says.", code="unexpected_answer")
    if isinstance(error, httpx.TimeoutException):
        return TimedOut(f"No answer from {url} in time.", code="timed_out")
    return ConnectionFailed(f"{url} cannot be reached: {error or type(error).__name__}", code="connection_failed")


def _seconds(header: str | None) -> float | None:
    """Retry-After: seconds or a date (RFC 9110, 10.2.3). What cannot be read says nothing."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
