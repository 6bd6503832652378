"""How the real server does under load: `python -m benchmarks.load [--clients 0 1 8 64] [--seconds 20] [--model lama]`.

gunicorn is started as script/server starts it, on a free port, a temporary database and LaMa of half the width. Clients
send POST /api/v1/remove-watermark with pictures of mixed sizes, one after the other, each on a new connection; after a
503 they wait as Retry-After asks. A process of its own asks /health all the while.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from urllib3 import encode_multipart_formdata

from benchmarks import machine, photographs

SIZES = ((640, 480), (1024, 768), (1600, 1200))
FORMATS = ("png", "jpeg")
HEALTH_EVERY = 0.05  # seconds between two questions
TIMEOUT = 120  # seconds


Requests = list[tuple[bytes, dict[str, str]]]  # bodies and their headers


@dataclass
class Results:
    """What some clients saw."""

    seconds: list[float] = field(default_factory=list)  # of each request that was answered 200
    statuses: Counter[int | str] = field(default_factory=Counter)


def ask(url: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> HTTPResponse:
    """One request on a connection of its own, the answer read to its end."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        connection.request("POST" if body else "GET", path, body, headers or {})
        response = connection.getresponse()
        response.read()
        return response
    finally:
        connection.close()


def prepare(folder: Path | None, model: str, key: str) -> Requests:
    """Every size in every format, with a watermark's mask."""
    made = []
    for number, (width, height) in enumerate(SIZES):
        photo = photographs.photograph(width, height, number, folder)
        mask = photographs.file(photographs.corner_watermark(width, height))
        for format in FORMATS:
            image = photographs.file(photo, format.upper())
            fields: dict[str, str | tuple[str, str | bytes]] = {
                "image": ("image", image),
                "mask": ("mask.png", mask),
                "format": format,
                "model": model,
            }
            body, content_type = encode_multipart_formdata(fields)
            made.append((body, {"X-API-Key": key, "Content-Type": content_type}))
    return made


def work(url: str, requests: Requests, until: float, results: Results) -> None:
    """One client, from now until `until` (time.monotonic)."""
    while time.monotonic() < until:
        body, headers = random.choice(requests)  # noqa: S311 - which picture is next is no secret
        started = time.monotonic()
        try:
            response = ask(url, "/api/v1/remove-watermark", body, headers)
        except (OSError, HTTPException) as error:
            results.statuses[type(error).__name__] += 1
            continue
        results.statuses[response.status] += 1
        if response.status == 200:
            results.seconds.append(time.monotonic() - started)
        elif response.status == 503:
            time.sleep(min(float(response.headers["Retry-After"]), max(0.0, until - time.monotonic())))


def watch_health(url: str, pipe: Connection) -> None:
    """Ask until told to stop; send what each answer took. A process of its own: the clients must not slow it down."""
    seconds = []
    while not pipe.poll(HEALTH_EVERY):
        for path in ("/health", "/api/v1/health"):
            started = time.monotonic()
            status = ask(url, path).status
            seconds.append(time.monotonic() - started if status == 200 else TIMEOUT)
    pipe.send(seconds)


@contextmanager
def health_watched(url: str) -> Iterator[list[float]]:
    """What /health took meanwhile, in seconds: there afterwards."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    watcher = context.Process(target=watch_health, args=(url, theirs))
    watcher.start()
    seconds: list[float] = []
    yield seconds
    ours.send("stop")
    seconds += ours.recv()
    watcher.join()


def run(url: str, requests: Requests, clients: int, seconds: float) -> tuple[Results, list[float]]:
    """So many clients for so long: what they saw, and the times /health took meanwhile."""
    results, until = [Results() for _ in range(clients)], time.monotonic() + seconds
    with health_watched(url) as health:
        threads = [threading.Thread(target=work, args=(url, requests, until, result)) for result in results]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(max(0.0, until - time.monotonic()))  # without clients
    total = Results()
    for result in results:
        total.seconds += result.seconds
        total.statuses += result.statuses
    return total, health


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed; nan of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def peak_memory(master: int) -> float:
    """MiB that gunicorn's worker has held at most."""
    worker, *_ = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    status = dict(line.split(":", 1) for line in Path(f"/proc/{worker}/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def row(clients: int, seconds: float, results: Results, health: list[float], memory: float) -> str:
    times = [1000 * percentile(results.seconds, share) for share in (0.5, 0.95, 0.99)]
    others = {status: count for status, count in results.statuses.items() if status not in (200, 503)}
    cells = [
        str(clients),
        f"{len(results.seconds) / seconds:.2f}",
        *(f"{value:,.0f}" for value in times),
        str(results.statuses[503]),
        ", ".join(f"{count} x {status}" for status, count in others.items()) or "none",
        f"{1000 * statistics.median(health):.1f}",
        f"{1000 * percentile(health, 0.99):.1f}",
        f"{1000 * max(health):.0f}",
        f"{memory:,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


HEADER = (
    "| clients | pictures/s | p50 ms | p95 ms | p99 ms | 503 | other | health p50 ms | p99 ms | max ms | peak MiB |\n"
    "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


def main() -> None:
    from benchmarks import networks
    from tests.live.service import running

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[0, 1, 8, 64], help="0: the idle server.")
    parser.add_argument("--seconds", type=float, default=20, help="How long each number of clients sends.")
    parser.add_argument("--model", choices=["lama", "hybrid", "patchmatch"], default="lama")
    parser.add_argument("--photos", type=Path, help="A folder of photographs to use instead of made ones.")
    options = parser.parse_args()
    print(machine.describe(), "\n", HEADER, sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        weights = networks.save(networks.calibrated(networks.NARROW), Path(folder) / "narrow.safetensors")
        # As script/server sets them; and all cores, whatever this shell says.
        settings = {**machine.ALLOCATOR, "LAMA_WEIGHTS": str(weights)}
        settings["ENGINE_CONCURRENCY"] = "64"  # the clients share an account, and stand for many
        with running(Path(folder), **settings, OMP_NUM_THREADS=str(os.cpu_count())) as service:
            requests = prepare(options.photos, options.model, service.key("enterprise"))
            run(service.url, requests, clients=1, seconds=5)  # loads the model
            for clients in options.clients:
                started = time.monotonic()
                results, health = run(service.url, requests, clients, options.seconds)
                elapsed = time.monotonic() - started  # until the last of those that had begun was answered
                print(row(clients, elapsed, results, health, peak_memory(service.process.pid)), flush=True)


if __name__ == "__main__":
    main()
