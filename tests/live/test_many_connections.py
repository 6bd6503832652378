"""One client that opens far more connections than there are places: everybody else is served meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
import requests

from tests.live.service import Service, running
from tests.live.test_slow_clients import STARTS, unanswered

PLACES = 60
GREEDY, PROXY, OTHER = "127.0.0.5", "127.0.0.6", "127.0.0.7"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder, places = tmp_path_factory.mktemp("many"), f"--worker-connections {PLACES}"
    more = {"TRUSTED_PROXIES": PROXY, "WEB_THREADS": "4", "GUNICORN_CMD_ARGS": places}
    with running(folder, PUBLIC_RATE="100000/s", INPAINT_MODEL="patchmatch", **more) as service:
        yield service


def connect(service: Service, address: str, count: int, start: bytes = b"") -> list[socket.socket]:
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", service.port), timeout=60, source_address=(address, 0))
        client.sendall(start)
        clients.append(client)
    return clients


@pytest.mark.parametrize("start", ["nothing", "half a head", "half a body", "half a chunk"])
def test_it_works(service: Service, start: str) -> None:
    """Without waiting until any of them is too slow; and whose connection is the only one keeps it."""
    clients = connect(service, GREEDY, 4 * PLACES, STARTS[start])
    (other,) = connect(service, OTHER, 1)
    try:
        for _ in range(3):
            began = time.monotonic()
            assert requests.get(f"{service.url}/health", timeout=60).status_code == 200
            assert time.monotonic() - began < 5
        clients += connect(service, GREEDY, PLACES, STARTS[start])
        assert requests.get(f"{service.url}/health", timeout=60).status_code == 200
        ends = time.monotonic() + 60
        while unanswered(clients) > PLACES + 1 and time.monotonic() < ends:
            time.sleep(0.1)  # who gave way goes when its thread has a turn
        assert 0 < unanswered(clients) <= PLACES + 1
        assert unanswered([other]) == 1
    finally:
        for client in [*clients, other]:
            client.close()


def test_a_proxys_connections_are_many_clients(service: Service) -> None:
    proxied = connect(service, PROXY, PLACES // 2)
    clients = connect(service, GREEDY, 4 * PLACES)
    try:
        assert requests.get(f"{service.url}/health", timeout=60).status_code == 200
        assert unanswered(proxied) == PLACES // 2
    finally:
        for client in [*clients, *proxied]:
            client.close()
