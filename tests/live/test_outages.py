"""What is stopped, or hangs, and what each endpoint answers meanwhile: 503 and when to come back, or the usual."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests import pictures
from tests.live import postgres, redis_server
from tests.live.gate import Gate, gate
from tests.live.seaweed import seaweed_bucket
from tests.live.service import Service, running

PHOTO, MASK = pictures.photo(), pictures.box_mask()


def files(*names: str) -> dict[str, Any]:
    return {name: pictures.file(PHOTO if name == "image" else MASK) for name in names}


class House:
    """The service with a gate before each thing it needs."""

    def __init__(self, service: Service, gates: dict[str, Gate]) -> None:
        self.service, self.gates = service, gates
        self.key = service.key()
        self.result = self.send("inpaint-multipart").json()["url"]

    def send(self, endpoint: str) -> requests.Response:
        url, key = f"{self.service.url}/{endpoint}", {"X-API-Key": self.key}
        calls: dict[str, Callable[[], requests.Response]] = {
            "api/v1/remove-watermark": lambda: requests.post(
                url, files=files("image", "mask"), headers=key, timeout=100
            ),
            "api/v1/stats": lambda: requests.get(url, headers=key, timeout=100),
            "inpaint-multipart": lambda: requests.post(url, files=files("image", "mask"), headers=key, timeout=100),
            "upload-image": lambda: requests.post(url, files=files("image"), timeout=100),
            "download": lambda: requests.get(self.result, timeout=100),
            "login": lambda: requests.post(url, timeout=100),
            "health": lambda: requests.get(url, timeout=100),
        }
        return calls[endpoint]()

    def wait_for_health(self, status: int) -> None:
        """Its answer is some seconds old at times."""
        deadline = time.monotonic() + 60
        while (answer := self.send("health").status_code) != status and time.monotonic() < deadline:
            time.sleep(0.1)
        assert answer == status


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    (folder / "s3").mkdir()
    redis = redis_server.address()
    with postgres.database() as url, seaweed_bucket(folder / "s3") as bucket, gate(redis) as cache:
        database, s3 = urlsplit(url), urlsplit(bucket["endpoint_url"])
        with (
            gate((str(database.hostname), database.port or 5432)) as database_gate,
            gate((str(s3.hostname), int(s3.port or 80))) as storage_gate,
            running(
                folder,
                DATABASE_URL=url.replace(f":{database.port or 5432}/", f":{database_gate.port}/"),
                REDIS_URL=f"redis://127.0.0.1:{cache.port}/0",
                S3_BUCKET=bucket["bucket_name"],
                S3_ENDPOINT_URL=f"http://127.0.0.1:{storage_gate.port}",
                AWS_ACCESS_KEY_ID="any",
                AWS_SECRET_ACCESS_KEY="any",
            ) as service,
        ):
            yield House(service, {"database": database_gate, "cache": cache, "storage": storage_gate})


EVERYTHING = {
    "api/v1/remove-watermark": 200,
    "api/v1/stats": 200,
    "inpaint-multipart": 200,
    "upload-image": 200,
    "download": 200,
    "login": 403,  # sent without its token
    "health": 200,
}
DOWN: dict[str, dict[str, int]] = {
    "database": {**dict.fromkeys(EVERYTHING, 503), "login": 403},
    "cache": {**EVERYTHING, "upload-image": 503, "login": 503},
    "storage": {**EVERYTHING, "inpaint-multipart": 503, "upload-image": 503, "download": 503, "health": 503},
}


def test_it_works(house: House) -> None:
    assert {endpoint: house.send(endpoint).status_code for endpoint in EVERYTHING} == EVERYTHING


@pytest.mark.parametrize("how", ["shut", "hang"])
@pytest.mark.parametrize("what", ["database", "cache", "storage"])
def test_down(house: House, what: str, how: str) -> None:
    used = house.send("api/v1/stats").json()["quota"]["used"]
    stopped = house.gates[what]
    getattr(stopped, how)()
    with ThreadPoolExecutor(len(EVERYTHING)) as at_once:
        answers = dict(zip(EVERYTHING, at_once.map(house.send, EVERYTHING), strict=True))
    house.wait_for_health(DOWN[what]["health"])
    stopped.open()

    assert {name: answer.status_code for name, answer in answers.items() if name != "health"} == {
        name: status for name, status in DOWN[what].items() if name != "health"
    }
    for answer in answers.values():
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["X-Request-Id"]
    house.wait_for_health(200)
    done = sum(answers[name].status_code == 200 for name in ("api/v1/remove-watermark", "inpaint-multipart"))
    assert house.send("api/v1/stats").json()["quota"]["used"] == used + done
    assert {endpoint: house.send(endpoint).status_code for endpoint in EVERYTHING} == EVERYTHING
