"""Limits per address are exact over processes: in the disk cache, and in Redis where one runs."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django_ratelimit.core import _get_window

from tests.live.service import ROOT, SECRET_KEY

ADDRESS, LIMIT, PERIOD = "203.0.113.9", 30, 3600
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
# What the throttle and the forms do for each request.
REQUESTS = """
import sys
import django
django.setup()
from django.test import RequestFactory
from django_ratelimit.core import get_usage
passed = 0
for _ in range(25):
    request = RequestFactory().post("/inpaint", REMOTE_ADDR=sys.argv[1])
    passed += not get_usage(request, group=sys.argv[2], key="ip", rate="30/h", increment=True)["should_limit"]
print(passed)
"""


@pytest.fixture(params=["disk", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    if request.param == "disk":
        yield {}
        return
    server = redis.Redis.from_url(REDIS, socket_connect_timeout=3)
    try:
        server.ping()
    except redis.RedisError:
        pytest.skip("no Redis: set TEST_REDIS_URL")
    yield {"REDIS_URL": REDIS}


def test_it_works(tmp_path: Path, cache: dict[str, str]) -> None:
    group = uuid.uuid4().hex
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": SECRET_KEY, **cache}
    env["DATA_DIR"] = str(tmp_path)
    began = _get_window(ADDRESS, PERIOD)
    command = [sys.executable, "-c", REQUESTS, ADDRESS, group]
    processes = [subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE) for _ in range(4)]
    passed = sum(int(process.communicate()[0]) for process in processes)

    if time.time() > began:
        pytest.skip("an hour ended while this ran, and with it the count")
    assert passed == LIMIT
