"""The quota: units a day or month (UTC), then the account's one-time grants. Each is ONE conditional UPDATE."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Limits, Period, QuotaGrant, QuotaMail, QuotaPeriod, Usage, User
from accounts.webhooks import events

LOW = (80, 100)  # per cent of the quota in use: then quota.low is told


class QuotaExceeded(Exception):
    """`each`: units that a picture costs; `left`: there are, which is less than was asked for."""

    def __init__(self, quota: Quota, each: int = 1, left: int = 0) -> None:
        said = f"all {quota.limit} pictures of this {quota.period} are used."
        if each > 1:
            said = f"a picture costs {each} units with this model, and this {quota.period}'s quota has {left} left."
        super().__init__(f"Quota exceeded: {said} It renews at {quota.resets_at:%Y-%m-%dT%H:%M:%SZ}.")
        self.retry_after = seconds_until(quota.resets_at)


@dataclass(frozen=True)
class Quota:
    """An account's quota in the running period, grants included; limit and remaining are None where it is unlimited.

    limit: the plan's units, what grants gave this period and what they have left. It grows by a new grant, and is the
    same before and after a unit is used, wherever that came from. used: units of both kinds, this period's.
    """

    limit: int | None
    used: int
    remaining: int | None
    granted: int  # units that grants have left
    period: str
    resets_at: datetime

    @property
    def renewal(self) -> str:
        """When it renews, in words: "tomorrow, 00:00 UTC" or "on 1 December, 00:00 UTC"."""
        is_tomorrow = self.resets_at.date() == timezone.now().date() + timedelta(days=1)
        return f"{'tomorrow' if is_tomorrow else f'on {self.resets_at:%-d %B}'}, 00:00 UTC"


def seconds_until(moment: datetime) -> int:
    """Whole ones, at least one: what Retry-After says."""
    return max(1, math.ceil((moment - timezone.now()).total_seconds()))


def period_start(period: str, today: date) -> date:
    return today if period == Period.DAY else today.replace(day=1)


def period_end(period: str, start: date) -> datetime:
    """The moment (UTC midnight) at which the period that began on `start` is over."""
    following = start + timedelta(days=1) if period == Period.DAY else (start + timedelta(days=31)).replace(day=1)
    return datetime(following.year, following.month, following.day, tzinfo=UTC)


def quota_of(user: User) -> Quota:
    limits = user.limits
    start = period_start(limits.quota_period, timezone.now().date())
    period = QuotaPeriod.objects.filter(user=OuterRef("pk"), period=limits.quota_period, starts_on=start)
    grants = QuotaGrant.objects.live().filter(user=OuterRef("pk")).order_by().values("user")
    used, from_grants, granted = (
        User.objects.filter(pk=user.pk)
        .values_list(
            Coalesce(Subquery(period.values("used")), 0),
            Coalesce(Subquery(period.values("granted")), 0),
            Coalesce(Subquery(grants.values(left=Sum(F("units") - F("used")))), 0),
        )
        .get()
    )
    unlimited = limits.quota is None
    return Quota(
        limit=None if unlimited else limits.quota + from_grants + granted,
        used=used + from_grants,
        remaining=None if unlimited else max(0, limits.quota - used) + granted,
        granted=granted,
        period=limits.quota_period,
        resets_at=period_end(limits.quota_period, start),
    )


Unit = tuple[QuotaPeriod, QuotaGrant | None]  # where it was taken from


def take_units(user: User, limits: Limits, count: int = 1, each: int = 1, *, partial: bool = False) -> list[list[Unit]]:
    """`each` units for each of `count` pictures: of the running period's quota, what that lacks from grants.

    Call it inside a transaction. For fewer pictures, but at least one, where `partial` and not all units are left; else
    QuotaExceeded, and the transaction is to be rolled back. Whoever listens is told when few are left, or none.
    """
    units = _take(user, limits, count * each)
    whole = len(units) - len(units) % each
    if not whole or (len(units) < count * each and not partial):
        raise QuotaExceeded(quota_of(user), each, len(units))
    for (period, grant), too_many in Counter(units[whole:]).items():
        _put_back(period.pk, None if grant is None else grant.pk, too_many)
    if limits.quota is not None:
        _tell_if_low(user, limits.quota, units[0][0])
    return [units[at : at + each] for at in range(0, whole, each)]


def _take(user: User, limits: Limits, count: int) -> list[Unit]:
    """As many of `count` as are left."""
    start = period_start(limits.quota_period, timezone.now().date())
    period, _ = QuotaPeriod.objects.get_or_create(user=user, period=limits.quota_period, starts_on=start)
    rows = QuotaPeriod.objects.filter(pk=period.pk)
    with_units = rows if limits.quota is None else rows.filter(used__lte=limits.quota - count)
    if with_units.update(used=F("used") + count):
        return [(period, None)] * count
    # Always the period's row before a grant's, as in return_units(): two orders would be a deadlock, and PostgreSQL may
    # hold the period's row already (an UPDATE that waited and then matched nothing keeps the lock).
    period = rows.select_for_update().get()
    left = min(count, max(0, (limits.quota or 0) - period.used))
    rows.update(used=F("used") + left)
    units: list[Unit] = [(period, None)] * left
    for grant in QuotaGrant.objects.live().filter(user=user):
        left = min(count - len(units), grant.units - grant.used)
        with_left = QuotaGrant.objects.live().filter(pk=grant.pk, used__lte=F("units") - left)
        if left and with_left.update(used=F("used") + left):
            rows.update(granted=F("granted") + left)
            units += [(period, grant)] * left
    return units


def _tell_if_low(user: User, limit: int, period: QuotaPeriod) -> None:
    """Each of LOW once a period: only who raises the mark tells."""
    row = QuotaPeriod.objects.filter(pk=period.pk)
    if not row.filter(told__lt=LOW[-1], used__gte=math.ceil(limit * LOW[0] / 100)).exists():
        return
    quota = quota_of(user)  # with grants
    percent = 100 if quota.remaining == 0 else int(100 * quota.used / (quota.limit or 1))
    reached = max((mark for mark in LOW if percent >= mark), default=0)
    if row.filter(told__lt=reached).update(told=reached):
        if user.quota_mails:
            QuotaMail.objects.create(period=period, percent=reached)
        shown = {name: getattr(quota, name) for name in ("limit", "used", "remaining", "period", "resets_at")}
        plan = user.current_subscription.plan.slug
        events.tell(user.pk, "quota.low", {"percent": reached, "plan": plan, "quota": shown})


def origin_of(units: Sequence[Unit]) -> dict[str, Any]:
    """Where a picture's units were taken from, as fields of its row of usage."""
    grants = Counter(grant and grant.pk for _, grant in units)
    (period, grant), several = units[0], len(grants) > 1
    return {
        "quota_period": period,
        "quota_grant": None if several else grant,
        "origins": [list(each) for each in grants.items()] if several else None,
    }


def return_units(rows: Iterable[Usage]) -> None:
    """Give back what take_units() took for them: to the period it was taken in, to the grants it was taken from."""
    back: Counter[tuple[int, int | None]] = Counter()
    for usage in rows:
        if usage.quota_period_id is not None:
            for grant, units in usage.origins or [(usage.quota_grant_id, usage.charged)]:
                back[usage.quota_period_id, grant] += units
    for (period, grant), units in sorted(back.items(), key=lambda taken: (taken[0][0], taken[0][1] or 0)):
        _put_back(period, grant, units)


def _put_back(period_id: int, grant_id: int | None, count: int) -> None:
    period = QuotaPeriod.objects.filter(pk=period_id)
    if grant_id is None:
        period.filter(used__gte=count).update(used=F("used") - count)
    else:
        period.filter(granted__gte=count).update(granted=F("granted") - count)
        QuotaGrant.objects.filter(pk=grant_id, used__gte=count).update(used=F("used") - count)
