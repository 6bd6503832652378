"""What /health takes while slow clients hold connections: `python -m benchmarks.slow_clients [--clients 200]`.

The real server, and by turns as many clients of each kind: some are slow, some send their bytes in crumbs as fast as
they are taken. A process of its own asks /health all the while. The goal: p99 under 100 ms.
"""

from __future__ import annotations

import argparse
import multiprocessing
import selectors
import socket
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import machine
from benchmarks.load import health_watched, percentile

SECONDS = 15.0  # for each kind
HEAD = b"POST /upload-image HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
LENGTH, CHUNKED = HEAD + b"Content-Length: 999999\r\n\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
# What a client sends at once, what it sends again and again, and the seconds between.
KINDS: dict[str, tuple[bytes, bytes, float]] = {
    "none": (b"", b"", 1),
    "nothing sent": (b"", b"", 1),
    "half a head": (b"GET /health HTTP/1.1\r\nX-Long: ", b"", 1),
    "a head, a byte each 0.1 s": (b"GET /health HTTP/1.1\r\nX-Long: ", b"a", 0.1),
    "a head, bytes as fast as it goes": (b"GET /health HTTP/1.1\r\nX-Long: ", b"a", 0),
    "half a body": (LENGTH + b"--x\r\n", b"", 1),
    "a body, a byte each 0.1 s": (LENGTH, b"a", 0.1),
    "a body, bytes as fast as it goes": (LENGTH, b"a", 0),
    "chunks of a byte each 0.1 s": (CHUNKED, b"1\r\na\r\n", 0.1),
    "chunks of a byte, as fast as it goes": (CHUNKED, b"1\r\na\r\n", 0),
    "chunks of a byte, 1,000 at a time": (CHUNKED, 1000 * b"1\r\na\r\n", 0),
}


def attack(url: str, clients: int, kind: str, until: float) -> None:
    """So many clients of a kind until then (time.monotonic), each connected again when it is given up.

    A process of its own: neither the watcher nor this program must be slowed down by it.
    """
    start, again, every = KINDS[kind]
    address = urlsplit(url)
    selector = selectors.DefaultSelector()

    def connect() -> None:
        client = socket.create_connection((address.hostname, address.port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(start)
        client.setblocking(False)
        selector.register(client, selectors.EVENT_READ | (selectors.EVENT_WRITE if again else 0))

    for _ in range(clients if kind != "none" else 0):
        connect()
    while time.monotonic() < until:
        for key, events in selector.select(0.1):
            client = key.fileobj
            assert isinstance(client, socket.socket)  # noqa: S101 - nothing else is registered
            try:
                if events & selectors.EVENT_READ and not client.recv(1 << 16):
                    raise ConnectionResetError
                if events & selectors.EVENT_WRITE:
                    client.send(again)
            except BlockingIOError:
                continue
            except OSError:
                selector.unregister(client)
                client.close()
                connect()
        time.sleep(every if again else 0)


def measure(url: str, clients: int, kind: str, seconds: float) -> list[float]:
    """Seconds that each answer of /health took."""
    context = multiprocessing.get_context("spawn")
    attackers = context.Process(target=attack, args=(url, clients, kind, time.monotonic() + seconds))
    attackers.start()
    time.sleep(2)  # until they are connected
    with health_watched(url) as health:
        attackers.join()
    return health


def main() -> None:
    from tests.live.service import running

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="For each kind.")
    options = parser.parse_args()
    print(machine.describe(), "\n")
    print(f"| {options.clients} clients | /health p50 ms | p99 ms | max ms |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        settings = {**machine.ALLOCATOR, "INPAINT_MODEL": "patchmatch", "PUBLIC_RATE": "100000/s"}
        with running(Path(folder), **settings) as service:
            for kind in options.kinds:
                health = measure(service.url, options.clients, kind, options.seconds)
                times = percentile(health, 0.5), percentile(health, 0.99), max(health)
                print(f"| {kind} | {' | '.join(f'{1000 * each:.1f}' for each in times)} |", flush=True)


if __name__ == "__main__":
    main()
