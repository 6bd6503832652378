"""deploy/ as it is used: the image is built, compose brings all services up, pictures are cleaned over HTTPS.

Takes minutes, a Docker daemon and docker compose: `DOCKER_HOST=… pytest tests/deploy/test_containers.py --long`.
Where no registry of images is reached, run tests/deploy/stand_ins/make first, with a daemon of your own that leaves the
machine's network alone:

    apt-get install docker.io debootstrap
    dockerd --iptables=false --bridge=none --data-root /tmp/kit/data --exec-root /tmp/kit/run --pidfile /tmp/kit/pid \
        --host unix:///tmp/kit/docker.sock
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from tests import pictures
from tests.live.seaweed import free_ports
from tests.live.service import ROOT
from tests.web import certificate

pytestmark = pytest.mark.slow

PHOTO, MASK = pictures.photo(), pictures.box_mask()
# Ports of this machine that are free, and a build that reaches packages without a bridge of Docker's.
OVERRIDE = """
services:
  migrate: {{build: {{network: host}}}}
  nginx: {{ports: !override ["127.0.0.1:{http}:80", "127.0.0.1:{https}:443"]}}
"""


class Kit:
    """compose in a copy of the working tree, filled in as its first lines say."""

    def __init__(self, folder: Path) -> None:
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        for name in names.split("\0")[:-1]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        self.http, https = free_ports(2)
        self.folder, self.url = folder / "deploy/compose", f"https://localhost:{https}"
        env = (self.folder / ".env.example").read_text().replace("https://pictures.example", self.url)
        env = re.sub(
            r"^(\w+)=$", r"\1=Secret0of0the0test0longer0than0fifty0characters0as0it0should", env, flags=re.MULTILINE
        )
        (self.folder / ".env").write_text(env)
        s3 = (self.folder / "s3.json.example").read_text()
        for name, value in re.findall(r"^(S3_\w+)=(.*)$", env, re.MULTILINE):
            s3 = s3.replace(f"{name} of .env", value)
        (self.folder / "s3.json").write_text(s3)
        (self.folder / "tls").mkdir()
        self.certificate = certificate(self.folder / "tls", "localhost")
        for name in ("fullchain.pem", "privkey.pem"):
            shutil.copy(self.certificate, self.folder / "tls" / name)
        (self.folder / "override.yaml").write_text(OVERRIDE.format(http=self.http, https=https))

    def compose(self, *arguments: str, fails: bool = False) -> str:
        files = ["--file", "compose.yaml", "--file", "override.yaml", "--project-name", "object-remover-test"]
        done = subprocess.run(
            ["docker", "compose", *files, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode != 0) == fails, done.stdout[-2000:] + done.stderr[-3000:]
        return done.stdout

    def ask(self, method: str, path: str, key: str = "", **body: object) -> requests.Response:
        answer = requests.request(
            method,
            self.url + path,
            headers={"X-API-Key": key} if key else {},
            verify=str(self.certificate),
            timeout=60,
            **body,  # type: ignore[arg-type]
        )
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer

    def containers(self, service: str) -> list[str]:
        return self.compose("ps", "--all", "--quiet", service).split()


def inspected(container: str, template: str) -> object:
    done = subprocess.run(
        ["docker", "inspect", "--format", f"{{{{json {template}}}}}", container], capture_output=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def kit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    if not request.config.getoption("--long"):
        pytest.skip("takes minutes: --long")
    for question in (["docker", "info"], ["docker", "compose", "version"]):
        if not shutil.which("docker") or subprocess.run(question, capture_output=True, check=False).returncode:
            pytest.skip(f"no Docker: {' '.join(question)} fails")
    kit = Kit(tmp_path_factory.mktemp("kit"))
    try:
        kit.compose("build", "migrate")  # the image of all that run the service
        kit.compose("up", "--detach", "--wait", "--wait-timeout", "600", "--scale", "web=2", "--scale", "worker=2")
        yield kit
    finally:
        kit.compose("down", "--volumes")


@pytest.fixture(scope="module")
def key(kit: Kit) -> str:
    made = kit.compose(
        "exec", "-T", "web", *["python", "manage.py", "create_api_key", "--email", "a@b.c", "--plan", "enterprise"]
    )
    return made.split()[-1]


def clean(kit: Kit) -> str:
    files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
    return f"/result/{kit.ask('POST', '/inpaint-multipart', files=files).json()['result']}"


def test_a_picture_is_cleaned_and_downloaded_over_https(kit: Kit) -> None:
    result = kit.ask("GET", clean(kit)).content

    np.testing.assert_array_equal(pictures.pixels(result)[MASK == 0], PHOTO[MASK == 0])


def test_pages_and_their_static_files_come_through_nginx(kit: Kit) -> None:
    page = kit.ask("GET", "/")
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)

    assert found
    for path in found:
        assert "immutable" in kit.ask("GET", path).headers["Cache-Control"]
    plain = requests.get(f"http://localhost:{kit.http}/docs", allow_redirects=False, timeout=10)
    assert (plain.status_code, plain.headers["Location"]) == (308, "https://localhost/docs")


def test_workers_do_a_batch(kit: Kit, key: str) -> None:
    files = [("images", pictures.file(PHOTO)) for _ in range(4)]
    batch = kit.ask("POST", "/api/v1/batch", key, files=[*files, ("mask", pictures.file(MASK))]).json()["id"]
    deadline = time.monotonic() + 120
    while (state := kit.ask("GET", f"/api/v1/batch/{batch}", key).json())["finished_at"] is None:
        assert time.monotonic() < deadline, kit.compose("logs", "worker")[-3000:]
        time.sleep(0.5)

    assert state["succeeded"] == 4


def test_the_service_has_no_rights_and_its_code_cannot_be_written(kit: Kit) -> None:
    for service in ("web", "worker"):
        status = kit.compose("exec", "-T", service, "cat", "/proc/self/status")
        assert re.search(r"^Uid:\s+10001\s", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
        kit.compose("exec", "-T", service, "touch", "/app/written", fails=True)
        kit.compose("exec", "-T", service, "touch", "/data/written")


def test_no_secret_is_in_the_image(kit: Kit) -> None:
    there = kit.compose(
        "exec", "-T", "web", "find", "/app", "-name", ".env", "-o", "-name", "s3.json", "-o", "-name", "*.pem"
    )

    assert [path for path in there.split() if "/site-packages/" not in path] == []


def test_a_dump_of_the_database_is_taken_as_the_manual_says(kit: Kit, key: str) -> None:
    dump = kit.compose("exec", "-T", "postgres", "pg_dump", "-U", "app", "--no-owner", "app")

    assert "a@b.c" in dump


def test_nginx_goes_on_with_the_other_web_process(kit: Kit) -> None:
    first, second = kit.containers("web")
    subprocess.run(["docker", "kill", first], capture_output=True, check=True)

    for _ in range(10):
        kit.ask("GET", clean(kit))
    assert inspected(second, ".State.Health.Status") == "healthy"


def test_services_stop_in_order_when_they_are_asked(kit: Kit) -> None:
    containers = [kit.containers("web")[1], *kit.containers("worker")]
    kit.compose("stop", "web", "worker")

    assert {inspected(container, ".State.ExitCode") for container in containers} == {0}
