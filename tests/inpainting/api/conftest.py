"""A server with a photograph and its mask, which is where pictures may be fetched from."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from tests import pictures
from tests.web import Web, serving

PHOTO, MASK = (pictures.file(pixels).getvalue() for pixels in (pictures.photo(), pictures.box_mask()))


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    settings.FETCH_ALLOWED_NETWORKS = [ip_network("127.0.0.9")]
    with serving("127.0.0.9") as server:
        server.put("/photo", PHOTO)
        server.put("/mask", MASK)
        yield server
