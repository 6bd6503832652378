"""The cap of a key: pictures a day or month (UTC), beside the account's quota. ONE conditional UPDATE, as quota has."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from accounts.models import ApiKey, KeyPeriod
from accounts.quota import QuotaExceeded, period_end, period_start, seconds_until


class KeyQuotaExceeded(QuotaExceeded):
    """Of the key, not of the account. `retry_after`: seconds until the key's next period begins."""

    def __init__(self, key: ApiKey, period: KeyPeriod) -> None:
        renewal = period_end(period.period, period.starts_on)
        Exception.__init__(
            self,
            f"Key quota exceeded: all {key.cap} pictures that this key may process a {period.period} are used. "
            f"It renews at {renewal:%Y-%m-%dT%H:%M:%SZ}.",
        )
        self.retry_after = seconds_until(renewal)


def take(key: ApiKey | None, count: int, *, partial: bool = False) -> tuple[KeyPeriod | None, int]:
    """`count` pictures of the key's running period, and where they were taken from: None of a key without a cap.

    Call it inside a transaction, before the quota's units are taken. Fewer, but at least one, where `partial` and not
    all are left; else KeyQuotaExceeded.
    """
    if key is None or key.cap is None:
        return None, count
    start = period_start(key.cap_period, timezone.now().date())
    period, _ = KeyPeriod.objects.get_or_create(key=key, period=key.cap_period, starts_on=start)
    rows = KeyPeriod.objects.filter(pk=period.pk)
    if rows.filter(used__lte=key.cap - count).update(used=F("used") + count):
        return period, count
    left = key.cap - rows.select_for_update().get().used
    if not partial or left <= 0:
        raise KeyQuotaExceeded(key, period)
    rows.update(used=F("used") + left)
    return period, left


def give_back(period_id: int | None, count: int) -> None:
    """To the period they were taken in."""
    if period_id is not None and count:
        KeyPeriod.objects.filter(pk=period_id, used__gte=count).update(used=F("used") - count)
