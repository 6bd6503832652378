"""Batches through processes that are killed all the time: each picture is done and charged once, nothing is left."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests import pictures
from tests.live.service import ROOT, Service, running

PHOTO, MASK = pictures.photo(48, 32), pictures.box_mask(48, 32, (20, 10, 26, 16))
BATCH, BATCHES = 15, 6
LEFT = """
from django.db.models import Sum
from accounts.models import QuotaPeriod, Usage
from inpainting.models import Item, Result, Upload
done = Item.objects.filter(state="succeeded")
print(done.count(), Result.objects.count(), sum(item.result is not None for item in done), Upload.objects.count(),
      Usage.objects.filter(state="succeeded", charged=1).count(), Usage.objects.count(),
      QuotaPeriod.objects.aggregate(used=Sum("used"))["used"])
"""


class Workers:
    """Processes that work on a service's batches: `manage.py work`, or Celery's."""

    def __init__(self, service: Service, command: list[str]) -> None:
        self._service, self._command = service, command
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        with self._service.log.open("ab") as log:
            process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._service.env, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)

    def kill_one(self) -> None:
        """kill -9, and another in its place."""
        process = self.processes.pop(random.randrange(len(self.processes)))  # noqa: S311 - no secret
        process.kill()
        process.wait(10)
        self.start()

    def stop(self) -> list[int]:
        """SIGTERM to all; their exit statuses."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        return [process.wait(60) for process in self.processes]


@contextmanager
def workers(service: Service, count: int, *command: str) -> Iterator[Workers]:
    started = Workers(service, [sys.executable, *(command or ("manage.py", "work"))])
    for _ in range(count):
        started.start()
    try:
        yield started
    finally:
        for process in started.processes:
            process.kill()
            process.wait(10)


def submit(service: Service, key: str, count: int = BATCH) -> dict[str, Any]:
    files = [("images", pictures.file(PHOTO, name=f"{number}")) for number in range(count)]
    answer = requests.post(
        f"{service.url}/api/v1/batch",
        headers={"X-API-Key": key},
        files=[*files, ("mask", pictures.file(MASK))],
        timeout=120,
    )
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def state(key: str, batch: dict[str, Any]) -> dict[str, Any]:
    return dict(requests.get(batch["links"]["self"], headers={"X-API-Key": key}, timeout=60).json())


def files_in(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_four_workers_and_a_kill_every_second(tmp_path: Path) -> None:
    """On SQLite; on PostgreSQL test_everything_at_once.py does it."""
    with running(tmp_path, ITEM_LEASE="3", INPAINT_MODEL="patchmatch") as service:
        issue = ("create_api_key", "--plan", "enterprise", "--email")
        keys = [service.manage(*issue, f"{name}@b.c") for name in ("a", "b", "c")]
        batches = [(key, submit(service, key)) for _ in range(BATCHES // 3) for key in keys]
        kills = 0
        with workers(service, 4) as working:
            deadline = time.monotonic() + 300
            while any(state(key, batch)["finished_at"] is None for key, batch in batches):
                assert time.monotonic() < deadline, service.log.read_text()[-3000:]
                time.sleep(1)
                working.kill_one()
                kills += 1
            assert set(working.stop()) <= {0, -signal.SIGTERM}  # the second: of one that had not begun
        ends = [state(key, batch) for key, batch in batches]
        service.manage("sweep")
        left = service.manage("shell", "--verbosity", "0", "-c", LEFT)

    total = BATCH * BATCHES
    assert kills
    assert [end["succeeded"] for end in ends] == [BATCH] * BATCHES
    assert [int(number) for number in left.split()] == [total, total, total, 0, total, total, total]
    assert files_in(tmp_path / "data" / "results") == total
    assert files_in(tmp_path / "data" / "uploads") == 0


def test_a_restart_in_the_middle(tmp_path: Path) -> None:
    """SIGTERM: the web process's own worker ends its picture or hands it back; the next process goes on."""
    with running(tmp_path, INPAINT_MODEL="patchmatch") as service:
        key = service.key()
        batch = submit(service, key)
        service.stop()
        service.start()
        deadline = time.monotonic() + 100
        while (now := state(key, batch))["finished_at"] is None:
            assert time.monotonic() < deadline, service.log.read_text()[-3000:]
            time.sleep(0.5)
        left = service.manage("shell", "--verbosity", "0", "-c", LEFT)

    assert (now["status"], now["succeeded"]) == ("succeeded", BATCH)
    assert [int(number) for number in left.split()] == [BATCH, BATCH, BATCH, 0, BATCH, BATCH, BATCH]
