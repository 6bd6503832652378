"""The manual's examples, run as they stand there on a real service. Each skips where its language is not there."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from standardwebhooks import Webhook

from config.manual import LANGUAGES, LOCAL, example
from inpainting.engine.text import detector
from tests import pictures
from tests.live.seaweed import free_ports
from tests.live.service import ROOT, Service

pytestmark = pytest.mark.slow

COMMANDS = {"sh": ["sh"], "py": [sys.executable], "mjs": ["node"], "php": ["php"], "go": ["go", "run"]}
EACH = [
    (name, ending)
    for name in ("remove", "mask", "lettering", "batch", "verify")
    for ending in LANGUAGES
    if ending in example(name)
]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # Standard Webhooks' own example


def program(name: str, ending: str, folder: Path, url: str) -> list[str]:
    """The command that runs the example, with the test's service for its own."""
    command = COMMANDS[ending]
    if shutil.which(command[0]) is None or (ending == "sh" and shutil.which("curl") is None):
        pytest.skip(f"no {command[0] if ending != 'sh' else 'curl'}")
    if ending == "mjs":  # as npm would install it
        (folder / "node_modules").mkdir()
        (folder / "node_modules" / "iopaint-sdk").symlink_to(ROOT / "clients" / "javascript")
    file = folder / f"{name}.{ending}"
    file.write_text(example(name)[ending].replace(LOCAL, url))
    return [*command, str(file)]


@pytest.mark.parametrize(("name", "ending"), [each for each in EACH if each[0] != "verify"])
def test_it_works(name: str, ending: str, folder: Path, service: Service, environment: dict[str, str]) -> None:
    environment |= {"PYTHONPATH": str(ROOT / "clients" / "python" / "src")}
    if name == "lettering":
        if not detector.installed():
            pytest.skip("pip install -r requirements-text.txt")
        (folder / "image.jpg").write_bytes(pictures.file(pictures.lettered()[0], "JPEG").getvalue())
    before = pictures.pixels((folder / "image.jpg").read_bytes())
    command = program(name, ending, folder, service.url)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr + done.stdout
    if name in ("remove", "mask", "lettering"):
        result = pictures.pixels((folder / "result.png").read_bytes())
        assert result.shape == before.shape
        assert name != "lettering" or 0.01 < (result != before).any(axis=2).mean() < 0.5
    elif ending == "sh":
        assert "event: batch" in done.stdout
        assert zipfile.ZipFile(folder / "results.zip").namelist() == ["img1.png", "img2.png"]
    else:
        assert sorted(path.name for path in (folder / "results").iterdir()) == ["img1.png", "img2.png"]


@pytest.mark.parametrize("ending", example("verify"))
def test_a_webhook_is_verified(ending: str, folder: Path) -> None:
    """What is genuine is heard; another secret's signature, and one that is an hour old, are not."""
    [port] = free_ports(1)
    command = program("verify", ending, folder, "")
    if ending == "php":
        command[1:1] = ["-S", f"localhost:{port}"]
    env = os.environ | {"WEBHOOK_SECRET": SECRET, "PORT": str(port)}
    env["PYTHONPATH"] = str(ROOT / "clients" / "python" / "src")
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        send(port, SECRET, patience=60)
        assert send(port, SECRET) < 300
        assert send(port, "whsec_" + "A" * 32) >= 400
        assert send(port, SECRET, age=3600) >= 400
    finally:
        os.killpg(running.pid, 9)  # `go run` has a child
        running.wait(10)


def send(port: int, secret: str, *, age: int = 0, patience: float = 5) -> int:
    """The status that a delivery is answered with; a server that drops the connection refuses it."""
    sent = datetime.fromtimestamp(time.time() - age, UTC)
    body = json.dumps({"type": "webhook.test", "timestamp": sent.isoformat(), "data": {}})
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", sent, body),
    }
    deadline = time.monotonic() + patience
    while True:
        try:
            return requests.post(f"http://localhost:{port}/", data=body, headers=headers, timeout=10).status_code
        except requests.ConnectionError as error:
            if "Connection refused" not in str(error):
                return 500
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
