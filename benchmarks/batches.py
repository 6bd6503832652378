"""What a long line of batches costs: `python -m benchmarks.batches [--database postgres://…] [--plans]`.

Rows alone, on an empty database of the run's own: claiming the next item, and the pages of the API's lists.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks import machine

ACCOUNTS, REPEATS = 10, 50


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--database", help="an empty database; SQLite in a temporary folder without it")
    arguments.add_argument("--items", type=int, default=10_000)
    arguments.add_argument("--addresses", action="store_true", help="all pictures are still to be fetched")
    arguments.add_argument("--plans", action="store_true", help="show how the database goes about each query")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _set_up(folder, options.database)
        key = _fill(options.items, address="https://example.org/a.jpg" if options.addresses else "")
        _measure(key, plans=options.plans)


def _set_up(folder: str, database: str | None) -> None:
    os.environ.update(DJANGO_SETTINGS_MODULE="config.settings", DATA_DIR=folder)
    os.environ["DATABASE_URL"] = database or f"sqlite:///{folder}/db.sqlite3"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _fill(items: int, address: str) -> str:
    """An account's key. A tenth of the items is one batch, the others are batches of 100; nothing has been done yet."""
    from django.db import connection
    from django.utils import timezone

    from accounts.models import ApiKey, Plan, Subscription, User
    from inpainting.models import Batch, Item, Line

    secret = ""
    for number in range(ACCOUNTS):
        user = User.objects.create_user(f"{number}@example.org")
        Subscription.objects.create(user=user, plan=Plan.objects.get(slug="enterprise"))
        Line.objects.create(owner=user)
        secret = ApiKey.objects.issue(user, "benchmark")[1]
        share = items // ACCOUNTS
        for size in [share] if number == 0 else [100] * (share // 100):
            batch = Batch.objects.create(owner=user, expires_at=timezone.now(), request_id="0" * 32, endpoint="/")
            Item.objects.bulk_create(
                Item(batch=batch, owner=user, index=index, name=f"{index}.png", options={}, image_url=address)
                for index in range(size)
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return secret


def _measure(secret: str, *, plans: bool) -> None:
    from django.db import connection
    from django.test import Client

    from inpainting.batches import claims
    from inpainting.batches.models import Batch

    client = Client(headers={"X-API-Key": secret, "Host": "localhost"})
    batch = Batch.objects.order_by("created_at").first()
    own = Batch.objects.order_by("-created_at").first()
    assert batch is not None  # noqa: S101 - both were made above
    assert own is not None  # noqa: S101
    print(machine.describe(), connection.vendor)
    calls: dict[str, Callable[[], Any]] = {
        "claim": lambda: claims.claim_next(claims.WORK),
        "claim, and read it": claims.claim,
        "claim of an address": lambda: claims.claim(claims.FETCH),
        "look of an idle worker": claims.anything_waits,
        "GET /api/v1/batch": lambda: client.get("/api/v1/batch"),
        "GET /api/v1/batch/{id}": lambda: client.get(f"/api/v1/batch/{own.pk}"),
        "GET …/items": lambda: client.get(f"/api/v1/batch/{own.pk}/items"),
    }
    for name, call in calls.items():
        busy, whole = [], []
        for _ in range(REPEATS):
            cpu, start = time.process_time(), time.perf_counter()
            call()
            busy.append(1000 * (time.process_time() - cpu))
            whole.append(1000 * (time.perf_counter() - start))
        took = f"{statistics.median(whole):7.2f} ms, at least {min(whole):7.2f} ms, at most {max(whole):7.2f} ms"
        print(f"{name:24} {took}; this process's CPU {statistics.median(busy):7.2f} ms")
    if plans:
        _show_plans(claims.claim)
        _show_plans(lambda: claims.claim(claims.FETCH))


def _show_plans(claim: Callable[[], Any]) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        claim()
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN (ANALYZE, COSTS OFF, BUFFERS)"
    for query in queries.captured_queries:
        if query["sql"].split()[0] in ("SELECT", "UPDATE"):
            print(f"\n{query['sql'][:400]}")
            with connection.cursor() as cursor:
                cursor.execute(f"{explain} {query['sql']}")
                print("\n".join(f"    {row[-1]}" for row in cursor.fetchall()))


if __name__ == "__main__":
    main()
