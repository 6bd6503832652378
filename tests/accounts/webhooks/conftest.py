"""A server that webhooks are sent to, which answers what the test tells it."""

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from tests.web import Web, serving


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Web]:
    settings.FETCH_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    settings.DEBUG = True  # http is enough
    with serving() as web:
        web.put("/hook", b"thanks")
        yield web
