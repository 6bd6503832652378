"""A service of the tests' own, with the small engine, and a folder with the pictures that examples name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.service import Service, running

from tests import pictures


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service"), PUBLIC_RATE="10000/s") as service:
        yield service


@pytest.fixture(scope="session")
def key(service: Service) -> str:
    return service.key("enterprise")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("image.jpg", "img1.jpg", "img2.jpg"):
        (tmp_path / name).write_bytes(pictures.file(pictures.photo(), "JPEG").getvalue())
    (tmp_path / "mask.png").write_bytes(pictures.file(pictures.box_mask()).getvalue())
    return tmp_path


@pytest.fixture
def environment(service: Service, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """IOPAINT_API_KEY and IOPAINT_BASE_URL."""
    monkeypatch.setenv("IOPAINT_API_KEY", key)
    monkeypatch.setenv("IOPAINT_BASE_URL", service.url)
