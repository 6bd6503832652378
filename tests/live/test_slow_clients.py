"""A hundred clients that send nothing, half a head, half a body, or do not read: everybody else is served meanwhile.

What they hold is given up when they are too slow, with an answer in our form where there still is somebody to answer.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pytest
import requests

from config import patience
from tests import pictures
from tests.live.service import Service, running

SLOW = 100  # the server works on four requests at a time
UPLOAD = b"POST /upload-image HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
STARTS = {
    "nothing": b"",
    "half a head": b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ",
    "half a body": UPLOAD + b"Content-Length: 9999\r\n\r\n--x\r\n",
    "half a chunk": UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n99\r\n--x\r\n",
    "a refused head": b"nonsense\r\n\r\n",
    "a body that is refused unread": b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 9999\r\n\r\n",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("slow")
    with running(folder, PUBLIC_RATE="100000/s", INPAINT_MODEL="patchmatch", WEB_THREADS="4") as service:
        yield service


def connect(service: Service, start: bytes) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read stays with the server
    client.settimeout(60)
    client.connect(("127.0.0.1", service.port))
    client.sendall(start)
    return client


def read(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    data = b""
    while piece := client.recv(1 << 16):
        data += piece
    return data


def unanswered(clients: list[socket.socket]) -> int:
    return len(clients) - len(select.select(clients, [], [], 0)[0])


def test_the_next_head_of_a_connection_may_come_in_pieces_too(service: Service) -> None:
    with connect(service, b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as client:
        first = b""
        while not first.endswith(b"}"):
            first += client.recv(1 << 16)
        assert first.startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /health HTTP/1.1\r\n")
        time.sleep(0.2)  # until the server has read so much, and waits
        client.sendall(b"Host: 127.0.0.1\r\nConnection: close\r\n\r\n")

        assert read(client).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("start", STARTS)
def test_it_works(service: Service, start: str) -> None:
    clients = [connect(service, STARTS[start]) for _ in range(SLOW)]
    try:
        for _ in range(3):
            assert requests.get(f"{service.url}/health", timeout=60).json() == {"status": "healthy"}
        # The answers did not wait until the slow ones were given up. Who is refused was answered, and stays.
        assert "refused" in start or unanswered(clients) > SLOW // 2
    finally:
        for client in clients:
            client.close()


def test_health_needs_no_place(service: Service) -> None:
    """Twice as many calls as may be worked on: each that waits for the engine keeps its place."""
    picture = pictures.photo(1000, 800)
    mask = pictures.box_mask(1000, 800, (100, 100, 900, 700))

    def inpaint(_: int) -> int:
        files = {"image": pictures.file(picture), "mask": pictures.file(mask)}
        return requests.post(f"{service.url}/inpaint-multipart", files=files, timeout=300).status_code

    with ThreadPoolExecutor(8) as clients:
        calls = [clients.submit(inpaint, number) for number in range(8)]
        wait(calls, timeout=2, return_when=FIRST_COMPLETED)
        unfinished = sum(not call.done() for call in calls)
        assert requests.get(f"{service.url}/health", timeout=60).json() == {"status": "healthy"}
        assert sum(not call.done() for call in calls) > min(unfinished, 4) - 2
        assert {call.result() for call in calls} <= {200, 429, 503}


def test_results_that_nobody_reads(service: Service, tmp_path: Path) -> None:
    result = service.manage(
        "shell", "--verbosity", "0", "-c",
        "from inpainting import storage; print(storage.put_result(bytes(8 << 20), None).name)",
    )  # fmt: skip
    ask = f"GET /download/{result} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    clients = [connect(service, ask) for _ in range(SLOW)]
    try:
        whole = requests.get(f"{service.url}/download/{result}", timeout=60)
        assert len(whole.content) == 8 << 20
        time.sleep(patience.PAUSE + 2)
        assert len(read(clients[0])) < 8 << 20  # it was given up
    finally:
        for client in clients:
            client.close()


def test_archives_that_nobody_reads(service: Service) -> None:
    """A ZIP is made while it is sent: who does not read it, or a few bytes at a time, is given up."""
    key = {"X-API-Key": service.key()}
    noise = np.random.default_rng(0).integers(0, 256, (1600, 1600, 3), "uint8")
    files = {"images": pictures.file(noise), "mask": pictures.file(pictures.box_mask(1600, 1600))}
    links = requests.post(f"{service.url}/api/v1/batch", files=files, headers=key, timeout=60).json()["links"]
    deadline = time.monotonic() + 60
    while requests.get(links["self"], headers=key, timeout=60).json()["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.2)

    path = links["results"].removeprefix(service.url)
    ask = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key['X-API-Key']}\r\n\r\n".encode()
    clients = [connect(service, ask) for _ in range(8)]
    try:
        whole = requests.get(links["results"], headers=key, timeout=60)
        assert len(whole.content) > 7 << 20
        ends = time.monotonic() + patience.PAUSE + 4
        while time.monotonic() < ends:
            clients[1].recv(patience.SLOWEST // 8)
            time.sleep(0.5)
        for client in clients[:2]:
            assert len(read(client)) < 7 << 20
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("start", ["half a head", "half a body", "half a chunk"])
def test_who_is_too_slow_is_told(service: Service, start: str) -> None:
    with connect(service, STARTS[start]) as client:
        head, _, body = read(client).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["code"] == "request_timeout"


def test_a_client_that_is_slow_enough_is_served(service: Service) -> None:
    """Slower than a second for each part, yet steady: a picture over a bad connection."""
    picture = pictures.file(pictures.photo()).getvalue()
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + picture + b"\r\n--x--\r\n"
    with connect(service, UPLOAD + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)) as client:
        for start in range(0, len(body), len(body) // 6):
            client.sendall(body[start : start + len(body) // 6])
            time.sleep(1)
        assert read(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431, "headers_too_large"),
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nX : a\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nExpect: a\r\n\r\n", 417, "expectation_failed"),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: x, chunked\r\n\r\n", 501, "not_implemented"),
        (UPLOAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "bad_request"),
        (UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n", 400, "bad_request"),
        (b"GET /health HTTP/1.1\r\nSCRIPT_NAME: /a\r\nConnection: close\r\n\r\n", 200, None),
        (
            b"GET /health HTTP/1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\nConnection: close\r\n\r\n",
            200,
            None,
        ),
    ],
)
def test_heads_that_gunicorn_refuses_itself(
    service: Service, request_bytes: bytes, status: int, code: str | None
) -> None:
    with connect(service, request_bytes) as client:
        head, _, body = read(client).partition(b"\r\n\r\n")
    answer = json.loads(body)

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert answer.get("code") == code
    if code:
        assert f"X-Request-Id: {answer['request_id']}" in head.decode()
        assert set(answer) == {"error", "detail", "status_code", "code", "request_id"}


def test_a_one_time_download_that_is_cut_off_is_still_there(service: Service) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1700, 1700, 3), "uint8")  # more than any socket holds by itself
    files = {"image": pictures.file(noise), "mask": pictures.file(pictures.box_mask(1700, 1700))}
    answer = requests.post(f"{service.url}/inpaint-multipart", files=files, data={"expires_in": "0"}, timeout=120)
    address = answer.json()["url"]

    start = f"GET {address.removeprefix(service.url)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with connect(service, start) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")

    assert len(requests.get(address, timeout=60).content) > 1 << 22
    deadline = time.monotonic() + 30  # it goes after the last byte was sent
    while time.monotonic() < deadline and (last := requests.head(address, timeout=60)).status_code == 200:
        time.sleep(0.05)
    assert last.status_code == 404
