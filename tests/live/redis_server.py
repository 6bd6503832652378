"""The Redis of TEST_REDIS_URL, or this machine's."""

import os

import pytest
import redis

URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


def address() -> tuple[str, int]:
    """Its host and port; skips where none answers."""
    client = redis.Redis.from_url(URL, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.ConnectionError:
        pytest.skip("no Redis: set TEST_REDIS_URL")
    where = client.connection_pool.connection_kwargs
    return where["host"], int(where["port"])
