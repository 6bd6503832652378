"""The real service for tests: gunicorn with config/gunicorn.py, in processes of its own, on a free port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from tests.live.seaweed import free_ports

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "a secret of the tests, longer than fifty characters, 0123456789"


class Service:
    """Starts, stops, kills; runs manage.py on the same data. `code`: another version's."""

    def __init__(self, folder: Path, code: Path = ROOT, /, **env: str) -> None:
        self.checkout = code
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            "SITE_URL": self.url,
            "SECRET_KEY": SECRET_KEY,
            "OMP_NUM_THREADS": "1",
            **env,
        }
        self.manage("migrate", "--verbosity", "0")

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=self.checkout, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def key(self, plan: str = "enterprise") -> str:
        return self.manage("create_api_key", "--email", "a@b.c", "--plan", plan)

    def start(self) -> None:
        gunicorn = [str(Path(sys.executable).parent / "gunicorn"), "--config", "config/gunicorn.py", "config.wsgi"]
        with self.log.open("ab") as log:
            # A group of its own: kill() must reach the workers too.
            self.process = subprocess.Popen(
                gunicorn, cwd=self.checkout, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(requests.ConnectionError, requests.Timeout):
                requests.get(f"{self.url}/health", timeout=10)
                return
            time.sleep(0.02)
        if self.process.poll() is None:
            self.kill()
        raise AssertionError(f"the service did not start: {self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(90)

    def kill(self) -> None:
        """kill -9, master and worker at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def running(folder: Path, code: Path = ROOT, /, **env: str) -> Iterator[Service]:
    service = Service(folder, code, **env)
    service.start()
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()
