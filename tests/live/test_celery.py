"""Batches that Celery brings to workers, through RabbitMQ and Redis; a worker that is killed, a broker that is away."""

import os
import time
from pathlib import Path

import pytest
from kombu.connection import Connection

from tests.live.service import running
from tests.live.test_batches import BATCH, LEFT, state, submit, workers

BROKERS = {
    "rabbitmq": os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
    "redis": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9"),
}
CELERY = ("-m", "celery", "-A", "config.celery", "worker", "--pool", "threads", "--concurrency", "1")
ENV = {"ITEM_LEASE": "3", "INPAINT_MODEL": "patchmatch"}


def reachable(url: str) -> bool:
    with Connection(url, connect_timeout=2) as connection:  # type: ignore[no-untyped-call]
        try:
            connection.connect()
        except connection.connection_errors:
            return False
        return True


def test_a_batch_is_done_though_a_worker_is_killed(tmp_path: Path) -> None:
    """Through Redis; test_everything_at_once.py goes through RabbitMQ."""
    url = BROKERS["redis"]
    if not reachable(url):
        pytest.skip("no Redis: set TEST_REDIS_URL")
    with running(tmp_path, CELERY_BROKER_URL=url, **ENV) as service, workers(service, 2, *CELERY) as working:
        key = service.key()
        batch = submit(service, key)
        deadline = time.monotonic() + 200
        while state(key, batch)["succeeded"] < 5:
            assert time.monotonic() < deadline, service.log.read_text()[-3000:]
            time.sleep(0.2)
        working.kill_one()
        while state(key, batch)["finished_at"] is None:
            assert time.monotonic() < deadline, service.log.read_text()[-3000:]
            time.sleep(0.5)
        service.manage("sweep")
        left = service.manage("shell", "--verbosity", "0", "-c", LEFT)

    assert [int(number) for number in left.split()] == [BATCH, BATCH, BATCH, 0, BATCH, BATCH, BATCH]


def test_a_broker_that_is_away_delays_the_wake_up_alone(tmp_path: Path) -> None:
    with running(tmp_path, CELERY_BROKER_URL="redis://127.0.0.1:1/0", **ENV) as service:
        key = service.key()
        batch = submit(service, key, 2)
        assert "the broker cannot be reached" in service.log.read_text()
        assert state(key, batch)["status"] == "queued"
        with workers(service, 1):  # manage.py work, which needs no broker
            deadline = time.monotonic() + 100
            while state(key, batch)["finished_at"] is None:
                assert time.monotonic() < deadline, service.log.read_text()[-3000:]
                time.sleep(0.5)

    assert batch["total"] == 2
