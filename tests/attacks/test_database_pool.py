"""Clients that do not read their answers hold no connection of PostgreSQL's pool; cookies hold nothing it refuses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import requests

from config.sessions import SessionStore
from tests import pictures
from tests.live import postgres
from tests.live.service import Service, running

SLOW = 30  # the server works on four requests at a time
NUL = '"abcdefghij\\000klmnop"'  # which is read with NUL in it


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("pool")
    with (
        postgres.database() as url,
        running(folder, DATABASE_URL=url, INPAINT_MODEL="patchmatch", WEB_THREADS="4", PUBLIC_RATE="1000/s") as service,
    ):
        service.stop()
        service.manage("collectstatic", "--no-input", "--verbosity", "0")  # pages name them
        service.start()
        yield service


def test_downloads_that_nobody_reads(service: Service) -> None:
    key = service.key()
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3), np.uint8)
    files = {"image": pictures.file(noise), "mask": pictures.file(pictures.box_mask(1200, 1200, (10, 10, 30, 30)))}
    made = requests.post(f"{service.url}/inpaint-multipart", files=files, timeout=60)
    path = made.json()["url"].removeprefix(service.url)

    with ExitStack() as clients:
        for _ in range(SLOW):
            client = clients.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read stays with the server
            client.settimeout(30)
            client.connect(("127.0.0.1", service.port))
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert client.recv(12) == b"HTTP/1.1 200"
        answers = [
            requests.get(f"{service.url}/api/v1/stats", headers={"X-API-Key": key}, timeout=30).status_code
            for _ in range(5)
        ]
    assert answers == [200] * 5


@pytest.mark.parametrize("path", ["/", "/login", "/pricing", "/admin/login/"])
@pytest.mark.parametrize("cookie", ["sessionid", "csrftoken"])
def test_a_cookie_with_nul(service: Service, path: str, cookie: str) -> None:
    answer = requests.get(service.url + path, headers={"Cookie": f"{cookie}={NUL}"}, timeout=30)

    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["", "a" * 31, "A" * 32, "a" * 33, "a" * 31 + "\0"])
def test_what_is_no_session_key(key: str) -> None:
    assert SessionStore(key).session_key is None


def test_what_is_one() -> None:
    assert SessionStore("0a" * 16).session_key == "0a" * 16
