from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import postgres
from tests.live.service import Service, running


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One running service for the tests of a module that do not stop it."""
    with running(tmp_path_factory.mktemp("service"), PUBLIC_RATE="10000/s") as service:
        yield service


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'db.sqlite3'}"
    else:
        with postgres.database() as url:
            yield url
