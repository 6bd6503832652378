"""Bodies that stop half-way hold no more than UNFINISHED together, and who goes on sending is not cut off for them."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests import pictures, wire
from tests.live import cramped
from tests.live.service import Service, running
from tests.live.test_slow_clients import UPLOAD, connect, read, unanswered

MiB = 1 << 20
HOLDERS = {"a few that hold much": (8, MiB - 4096), "many that hold little": (60, MiB // 8)}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("unfinished")
    worker = "--worker-class tests.live.cramped.CrampedWorker"
    with running(folder, PUBLIC_RATE="100000/s", INPAINT_MODEL="patchmatch", GUNICORN_CMD_ARGS=worker) as service:
        yield service


def hold(service: Service, count: int, size: int) -> list[socket.socket]:
    """So many clients that send so many bytes of a larger body, and then nothing."""
    start = UPLOAD + b"Content-Length: %d\r\n\r\n" % (2 * size)
    start += b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + bytes(size)
    return [connect(service, start) for _ in range(count)]


def noise(side: int) -> bytes:
    return pictures.file(np.random.default_rng(0).integers(0, 256, (side, side, 3), "uint8")).getvalue()


def send_slowly(service: Service, head: bytes, body: bytes, pieces: int) -> bytes:
    """The answer's head to a body that comes in pieces, three a second."""
    with connect(service, head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)) as client:
        for start in range(0, len(body), len(body) // pieces):
            client.sendall(body[start : start + len(body) // pieces])
            time.sleep(0.3)
        return read(client).partition(b"\r\n")[0]


@pytest.mark.parametrize("holders", HOLDERS)
def test_uploads_that_come_in_pieces(service: Service, holders: str) -> None:
    """While others hold all that may be held, and more of them come."""
    clients = hold(service, *HOLDERS[holders])
    time.sleep(3)
    body = wire.multipart((b'name="image"; filename="a.png"', noise(280)))
    try:
        with ThreadPoolExecutor(3) as pool:
            uploads = [pool.submit(send_slowly, service, UPLOAD, body, 10) for _ in range(3)]
            time.sleep(1)
            clients += hold(service, *HOLDERS[holders])
            assert {upload.result() for upload in uploads} == {b"HTTP/1.1 200 OK"}
        assert unanswered(clients) * HOLDERS[holders][1] <= 2 * cramped.UNFINISHED  # the last have just come
        assert unanswered(clients) > 0
    finally:
        for client in clients:
            client.close()


@pytest.mark.parametrize("holders", [None, *HOLDERS])
def test_a_body_of_more_than_all_may_hold(service: Service, holders: str | None) -> None:
    """A batch, slower than the server reads it, alone and while others hold what may be held."""
    head = UPLOAD.replace(b"/upload-image", b"/api/v1/batch") + f"X-API-Key: {service.key()}\r\n".encode()
    parts = [(b'name="images"; filename="%d.png"' % number, noise(700)) for number in range(6)]
    body = wire.multipart(*parts)
    assert len(body) > 2 * cramped.UNFINISHED
    clients = hold(service, *HOLDERS[holders]) if holders else []
    try:
        assert send_slowly(service, head, body, 20) == b"HTTP/1.1 202 Accepted"
    finally:
        for client in clients:
            client.close()
