"""Many machines in small: web processes, workers and Celery on PostgreSQL, RabbitMQ and S3, killed all the time.

`--long`: 300 pictures, as the closing demonstration has them. The end is counted, not timed.
"""

from __future__ import annotations

import itertools
import json
import random
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from standardwebhooks import Webhook

from tests import pictures
from tests.live import postgres
from tests.live.gate import Gate, gate
from tests.live.seaweed import seaweed_bucket
from tests.live.service import Service, running
from tests.live.test_batches import Workers, workers
from tests.live.test_celery import BROKERS, CELERY, reachable
from tests.web import Web, serving

PHOTO, MASK = pictures.photo(64, 48), pictures.box_mask(64, 48, (20, 10, 30, 18))
ACCOUNTS = ("a", "b", "c")
KILL_EVERY = 5.0  # seconds
ENV = {"ITEM_LEASE": "5", "DEBUG": "1", "FETCH_ALLOWED_NETWORKS": "127.0.0.0/8"}
LEFT = """
import json
from django.db.models import Count, Sum
from accounts.models import QuotaPeriod, Usage
from inpainting import storage
from inpainting.models import Item, Result, Upload
done = list(Item.objects.filter(state="succeeded").order_by("finished_at").values_list("owner__email", flat=True))
print(json.dumps({
    "states": dict(Item.objects.values_list("state").annotate(Count("pk"))),
    "order": [email[0] for email in done],
    "results": Result.objects.count(),
    "uploads": Upload.objects.count(),
    "charged": Usage.objects.filter(state="succeeded", charged=1).count(),
    "usage": Usage.objects.count(),
    "used": QuotaPeriod.objects.aggregate(used=Sum("used"))["used"],
    "orphans": [
        sorted(storage.names(model) ^ set(model.objects.values_list("name", flat=True))) for model in (Upload, Result)
    ],
}))
"""


class Webs:
    """Web processes on the same data; whoever lives answers."""

    def __init__(self, services: list[Service]) -> None:
        self.services = services

    def ask(self, method: str, path: str, key: str, **body: Any) -> requests.Response:
        """Until one answers what is no 5xx, with one Idempotency-Key: as a careful client does."""
        headers = {"X-API-Key": key, "Idempotency-Key": body.pop("once", "")}
        for service in itertools.cycle(self.services):
            try:
                answer = requests.request(
                    method,
                    f"{service.url}{path}",
                    headers={name: value for name, value in headers.items() if value},
                    timeout=60,
                    **body,
                )
            except requests.RequestException:
                time.sleep(0.2)
                continue
            if answer.status_code < 500 and answer.status_code != 409:
                return answer
            time.sleep(0.5)
        raise AssertionError("unreachable")

    def kill_one(self) -> None:
        service = random.choice(self.services)  # noqa: S311 - no secret
        service.kill()
        service.start()


class Customer:
    """An account that sends batches and is told of every picture."""

    def __init__(self, webs: Webs, web: Web, name: str) -> None:
        self._webs = webs
        self.key = webs.services[0].manage("create_api_key", "--plan", "enterprise", "--email", f"{name}@b.c")
        wanted = {"url": web.put(f"/{name}", b""), "events": ["item.succeeded", "batch.succeeded"]}
        self.secret = webs.ask("POST", "/api/v1/webhooks", self.key, json=wanted).json()["secret"]
        self.batches: list[str] = []

    def submit(self, count: int) -> None:
        files = [("images", pictures.file(PHOTO, name=f"{number}")) for number in range(count)]
        files.append(("mask", pictures.file(MASK)))
        once = f"batch {len(self.batches)}"
        answer = self._webs.ask("POST", "/api/v1/batch", self.key, files=files, once=once)
        assert answer.status_code == 202, answer.text
        self.batches.append(f"/api/v1/batch/{answer.json()['id']}")

    def is_done(self) -> bool:
        states = [self._webs.ask("GET", batch, self.key).json() for batch in self.batches]
        return all(state["finished_at"] for state in states)


class Letters:
    """What every customer's address was told, verified with its own secret."""

    def __init__(self, web: Web, customers: list[Customer]) -> None:
        self._web, self._read = web, 0
        self._verifiers = [Webhook(each.secret) for each in customers]
        self._types: dict[str, str] = {}

    def listen(self) -> Counter[str]:
        """Different events by type, so far. The library refuses signatures older than five minutes: call it often."""
        for head, body in zip(self._web.heads[self._read :], self._web.bodies[self._read :], strict=False):
            request, *lines = head.splitlines()
            headers = dict(each.split(": ", 1) for each in lines if each)
            verifier = self._verifiers[ACCOUNTS.index(request.split()[1].strip("/"))]
            self._types[headers["webhook-id"]] = verifier.verify(body, headers)["type"]
            self._read += 1
        return Counter(self._types.values())


def wreck(webs: Webs, web: Web, pictures_each: int, teams: list[Workers], stopped: list[Gate]) -> Counter[str]:
    """Submit pictures while something is killed or stopped every few seconds; every event that customers were told."""
    customers = [Customer(webs, web, name) for name in ACCOUNTS]
    letters, kills = Letters(web, customers), 0
    victims: list[Webs | Workers] = [webs, *teams]
    for customer in 2 * customers:
        customer.submit(pictures_each // 3)
    for team in 2 * teams:
        team.start()
    deadline = time.monotonic() + 1200
    while stopped or kills < 2 or not all(customer.is_done() for customer in customers):
        assert time.monotonic() < deadline, webs.services[0].log.read_text()[-3000:]
        time.sleep(KILL_EVERY)
        random.choice(victims).kill_one()  # noqa: S311 - no secret
        kills += 1
        if kills == 2:  # accepted once, however often it has to be sent
            for customer in customers:
                customer.submit(pictures_each - 2 * (pictures_each // 3))
        elif stopped:
            dependency = stopped.pop()
            dependency.shut()
            time.sleep(KILL_EVERY)
            dependency.open()
        letters.listen()
    while (told := letters.listen()).total() < len(customers) * (pictures_each + 3):
        assert time.monotonic() < deadline, (told, webs.services[0].log.read_text()[-3000:])
        time.sleep(0.5)
    return told


def check(service: Service, told: Counter[str], pictures_each: int) -> None:
    """Each picture done, charged and told of once; accounts took turns; no row or file is left over."""
    total = len(ACCOUNTS) * pictures_each
    service.manage("sweep")
    left = json.loads(service.manage("shell", "--verbosity", "0", "-c", LEFT))
    first_half = Counter(left.pop("order")[: total // 2])
    assert left == {
        "states": {"succeeded": total},
        "results": total,
        "uploads": 0,
        "charged": total,
        "usage": total,
        "used": total,
        "orphans": [[], []],
    }
    assert told == {"item.succeeded": total, "batch.succeeded": 3 * len(ACCOUNTS)}
    assert min(first_half[name] for name in ACCOUNTS) >= total / 2 / 5, first_half  # a third each would be equal


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    """Pictures of each account."""
    return 100 if request.config.getoption("--long") else 12


def test_many_machines(tmp_path: Path, count: int) -> None:
    broker = urlsplit(BROKERS["rabbitmq"])
    if not reachable(BROKERS["rabbitmq"]):
        pytest.skip("no RabbitMQ: set TEST_RABBITMQ_URL")
    (tmp_path / "s3").mkdir()
    with ExitStack() as running_too:
        url = running_too.enter_context(postgres.database())
        bucket = running_too.enter_context(seaweed_bucket(tmp_path / "s3"))
        s3 = urlsplit(bucket["endpoint_url"])
        messages = running_too.enter_context(gate((str(broker.hostname), broker.port or 5672)))
        files = running_too.enter_context(gate((str(s3.hostname), s3.port or 80)))
        web = running_too.enter_context(serving())
        env = {
            **ENV,
            "DATABASE_URL": url,
            "CELERY_BROKER_URL": broker._replace(netloc=f"guest:guest@127.0.0.1:{messages.port}").geturl(),
            "S3_BUCKET": bucket["bucket_name"],
            "S3_ENDPOINT_URL": f"http://127.0.0.1:{files.port}",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
        }
        first = running_too.enter_context(running(tmp_path, **env))
        second = running_too.enter_context(running(tmp_path, **env, SITE_URL=first.url))
        teams = [running_too.enter_context(workers(first, 0, *command)) for command in ((), CELERY)]
        told = wreck(Webs([first, second]), web, count, teams, [messages, files])
        for team in teams:
            team.stop()
        check(first, told, count)


def test_one_machine(tmp_path: Path, count: int) -> None:
    """SQLite, local files, and the worker in the web process."""
    with serving() as web, running(tmp_path, **ENV) as service:
        told = wreck(Webs([service]), web, count, [], [])
        check(service, told, count)
