"""Batches against a service that cuts events off and refuses large ones."""

import json
from typing import Any

import httpx
import pytest

from iopaint import ConnectionFailed, IOPaintClient, ServerError

MOMENT = "2026-12-01T00:00:00.123456Z"


def item(index: int) -> dict[str, Any]:
    result = {"url": f"http://service.example/{index}", "width": 1, "height": 1, "coverage": 1, "seconds": 1}
    return {
        **{"batch": "b", "index": index, "name": f"{index}.png", "status": "succeeded", "position": None},
        **{"error": None, "result": {**result, "expires_at": MOMENT}},
    }


def batch(status: str, total: int) -> dict[str, Any]:
    counts = dict.fromkeys(("queued", "running", "succeeded", "failed", "cancelled"), 0)
    moments = dict.fromkeys(("created_at", "expires_at"), MOMENT)
    return {"id": "b", "status": status, "total": total, **counts, **moments, "metadata": {}}


def event(kind: str, id: str, body: dict[str, Any]) -> str:
    return f": alive\n\nevent: {kind}\nid: {id}\ndata: {json.dumps(body)}\n\n"


def stream(*events: str) -> httpx.Response:
    return httpx.Response(200, text="".join(events), headers={"Content-Type": "text/event-stream"})


class Service:
    """Takes two pictures a batch. `streams`: what it answers in turn to whoever follows one."""

    def __init__(self, *streams: httpx.Response) -> None:
        self._streams = iter(streams)
        self.accepted: list[int] = []
        self.followed: list[str | None] = []
        http = httpx.Client(transport=httpx.MockTransport(self))
        self.client = IOPaintClient("sk", base_url="http://service.example", http_client=http, max_retries=0)
        self.pauses: list[float] = []
        self.client._sleep = self.pauses.append

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/api/v1/batch":
            self.sent = request.read()
            return self._accept(self.sent.count(b'name="images"'))
        if path.endswith("/events"):
            self.followed.append(request.headers.get("Last-Event-ID"))
            return next(self._streams)
        if path.endswith("/items"):
            return httpx.Response(200, json={"next": None, "results": [item(0), item(1)]})
        if path == "/api/v1/batch/b":
            return httpx.Response(200, json=batch("succeeded", 2))
        return httpx.Response(200, content=path.encode(), headers={"Content-Type": "image/png"})

    def _accept(self, count: int) -> httpx.Response:
        if count > 2:
            body = {"error": "-", "detail": "-", "status_code": 400, "code": "batch_too_large", "request_id": "r"}
            return httpx.Response(400, json=body)
        self.accepted.append(count)
        return httpx.Response(202, json=batch("queued", count))


def whole(count: int) -> httpx.Response:
    items = [event("item", str(index), item(index)) for index in range(count)]
    return stream(*items, event("batch", "x", batch("succeeded", count)))


def test_it_works() -> None:
    """More pictures than the plan lets into one batch are sent in parts."""
    service = Service(whole(2), whole(2), whole(1))

    done = service.client.batch_process([b"a", b"b", b"c", b"d", b"e"])

    assert service.accepted == [2, 2, 1]
    assert [(each.index, each.name, each.content) for each in done] == [
        (index, f"image-{index + 1}", f"/{part}".encode()) for index, part in enumerate((0, 1, 0, 1, 0))
    ]


def test_one_picture_is_no_list() -> None:
    for send in (Service().client.batch_process, Service().client.create_batch):
        with pytest.raises(TypeError, match="list"):
            send("img1.jpg")


def test_a_file_that_is_missing_is_told_before_any_is_sent() -> None:
    service = Service()

    with pytest.raises(FileNotFoundError, match=r"nothing\.jpg"):
        service.client.batch_process([b"a", "nothing.jpg"])
    assert service.accepted == []


def test_addresses_are_for_the_service_to_fetch() -> None:
    service = Service(whole(2))

    done = service.client.batch_process(["https://a.example/photo.jpg?key=1", "https://a.example/"])

    assert [each.name for each in done] == ["photo.jpg", "image-2"]
    assert service.sent.count(b'name="image_urls"\r\n\r\nhttps://a.example/') == 2


def test_events_that_end_early_are_asked_for_again() -> None:
    service = Service(stream(event("item", "first", item(0))), whole(2))

    assert [each.index for each in service.client.follow_batch("b")] == [0, 1]
    assert service.followed == [None, "first"]
    assert service.pauses == [2.0]


def test_what_was_missed_is_told_by_the_list() -> None:
    service = Service(stream(event("item", "first", item(0))), httpx.Response(204))

    assert [each.index for each in service.client.follow_batch("b")] == [0, 1]


def test_while_others_follow_the_batch_itself_is_asked_for() -> None:
    body = {"error": "-", "detail": "-", "status_code": 503, "code": "busy", "request_id": "r"}
    service = Service(httpx.Response(503, json=body))

    assert [each.index for each in service.client.follow_batch("b")] == [0, 1]


def test_a_stream_that_tells_nothing_is_not_asked_for_ever() -> None:
    service = Service(*(stream(": alive\n\n") for _ in range(9)))

    with pytest.raises(ConnectionFailed, match="without telling"):
        list(service.client.follow_batch("b"))
    assert service.pauses == [4, 8, 16, 32]


def test_a_failing_service_is_told() -> None:
    service = Service(httpx.Response(500, text="-"))

    with pytest.raises(ServerError):
        list(service.client.follow_batch("b"))


def test_who_stops_looking_leaves_nothing_open() -> None:
    answer = whole(2)
    service = Service(answer)

    following = service.client.follow_batch("b")
    next(following)
    following.close()  # type: ignore[attr-defined]

    assert answer.is_closed


def test_a_result_that_is_gone_is_no_batch_that_was_cancelled() -> None:
    ends = [{**item(0), "result": None}, {**item(1), "result": None, "status": "cancelled"}]
    events = [event("item", str(end["index"]), end) for end in ends]
    service = Service(stream(*events, event("batch", "x", batch("succeeded", 2))))

    done = service.client.batch_process([b"a", b"b"])

    assert [each.error.code for each in done if each.error] == ["not_found", "cancelled"]
