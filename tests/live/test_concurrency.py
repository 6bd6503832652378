"""Limits under many requests at once, through the real server: several processes on one database."""

import math
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests import pictures
from tests.live.service import running

PHOTO, MASK = pictures.photo(48, 32), pictures.box_mask(48, 32, (20, 10, 26, 16))
CLIENTS, QUOTA = 64, 20
SET_QUOTA = f"from accounts.models import Plan; Plan.objects.filter(slug='enterprise').update(quota={QUOTA})"


def test_64_threads_against_a_quota_of_20(tmp_path: Path, database_url: str) -> None:
    # Room for all of them, so that the quota alone decides.
    with running(
        tmp_path, DATABASE_URL=database_url, ENGINE_QUEUE="64", ENGINE_CONCURRENCY="64", WEB_THREADS="64"
    ) as service:
        key = service.key()
        service.manage("shell", "-c", SET_QUOTA)

        def send(number: int) -> str:
            response = clean(service.url, key)
            return "ok" if response.ok else str(response.json()["code"])

        with ThreadPoolExecutor(CLIENTS) as clients:
            answers = Counter(clients.map(send, range(CLIENTS)))
        stats = requests.get(f"{service.url}/api/v1/stats", headers={"X-API-Key": key}, timeout=60).json()

    assert answers == {"ok": QUOTA, "quota_exceeded": CLIENTS - QUOTA}
    assert (stats["quota"]["used"], stats["success"]) == (QUOTA, QUOTA)


def test_400_requests_against_a_bucket_in_4_processes(tmp_path: Path, database_url: str) -> None:
    """A burst of 100, refilled by one a minute: 100 pass, and one more for each whole minute that the run took."""
    burst, requests_sent = 100, 400
    limit = {"requests_per_minute": 1, "burst": burst}
    with running(tmp_path, DATABASE_URL=database_url, WEB_CONCURRENCY="4", INPAINT_MODEL="patchmatch") as service:
        key = service.key()
        service.manage(
            "shell", "-c", f"from accounts.models import Plan; Plan.objects.filter(slug='enterprise').update(**{limit})"
        )
        local = threading.local()

        def send(number: int) -> tuple[int, str]:
            if not hasattr(local, "session"):
                local.session = requests.Session()
            answer = local.session.get(f"{service.url}/api/v1/stats", headers={"X-API-Key": key}, timeout=120)
            return answer.status_code, answer.headers["X-RateLimit-Limit"]

        started = time.monotonic()
        with ThreadPoolExecutor(16) as clients:
            answers = Counter(clients.map(send, range(requests_sent)))
        refills = math.floor((time.monotonic() - started) / 60)
        workers = len(children(service.process.pid))

    assert workers == 4
    passed = answers[200, "1"]
    assert burst <= passed <= burst + refills
    assert answers[429, "1"] == requests_sent - passed


def test_quota_and_grants_in_4_processes(tmp_path: Path, database_url: str) -> None:
    """A quota of 5, grants of 7 and 4, one expired: 16 of 40 pictures, unit by unit."""
    give = (
        "from datetime import timedelta; from django.utils import timezone; from accounts.models import *; "
        "Plan.objects.filter(slug='enterprise').update(quota=5); user = User.objects.get(); now = timezone.now(); "
        "QuotaGrant.objects.create(user=user, units=7, reason='x', expires_at=now + timedelta(days=1)); "
        "QuotaGrant.objects.create(user=user, units=4, reason='x'); "
        "QuotaGrant.objects.create(user=user, units=9, reason='x', expires_at=now)"
    )
    answers, quota = clean_forty(tmp_path, database_url, give, told="X-Quota-Limit")

    assert answers == {"200 16": 16, "429 16": 24}
    assert (quota["limit"], quota["used"], quota["remaining"]) == (16, 16, 0)


def test_pictures_of_three_units_in_4_processes(tmp_path: Path, database_url: str) -> None:
    """Of 5 units of the quota and 7 and 4 of grants five pictures of 3 are paid, and one unit is left."""
    give = (
        "from accounts.models import *; user = User.objects.get(); plan = Plan.objects.get(slug='enterprise'); "
        "plan.quota = 5; plan.save(); PlanModel.objects.create(plan=plan, model='patchmatch', units=3); "
        "QuotaGrant.objects.create(user=user, units=7, reason='x'); "
        "QuotaGrant.objects.create(user=user, units=4, reason='x')"
    )
    answers, quota = clean_forty(tmp_path, database_url, give, told="X-Credits-Charged")

    assert answers == {"200 3": 5, "429 None": 35}
    assert (quota["limit"], quota["used"], quota["remaining"]) == (16, 15, 1)


def clean_forty(folder: Path, database_url: str, give: str, *, told: str) -> tuple[Counter[str], dict[str, Any]]:
    """40 pictures by 16 clients of 4 processes, after `give` ran: the answers by status and header, then the quota."""
    with running(
        folder,
        DATABASE_URL=database_url,
        WEB_CONCURRENCY="4",
        INPAINT_MODEL="patchmatch",
        ENGINE_QUEUE="64",
        ENGINE_CONCURRENCY="64",
    ) as service:
        key = service.key()
        service.manage("shell", "-c", give)

        def send(number: int) -> str:
            response = clean(service.url, key)
            return f"{response.status_code} {response.headers.get(told)}"

        with ThreadPoolExecutor(16) as clients:
            answers = Counter(clients.map(send, range(40)))
        stats = requests.get(f"{service.url}/api/v1/stats", headers={"X-API-Key": key}, timeout=60).json()
    return answers, stats["quota"]


def clean(url: str, key: str) -> requests.Response:
    return requests.post(
        f"{url}/api/v1/remove-watermark",
        headers={"X-API-Key": key},
        files={"image": pictures.file(PHOTO), "mask": pictures.file(MASK)},
        timeout=120,
    )


def children(pid: int) -> list[int]:
    """The processes that a process has started, where the system tells (Linux)."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
