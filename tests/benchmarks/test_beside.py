"""That these benchmarks still fit the service, not how fast anything is: on the real one, for seconds."""

from collections.abc import Iterator

import pytest

from benchmarks import beside, slow_clients
from tests.live.service import Service, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("service"), INPAINT_MODEL="patchmatch", PUBLIC_RATE="10000/s") as service:
        yield service


def test_a_picture_beside_a_batch(service: Service) -> None:
    many = service.manage("create_api_key", "--email", "many@b.c", "--plan", "enterprise")
    idle, busy, item = beside.measure(service.url, service.key(), many, items=2, model="patchmatch")

    assert len(idle) == beside.ALONE
    assert len(busy) > 0
    assert 0 < item < 60


@pytest.mark.parametrize("kind", ["none", "half a body", "chunks of a byte, 1,000 at a time"])
def test_slow_clients(service: Service, kind: str) -> None:
    health = slow_clients.measure(service.url, clients=8, kind=kind, seconds=3)

    assert len(health) > 1
    assert max(health) < 60
