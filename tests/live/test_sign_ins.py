"""Many people who sign in at once: hashing their passwords takes seconds, and nobody else waits for that."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests.live.service import Service, running

PEOPLE = 20
TOKEN = "t" * 32


def sign_in(service: Service, number: int) -> int:
    address = {"X-Forwarded-For": f"192.0.2.{number}", "Referer": service.url}
    form = {"login": f"{number}@example.org", "password": "a wrong one", "csrfmiddlewaretoken": TOKEN}
    return requests.post(
        f"{service.url}/login", data=form, headers=address, cookies={"csrftoken": TOKEN}, timeout=120
    ).status_code


def test_everybody_else_is_served_meanwhile(tmp_path: Path) -> None:
    with running(tmp_path, INPAINT_MODEL="patchmatch", WEB_THREADS="2", TRUSTED_PROXIES="127.0.0.1") as service:
        service.manage("collectstatic", "--no-input", "--verbosity", "0")
        assert sign_in(service, PEOPLE) == 200  # everything is loaded
        with ThreadPoolExecutor(PEOPLE) as pool:
            people = [pool.submit(sign_in, service, number) for number in range(PEOPLE)]
            while not any(each.done() for each in people):
                time.sleep(0.01)
            for _ in range(3):
                assert requests.get(f"{service.url}/api/v1/stats", timeout=60).status_code == 401
            assert sum(not each.done() for each in people) > PEOPLE // 2
            assert {each.result() for each in people} == {200}
