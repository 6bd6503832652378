"""An upgrade without a gap: older code serves on while newer migrations run, then both serve, then the newer alone."""

from __future__ import annotations

import io
import itertools
import subprocess
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests import pictures
from tests.deploy.test_migrations import FIRST
from tests.live import postgres
from tests.live.service import ROOT, Service, running

pytestmark = pytest.mark.slow

NEWEST = 3  # commits of migrations that the upgrade brings; with --long all that keep the rule of test_migrations
PHOTO, MASK = pictures.photo(), pictures.box_mask()
ROUNDS = 4  # of every client in every phase


def commit_before(newest: int | None) -> str:
    """The commit that lacks the newest migrations, so many or all of the rule; skips where the history is not there."""
    paths = [
        str(path.relative_to(ROOT))
        for app, first in FIRST.items()
        for path in (ROOT / app / "migrations").glob("0*.py")
        if int(path.name[:4]) >= first
    ]
    command = ["git", "log", "--format=%H", "--diff-filter=A", "--", *paths]
    added = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False).stdout.split()
    if len(added) < NEWEST:
        pytest.skip("the repository's history is not here")
    return f"{added[newest - 1 if newest else -1]}^"


def check_out(commit: str, folder: Path) -> Path:
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def wait_until_ready(service: Service) -> None:
    """As a balancer does before it sends anything there."""
    deadline = time.monotonic() + 60
    while requests.get(f"{service.url}/readyz", timeout=10).status_code != 200:
        assert time.monotonic() < deadline, service.log.read_text()[-3000:]
        time.sleep(0.1)


class Clients:
    """Customers who ask for all kinds of things, of whichever process the balancer has; what failed."""

    def __init__(self, services: list[Service], key: str) -> None:
        self.services, self.key = services, {"X-API-Key": key}
        self.failed: list[str] = []
        self.rounds: Counter[str] = Counter()
        self._turns = itertools.count()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=[each])
            for each in (self.clean_by_v1, self.clean_by_ids, self.clean_a_batch, self.look)
        ]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def a_phase(self) -> None:
        """Until each has done all its requests so many times more."""
        wanted = {name: self.rounds[name] + ROUNDS for name in ("clean_by_v1", "clean_by_ids", "clean_a_batch", "look")}
        deadline = time.monotonic() + 240
        while any(self.rounds[name] < count for name, count in wanted.items()) and not self.failed:
            assert time.monotonic() < deadline, self.rounds
            time.sleep(0.1)
        assert self.failed == []

    def _repeat(self, act: Callable[[], None]) -> None:
        while not self._ended.is_set() and not self.failed:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - a thread's assertion would go unseen
                self.failed.append(f"{act.__name__}: {error!r}")
            self.rounds[act.__name__] += 1

    def _ask(self, method: str, path: str, **body: object) -> requests.Response:
        services = self.services
        service = services[next(self._turns) % len(services)]
        answer = requests.request(method, service.url + path, headers=self.key, timeout=60, **body)  # type: ignore[arg-type]
        assert answer.status_code < 400, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer

    def clean_by_v1(self) -> None:
        files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
        self._ask("POST", "/api/v1/remove-watermark", files=files)

    def clean_by_ids(self) -> None:
        ids = {
            f"{kind}_id": self._ask("POST", f"/upload-{kind}", files={kind: pictures.file(pixels)}).json()["id"]
            for kind, pixels in (("image", PHOTO), ("mask", MASK))
        }
        result = self._ask("POST", "/inpaint", json=ids).json()["result"]
        self._ask("GET", f"/result/{result}")

    def clean_a_batch(self) -> None:
        files = [("images", pictures.file(PHOTO)), ("images", pictures.file(PHOTO)), ("mask", pictures.file(MASK))]
        batch = self._ask("POST", "/api/v1/batch", files=files).json()["id"]
        while (state := self._ask("GET", f"/api/v1/batch/{batch}").json())["finished_at"] is None:
            time.sleep(0.1)
        assert state["succeeded"] == 2, state

    def look(self) -> None:
        for path in ("/health", "/api/v1/health", "/api/v1/stats", "/api/v1/batch"):
            self._ask("GET", path)


def test_no_request_fails_while_a_newer_version_takes_over(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    newest = None if request.config.getoption("--long") else NEWEST
    old_code = check_out(commit_before(newest), tmp_path / "old")
    for name in ("older", "newer"):
        (tmp_path / name).mkdir()
    env = {"INPAINT_MODEL": "patchmatch", "DATA_DIR": str(tmp_path / "data"), "PUBLIC_RATE": "10000/s"}
    with (
        postgres.database() as url,
        running(tmp_path / "older", old_code, DATABASE_URL=url, **env) as older,
        Clients([older], older.key()) as clients,
    ):
        clients.a_phase()
        newer = Service(tmp_path / "newer", DATABASE_URL=url, **env)  # which migrates
        clients.a_phase()
        newer.start()
        try:
            wait_until_ready(newer)
            clients.services = [older, newer]
            clients.a_phase()
            clients.services = [newer]
            time.sleep(1)  # what was on its way has arrived: preStop of deploy/kubernetes
            older.stop()
            clients.a_phase()
        finally:
            newer.stop()
