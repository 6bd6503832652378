"""What is tried again, when, and under which key. Nothing sleeps: pauses are written down."""

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from iopaint import (
    AuthenticationFailed,
    ConnectionFailed,
    InvalidImage,
    IOPaintClient,
    IOPaintError,
    QuotaExceeded,
    RateLimited,
    ServerError,
    TimedOut,
    UnexpectedAnswer,
)
from iopaint.command import clean

Answer = httpx.Response | httpx.TransportError
RESULT = {
    **{"Content-Type": "image/png", "X-Image-Size": "4x3", "X-Mask-Source": "provided", "X-Mask-Pixels": "5"},
    **{"X-Mask-Coverage": "0.4167", "X-Processing-Time": "0.1", "X-Credits-Charged": "1"},
}


def refusal(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"error": "-", "detail": "A text.", "status_code": status, "code": code, "request_id": "r-1"}
    return httpx.Response(status, json=body, headers={"X-Request-Id": "r-1", **headers})


def done() -> httpx.Response:
    return httpx.Response(200, content=b"picture", headers=RESULT)


class Wire:
    """Answers in turn; notes what was sent and for how long the client would have slept."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = iter(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer

    def client(self, **options: Any) -> IOPaintClient:
        http = httpx.Client(transport=httpx.MockTransport(self))
        client = IOPaintClient("sk", base_url="http://service.example", http_client=http, **options)
        client._sleep = self.pauses.append
        return client

    def remove(self, **options: Any) -> Any:
        return self.client(**options).remove_watermark(b"picture")


def test_it_works() -> None:
    wire = Wire(refusal(503, "busy"), httpx.ConnectError("refused"), done())

    assert bytes(wire.remove()) == b"picture"
    assert 0.375 <= wire.pauses[0] <= 0.5
    assert 0.75 <= wire.pauses[1] <= 1.0


def test_all_tries_are_one_request_to_the_service() -> None:
    wire = Wire(refusal(500, "internal_error"), refusal(408, "request_timeout"), done())

    wire.remove()

    (key,) = {request.headers["Idempotency-Key"] for request in wire.requests}
    assert len(key) == 36
    assert len({request.read().replace(_boundary(request), b"") for request in wire.requests}) == 1


def test_each_call_is_another_request() -> None:
    wire = Wire(done(), done())
    client = wire.client()

    client.remove_watermark(b"picture")
    client.remove_watermark(b"picture", idempotency_key="mine")

    first, second = (request.headers["Idempotency-Key"] for request in wire.requests)
    assert first != second == "mine"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda: refusal(503, "busy"), ServerError),
        (lambda: refusal(409, "idempotency_in_progress"), IOPaintError),
        (lambda: refusal(429, "rate_limited"), RateLimited),
        (lambda: httpx.Response(502, text="<html>"), ServerError),
        (lambda: httpx.ReadTimeout("slow"), TimedOut),
        (lambda: httpx.ConnectError("refused"), ConnectionFailed),
    ],
)
def test_two_more_tries_are_made(answer: Callable[[], Answer], kind: type[IOPaintError]) -> None:
    wire = Wire(*(answer() for _ in range(3)))

    with pytest.raises(kind):
        wire.remove()

    assert len(wire.requests) == 3


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(429, "quota_exceeded", **{"Retry-After": "5"}), QuotaExceeded),
        (refusal(429, "key_quota_exceeded", **{"Retry-After": "5"}), QuotaExceeded),
        (refusal(403, "insufficient_scope"), AuthenticationFailed),
        (refusal(403, "address_not_allowed"), AuthenticationFailed),
        (refusal(400, "invalid_image"), InvalidImage),
        (refusal(401, "invalid_api_key"), AuthenticationFailed),
        (refusal(400, "a_code_of_tomorrow"), IOPaintError),
        (httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"}), UnexpectedAnswer),
        (httpx.Response(301, headers={"Location": "https://elsewhere.example"}), UnexpectedAnswer),
    ],
)
def test_what_would_come_out_the_same_is_not_tried_again(answer: httpx.Response, kind: type[IOPaintError]) -> None:
    wire = Wire(answer)

    with pytest.raises(kind):
        wire.remove()

    assert wire.pauses == []


def test_the_service_says_how_long_to_wait() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    wire = Wire(
        refusal(429, "rate_limited", **{"Retry-After": "120"}), refusal(503, "busy", **{"Retry-After": later}), done()
    )

    wire.remove()

    assert wire.pauses[0] == 120
    assert 0 < wire.pauses[1] <= 60


def test_too_long_a_wait_is_raised_at_once() -> None:
    wire = Wire(refusal(429, "rate_limited", **{"Retry-After": "121"}))

    with pytest.raises(RateLimited) as caught:
        wire.remove()

    assert (caught.value.retry_after, wire.pauses) == (121, [])


def test_pauses_grow_to_eight_seconds() -> None:
    wire = Wire(*(refusal(503, "busy") for _ in range(8)))

    with pytest.raises(ServerError):
        wire.remove(max_retries=7)

    assert all(6 <= pause <= 8 for pause in wire.pauses[4:])


def test_an_error_tells_what_the_service_told() -> None:
    with pytest.raises(IOPaintError) as caught:
        Wire(refusal(400, "empty_mask")).remove()

    error = caught.value
    assert (error.code, error.detail, error.status_code, error.request_id) == ("empty_mask", "A text.", 400, "r-1")
    assert "r-1" in str(error)


def test_a_key_is_missed_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IOPAINT_API_KEY", raising=False)

    with pytest.raises(AuthenticationFailed, match="IOPAINT_API_KEY"):
        IOPaintClient(base_url="http://127.0.0.1:9").stats()


def test_a_key_is_sent_to_no_other_address(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {"batch": "b", "index": 0, "name": "a.png", "status": "succeeded", "position": None, "error": None}
    result = {"url": "https://storage.example/a", "width": 1, "height": 1, "coverage": 0.5, "seconds": 1}
    item["result"] = {**result, "expires_at": "2026-12-01T00:00:00Z"}
    wire = Wire(httpx.Response(200, json={"next": None, "results": [item]}), done())
    client = wire.client()

    assert client.download(client.batch_items("b")[0]) == b"picture"
    assert ["X-API-Key" in request.headers for request in wire.requests] == [True, False]


def test_the_command_waits_for_what_it_was_stopped_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(refusal(409, "idempotency_in_progress", **{"Retry-After": "600"}), done())
    monkeypatch.setattr("iopaint.command.clean.sleep", wire.pauses.append)
    (tmp_path / "image.jpg").write_bytes(b"picture")
    unset = dict.fromkeys(("output", "mask", "mark", "mode", "grow", "format", "model", "targets"))
    asked = Namespace(path=tmp_path / "image.jpg", **unset)

    assert clean.run(wire.client(), asked)

    assert (tmp_path / "image-clean.png").read_bytes() == b"picture"
    assert wire.pauses == [clean.AGAIN]


def test_an_unhealthy_service_is_told_not_raised() -> None:
    body = {"status": "unhealthy", "detail": "No disk.", "model": "lama", "device": "cpu", "gpu_available": False}
    wire = Wire(httpx.Response(503, json=body))

    health = wire.client().health()

    assert (health.status, health.detail, wire.pauses) == ("unhealthy", "No disk.", [])


def _boundary(request: httpx.Request) -> bytes:
    boundary: str = request.headers["Content-Type"].partition("boundary=")[2]
    return boundary.encode()
