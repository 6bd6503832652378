"""Limits under many requests at once, through the real server."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from tests import pictures
from tests.live.service import running

PHOTO, MASK = pictures.photo(48, 32), pictures.box_mask(48, 32, (20, 10, 26, 16))
CLIENTS, QUOTA = 64, 20
SET_QUOTA = f"from accounts.models import Plan; Plan.objects.filter(slug='enterprise').update(quota={QUOTA})"


def test_64_threads_against_a_quota_of_20(tmp_path: Path, database_url: str) -> None:
    # Room for all of them, so that the quota alone decides.
    with running(tmp_path, DATABASE_URL=database_url, ENGINE_QUEUE="64", WEB_THREADS="64") as service:
        key = service.key()
        service.manage("shell", "-c", SET_QUOTA)

        def send(number: int) -> str:
            response = requests.post(
                f"{service.url}/api/v1/remove-watermark",
                headers={"X-API-Key": key},
                files={"image": pictures.file(PHOTO), "mask": pictures.file(MASK)},
                timeout=120,
            )
            return "ok" if response.ok else str(response.json()["code"])

        with ThreadPoolExecutor(CLIENTS) as clients:
            answers = Counter(clients.map(send, range(CLIENTS)))
        stats = requests.get(f"{service.url}/api/v1/stats", headers={"X-API-Key": key}, timeout=60).json()

    assert answers == {"ok": QUOTA, "quota_exceeded": CLIENTS - QUOTA}
    assert (stats["quota"]["used"], stats["success"]) == (QUOTA, QUOTA)
