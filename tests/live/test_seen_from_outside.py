"""What an operator sees of the real server: metrics of two processes added up, logs, probes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests import pictures
from tests.live.seaweed import free_ports
from tests.live.service import ROOT, Service, running
from tests.live.test_concurrency import children

PHOTO, MASK = pictures.photo(48, 32), pictures.box_mask(48, 32, (20, 10, 26, 16))
FILE_NAME = "holiday-in-the-photograph"
TOKEN = "token-of-prometheus"


class Watched:
    """A service of two processes, and what its internal port tells."""

    def __init__(self, service: Service, port: int) -> None:
        self.service, self.url = service, f"http://127.0.0.1:{port}"
        self.key = service.key()

    def metrics(self) -> dict[str, float]:
        return scraped(self.url)

    def clean(self) -> requests.Response:
        """On a connection of its own: either process may get it."""
        files = {"image": pictures.file(PHOTO, name=FILE_NAME), "mask": pictures.file(MASK, name=FILE_NAME)}
        url = f"{self.service.url}/api/v1/remove-watermark?word=in-the-query"
        return requests.post(url, files=files, headers={"X-API-Key": self.key}, timeout=120)

    def log(self) -> str:
        return self.service.log.read_text()


def scraped(url: str) -> dict[str, float]:
    answer = requests.get(f"{url}/metrics", timeout=60)
    assert answer.status_code == 200, answer.text
    return {
        f"{sample.name}{json.dumps(sample.labels, sort_keys=True)}": sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def named(name: str, **labels: str) -> str:
    return f"object_remover_{name}{json.dumps(labels, sort_keys=True)}"


CLEANED = named("http_requests_total", endpoint="remove_watermark", method="POST", status="200")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    (port,) = free_ports(1)
    with running(
        tmp_path_factory.mktemp("watched"),
        WEB_CONCURRENCY="2",
        METRICS_PORT=str(port),
        METRICS_TOKEN=TOKEN,
        LOG_FORMAT="json",
        INPAINT_MODEL="patchmatch",
        PUBLIC_RATE="10000/s",
    ) as service:
        yield Watched(service, port)


def test_it_works(watched: Watched) -> None:
    before = watched.metrics().get(CLEANED, 0)

    for _ in range(12):
        assert watched.clean().status_code == 200

    told = watched.metrics()
    assert told[CLEANED] == before + 12
    assert told[named("http_request_seconds_count", endpoint="remove_watermark")] == told[CLEANED]
    assert told[named("engine_seconds_count", stage="inpaint", model="patchmatch")] == told[CLEANED]
    assert told[named("engine_waiting", model="patchmatch")] == 0


def test_a_process_that_dies_leaves_its_counts_and_takes_its_memory(watched: Watched) -> None:
    for _ in range(8):
        watched.clean()
    before = watched.metrics()
    first, second = children(watched.service.process.pid)

    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while first in children(watched.service.process.pid) or len(children(watched.service.process.pid)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    watched.clean()
    after = watched.metrics()

    assert after[CLEANED] == before[CLEANED] + 1
    assert named("resident_memory_bytes", pid=str(first)) not in after
    assert after[named("resident_memory_bytes", pid=str(second))] > 1e7


def test_every_line_is_json_and_a_requests_lines_bear_its_id(watched: Watched) -> None:
    answer = watched.clean()
    (line,) = [line for line in _lines(watched) if line.get("request_id") == answer.headers["X-Request-Id"]]

    assert (line["logger"], line["endpoint"], line["method"]) == ("gunicorn.access", "remove_watermark", "POST")
    assert line["status"] == 200
    assert line["account_id"] == 1
    assert line["seconds"] > 0


def test_no_log_tells_pictures_names_queries_keys_or_mailboxes(watched: Watched) -> None:
    stored = requests.post(
        f"{watched.service.url}/inpaint-multipart",
        files={"image": pictures.file(PHOTO, name=FILE_NAME), "mask": pictures.file(MASK)},
        timeout=60,
    ).json()["url"]
    for url in (stored, f"{stored}?word=in-the-query", stored.replace("output_", "output_0")):
        requests.get(url, timeout=60)
    requests.post(f"{watched.service.url}/login", data={"login": "somebody@example.org"}, timeout=60)
    watched.clean()

    log = watched.log()
    assert "download" in log
    for untold in (Path(stored).stem, FILE_NAME, "in-the-query", "somebody@", "a@b.c", watched.key, "PNG", "IHDR"):
        assert untold not in log


def test_probes_answer_on_both_ports(watched: Watched) -> None:
    for url in (watched.url, watched.service.url):
        assert requests.get(f"{url}/livez", timeout=60).json() == {"status": "alive"}
        assert requests.get(f"{url}/readyz", timeout=60).status_code in (200, 503)  # a new process loads its model


def test_the_internal_port_serves_no_pages(watched: Watched) -> None:
    assert requests.get(f"{watched.url}/login", timeout=60).status_code == 404
    assert requests.post(f"{watched.url}/inpaint-multipart", timeout=60).status_code == 404


def test_the_public_port_asks_for_the_token(watched: Watched) -> None:
    url, headers = f"{watched.service.url}/metrics", {"Authorization": f"Bearer {TOKEN}"}
    watched.clean()

    assert requests.get(url, timeout=60).status_code == 401
    assert CLEANED in scraped_with(url, headers)


def test_a_worker_tells_of_itself_on_a_port_of_its_own(watched: Watched) -> None:
    (port,) = free_ports(1)
    env = {**watched.service.env, "METRICS_PORT": str(port)}
    worker = subprocess.Popen([sys.executable, "manage.py", "work"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                told = scraped(f"http://127.0.0.1:{port}")
                break
            except requests.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    finally:
        worker.terminate()
        worker.wait(60)

    assert told[named("batch_items", stage="work", state="queued")] == 0
    assert told[named("resident_memory_bytes")] > 1e7


def scraped_with(url: str, headers: dict[str, str]) -> str:
    """As `scraped` names them, from another port."""
    text = requests.get(url, headers=headers, timeout=60).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return "\n".join(f"{sample.name}{json.dumps(sample.labels, sort_keys=True)}" for sample in samples)


def _lines(watched: Watched) -> list[Any]:
    return [json.loads(line) for line in watched.log().splitlines()]
