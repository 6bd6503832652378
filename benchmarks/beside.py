"""What one picture waits for while a batch runs: `python -m benchmarks.beside [--items 100] [--model lama]`.

The real server, on SQLite, with the worker thread in the web process; LaMa of half the width. One account asks for a
picture at a time by /api/v1/remove-watermark, first alone, then as long as another account's batch of the same picture
runs: each as soon as it has its answer, so that an item always has just begun. What one item takes is the time of a
batch alone, shared out. The goal: at most one item's time more.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from urllib3 import encode_multipart_formdata

from benchmarks import machine, photographs
from benchmarks.load import ask, percentile
from benchmarks.questions import send

SIZE = 1024, 768
ALONE = 20  # pictures


def main() -> None:
    from benchmarks import networks
    from tests.live.service import running

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--model", choices=["lama", "hybrid", "patchmatch"], default="lama")
    options = parser.parse_args()
    print(machine.describe(), "\n")
    with tempfile.TemporaryDirectory() as folder:
        weights = networks.save(networks.calibrated(networks.NARROW), Path(folder) / "narrow.safetensors")
        settings = {**machine.ALLOCATOR, "LAMA_WEIGHTS": str(weights), "OMP_NUM_THREADS": str(os.cpu_count())}
        with running(Path(folder), **settings) as service:
            one = service.key("enterprise")
            many = service.manage("create_api_key", "--email", "many@b.c", "--plan", "enterprise")
            idle, beside, item = measure(service.url, one, many, options.items, options.model)
    print("| one picture | pictures | median s | p95 s | at most s |\n|---|---:|---:|---:|---:|")
    for name, seconds in (("alone", idle), (f"beside a batch of {options.items}", beside)):
        figures = statistics.median(seconds), percentile(seconds, 0.95), max(seconds)
        print(f"| {name} | {len(seconds)} | {' | '.join(f'{each:.2f}' for each in figures)} |")
    print(f"\nOne item of a batch alone takes {item:.2f} s.")


def measure(url: str, one: str, many: str, items: int, model: str) -> tuple[list[float], list[float], float]:
    """Seconds of each picture alone, of each beside the batch, and of one item of a batch alone."""
    photo = photographs.file(photographs.photograph(*SIZE), "JPEG")
    mask = photographs.file(photographs.corner_watermark(*SIZE))
    fields: list[tuple[str, str | tuple[str, bytes]]] = [("mask", ("mask.png", mask)), ("model", model)]

    def clean() -> float:
        body, content_type = encode_multipart_formdata([*fields, ("image", ("a.jpg", photo))])
        started = time.monotonic()
        answer = ask(url, "/api/v1/remove-watermark", body, {"X-API-Key": one, "Content-Type": content_type})
        assert answer.status == 200, answer.status  # noqa: S101 - a benchmark that is refused has nothing to say
        return time.monotonic() - started

    def batch_until_its_end(meanwhile: Callable[[], None]) -> float:
        files = [("images", (f"{number}.jpg", photo)) for number in range(items)]
        body, content_type = encode_multipart_formdata([*fields, *files])
        response, content = send(url, "/api/v1/batch", body, {"X-API-Key": many, "Content-Type": content_type})
        assert response.status == 202, content  # noqa: S101
        started, path = time.monotonic(), f"/api/v1/batch/{json.loads(content)['id']}"
        while True:
            meanwhile()
            status = json.loads(send(url, path, headers={"X-API-Key": many})[1])["status"]
            if status not in ("queued", "running"):
                assert status == "succeeded", status  # noqa: S101
                return time.monotonic() - started

    clean()  # loads the model
    idle, beside = [clean() for _ in range(ALONE)], list[float]()
    item = batch_until_its_end(lambda: time.sleep(0.05)) / items
    batch_until_its_end(lambda: beside.append(clean()))
    return idle, beside, item


if __name__ == "__main__":
    main()
