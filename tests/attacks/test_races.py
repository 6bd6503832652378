"""Clients that end one batch twice while they try it again: PostgreSQL lets nobody wait in a circle."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests import pictures
from tests.live import postgres
from tests.live.service import Service, running

ITEMS = 30  # with one mask: whoever deletes that changes them all
PHOTO = pictures.file(pictures.photo(64, 48)).getvalue()
EVERYTHING = pictures.file(pictures.box_mask(64, 48, (0, 0, 64, 48))).getvalue()


@pytest.fixture
def batches(request: pytest.FixtureRequest) -> int:
    return 100 if request.config.getoption("--long") else 10


def send(service: Service, key: str) -> str:
    """The address of a batch of which every picture fails."""
    files = [("images", (f"{number}.png", PHOTO)) for number in range(ITEMS)] + [("mask", ("mask.png", EVERYTHING))]
    answer = requests.post(f"{service.url}/api/v1/batch", headers={"X-API-Key": key}, files=files, timeout=60)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["links"]["self"])


def test_two_deletes_and_a_retry(tmp_path: Path, batches: int) -> None:
    with (
        postgres.database() as url,
        running(tmp_path, DATABASE_URL=url, INPAINT_MODEL="patchmatch") as service,
        ThreadPoolExecutor(12) as clients,
    ):
        headers = {"X-API-Key": service.key()}
        urls = [send(service, headers["X-API-Key"]) for _ in range(batches)]
        while any(requests.get(each, headers=headers, timeout=60).json()["failed"] < ITEMS for each in urls):
            time.sleep(0.2)

        def ask(method: str, url: str) -> int:
            return requests.request(method, url, headers=headers, timeout=120).status_code

        asked = [
            clients.submit(ask, method, url + path)
            for url in urls
            for method, path in (("DELETE", ""), ("POST", "/retry"), ("DELETE", ""))
        ]
        answers = Counter(call.result() for call in asked)
        stats = requests.get(f"{service.url}/api/v1/stats", headers=headers, timeout=60).json()
        while any(requests.get(each, headers=headers, timeout=60).json()["finished_at"] is None for each in urls):
            time.sleep(0.2)

        assert answers[200] == 2 * batches
        assert answers[202] + answers[409] == batches  # a retry that comes last has nothing to retry
        assert "deadlock" not in service.log.read_text()
        assert stats["success"] == 0
