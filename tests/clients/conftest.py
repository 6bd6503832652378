"""A service of the tests' own, a key for it, and a folder with the pictures that examples name."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import pictures
from tests.live.service import Service, running
from tests.web import serving


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    hears = {"DEBUG": "true", "FETCH_ALLOWED_NETWORKS": "127.0.0.0/8"}  # webhooks may go to this machine
    with running(tmp_path_factory.mktemp("service"), PUBLIC_RATE="10000/s", **hears) as service:
        yield service


@pytest.fixture(scope="package")
def environment(service: Service) -> Iterator[dict[str, str]]:
    """What a program finds the service and its account by, and WEBHOOK_URL, that answers "thanks" to all it is sent."""
    with serving() as web:
        hook = web.put("/", b"thanks")
        account = {"IOPAINT_BASE_URL": service.url, "IOPAINT_API_KEY": service.key("enterprise")}
        yield {**os.environ, **account, "WEBHOOK_URL": hook}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("image.jpg", "img1.jpg", "img2.jpg"):
        (tmp_path / name).write_bytes(pictures.file(pictures.photo(), "JPEG").getvalue())
    (tmp_path / "mask.png").write_bytes(pictures.file(pictures.box_mask()).getvalue())
    (tmp_path / "black.png").write_bytes(pictures.file(pictures.box_mask() * 0).getvalue())
    return tmp_path
