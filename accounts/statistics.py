"""What an account did: in all, as the API tells it; lately by day and by key, as its dashboard shows it.

Each is one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Avg, BooleanField, Count, ExpressionWrapper, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import ApiKey, Usage, User

SPANS = (7, 30, 90)  # days that a dashboard can show

SUCCEEDED = Q(state=Usage.State.SUCCEEDED)
FAILED = Q(state=Usage.State.FAILED)
IN_EDITOR = Q(endpoint__startswith="/editor/")  # a person on the site's own page, without a key


@dataclass(frozen=True)
class Totals:
    """All of an account's processing requests, over all its live keys or its test keys, of all time. In seconds."""

    total: int
    success: int
    failed: int
    total_processing_time: float
    avg_processing_time: float


def totals(user: User, *, is_test: bool = False) -> Totals:
    counts = Usage.objects.filter(user=user, is_test=is_test).aggregate(
        success=Count("pk", filter=SUCCEEDED),
        failed=Count("pk", filter=FAILED),
        seconds=Sum("seconds", filter=SUCCEEDED, default=0.0),
    )
    success, failed, seconds = counts["success"], counts["failed"], round(counts["seconds"], 3)
    average = round(seconds / success, 3) if success else 0.0
    return Totals(success + failed, success, failed, seconds, average)


@dataclass(frozen=True)
class Day:
    """One UTC day. `seconds`: the mean of the engine's own time over successes, None without any."""

    date: date
    succeeded: int = 0
    failed: int = 0
    seconds: float | None = None

    @property
    def total(self) -> int:
        return self.succeeded + self.failed


@dataclass(frozen=True)
class KeyUsage:
    """One key's share of the same days, or the editor's; `key` is None there, and for keys that are gone."""

    key: ApiKey | None
    in_editor: bool
    succeeded: int
    failed: int
    charged: int
    seconds: float | None
    last_at: datetime


def recent(user: User, days: int) -> QuerySet[Usage]:
    """The account's requests of the last `days` days, today included, without those of test keys."""
    first = timezone.now().date() - timedelta(days=days - 1)
    return Usage.objects.filter(user=user, is_test=False, created_at__gte=datetime.combine(first, time(), UTC))


def by_day(usage: QuerySet[Usage], count: int) -> list[Day]:
    """The last `count` days, oldest first, those without requests too."""
    rows = (
        usage.annotate(date=TruncDate("created_at", tzinfo=UTC))
        .order_by("date")
        .values("date")
        .annotate(
            succeeded=Count("pk", filter=SUCCEEDED),
            failed=Count("pk", filter=FAILED),
            mean_seconds=Avg("seconds", filter=SUCCEEDED),
        )
    )
    found = {row["date"]: Day(row["date"], row["succeeded"], row["failed"], row["mean_seconds"]) for row in rows}
    today = timezone.now().date()
    days = [today - timedelta(days=ago) for ago in reversed(range(count))]
    return [found.get(day, Day(day)) for day in days]


def by_key(usage: QuerySet[Usage], keys: dict[int, ApiKey]) -> list[KeyUsage]:
    """The busiest first. `keys`: the account's keys by primary key."""
    rows = (
        usage.order_by()
        .annotate(in_editor=ExpressionWrapper(IN_EDITOR, BooleanField()))
        .values("api_key", "in_editor")
        .annotate(
            succeeded=Count("pk", filter=SUCCEEDED),
            failed=Count("pk", filter=FAILED),
            units=Sum("charged", default=0),
            mean_seconds=Avg("seconds", filter=SUCCEEDED),
            last_at=Max("created_at"),
        )
        .order_by("-succeeded", "-failed")
    )
    return [
        KeyUsage(
            keys.get(row["api_key"]),
            row["in_editor"],
            row["succeeded"],
            row["failed"],
            row["units"],
            row["mean_seconds"],
            row["last_at"],
        )
        for row in rows
    ]
