"""When a quota's period begins and ends."""

from datetime import UTC, date, datetime

from accounts.models import Period
from accounts.quota import period_end, period_start


def test_it_works() -> None:
    assert period_start(Period.MONTH, date(2026, 12, 31)) == date(2026, 12, 1)
    assert period_end(Period.MONTH, date(2026, 12, 1)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert period_end(Period.MONTH, date(2028, 2, 1)) == datetime(2028, 3, 1, tzinfo=UTC)


def test_a_day_ends_at_midnight() -> None:
    assert period_end(Period.DAY, date(2026, 2, 28)) == datetime(2026, 3, 1, tzinfo=UTC)
