"""The token bucket: capacity = burst, refilled at the plan's requests a minute."""

import pytest

from accounts.models import Plan
from accounts.rate import take_token
from tests.conftest import Account


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    return Clock(monkeypatch)


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_700_000_000.0
        monkeypatch.setattr("time.time", lambda: self.now)


def test_it_works(bob: Account, clock: Clock) -> None:
    rate = take_token(bob.user)

    assert rate is not None
    assert rate.allowed
    assert (rate.limit, rate.remaining) == (2, 2)  # 4 of 5 tokens are left, but Remaining is at most Limit
    assert rate.reset == clock.now + 30  # one token of 2 a minute


def test_a_burst_is_exactly_the_plans(bob: Account, clock: Clock) -> None:
    answers = [take_token(bob.user).allowed for _ in range(7)]  # type: ignore[union-attr]

    assert answers == [True] * 5 + [False] * 2


def test_who_sleeps_until_reset_is_let_in(bob: Account, clock: Clock) -> None:
    clock.now += 0.3  # whole seconds would hide a rounding down
    for _ in range(5):
        take_token(bob.user)
    refused = take_token(bob.user)
    assert refused is not None
    assert not refused.allowed
    assert refused.remaining == 0

    clock.now = refused.reset
    assert take_token(bob.user).allowed  # type: ignore[union-attr]
    assert not take_token(bob.user).allowed  # type: ignore[union-attr]


def test_a_refusal_costs_nothing(bob: Account, clock: Clock) -> None:
    for _ in range(50):
        take_token(bob.user)

    clock.now += 30
    assert take_token(bob.user).allowed  # type: ignore[union-attr]


def test_a_long_pause_fills_the_bucket_and_no_more(bob: Account, clock: Clock) -> None:
    take_token(bob.user)
    clock.now += 86_400

    answers = [take_token(bob.user).allowed for _ in range(6)]  # type: ignore[union-attr]
    assert answers == [True] * 5 + [False]


def test_a_changed_plan_acts_on_the_next_request(bob: Account, clock: Clock) -> None:
    for _ in range(6):
        take_token(bob.user)
    Plan.objects.filter(slug="free").update(burst=50)
    bob.user.refresh_from_db()

    assert take_token(bob.user).allowed  # type: ignore[union-attr]


def test_an_upgrade_frees_who_is_out_of_tokens(bob: Account, clock: Clock) -> None:
    for _ in range(6):
        take_token(bob.user)
    bob.user.subscription.plan = Plan.objects.get(slug="pro")
    bob.user.subscription.save()

    assert take_token(bob.user).allowed  # type: ignore[union-attr]


def test_a_downgrade_leaves_an_empty_bucket_and_no_more(bob: Account, clock: Clock) -> None:
    Plan.objects.filter(slug="pro").update(requests_per_minute=600, burst=600)
    bob.user.subscription.plan = Plan.objects.get(slug="pro")
    bob.user.subscription.save()
    for _ in range(600):
        take_token(bob.user)
    bob.user.subscription.plan = Plan.objects.get(slug="free")
    bob.user.subscription.save()

    refused = take_token(bob.user)
    assert refused is not None
    assert (refused.allowed, refused.remaining, refused.reset) == (False, 0, clock.now + 30)  # two a minute
    clock.now += 29
    assert not take_token(bob.user).allowed  # type: ignore[union-attr]
    clock.now += 1
    assert [take_token(bob.user).allowed for _ in range(2)] == [True, False]  # type: ignore[union-attr]


def test_a_clock_behind_refills_nothing(bob: Account, clock: Clock) -> None:
    for _ in range(5):
        take_token(bob.user)
    clock.now -= 10
    assert not take_token(bob.user).allowed  # type: ignore[union-attr]

    clock.now += 39
    assert not take_token(bob.user).allowed  # type: ignore[union-attr]
    clock.now += 1
    assert take_token(bob.user).allowed  # type: ignore[union-attr]


def test_an_accounts_own_limit_goes_before_its_plans(bob: Account, clock: Clock) -> None:
    bob.limit(requests_per_minute=600)
    bob.user.refresh_from_db()

    assert take_token(bob.user).limit == 600  # type: ignore[union-attr]


def test_empty_is_unlimited(bob: Account) -> None:
    Plan.objects.filter(slug="free").update(requests_per_minute=None)
    bob.user.refresh_from_db()

    assert take_token(bob.user) is None


def test_each_account_has_its_own_bucket(alice: Account, bob: Account, clock: Clock) -> None:
    for _ in range(6):
        take_token(bob.user)

    assert take_token(alice.user).allowed  # type: ignore[union-attr]


@pytest.mark.parametrize("jump", [3600.0, 86_400.0 * 365])
def test_a_clock_that_was_far_ahead_locks_nobody_out(bob: Account, clock: Clock, jump: float) -> None:
    clock.now += jump
    for _ in range(6):
        take_token(bob.user)
    clock.now -= jump
    assert not take_token(bob.user).allowed  # type: ignore[union-attr]

    for _ in range(3):
        clock.now += 30
        assert take_token(bob.user).allowed  # type: ignore[union-attr]
