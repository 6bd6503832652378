"""What cannot work is told at start."""

from typing import Any

import pytest
from django.core.checks import run_checks

from accounts import checks
from accounts.models import Plan
from tests.accounts.billing.stripe_stub import StripeStub


def found(name: str) -> list[Any]:
    return [message for message in run_checks(databases=["default"]) if message.id == name]


def test_it_works(shop: StripeStub) -> None:
    assert not found("accounts.E001")
    assert not found("accounts.W001")


@pytest.mark.parametrize("missing", ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"])
def test_one_key_of_two(shop: StripeStub, settings: Any, missing: str) -> None:
    setattr(settings, missing, "")

    (error,) = found("accounts.E001")
    assert error.msg == f"Billing is half configured: {missing} is not set."
    assert "docs/billing.md" in error.hint


def test_a_price_that_cannot_be_paid(shop: StripeStub) -> None:
    Plan.objects.filter(slug="basic").update(stripe_price_id="")

    (warning,) = found("accounts.W001")
    assert "Basic has a price, but cannot be paid" in warning.msg
    assert "price_" in warning.hint


def test_without_stripe_a_price_needs_no_id(db: None) -> None:
    Plan.objects.filter(slug="basic").update(price=9)

    assert not found("accounts.W001")


def test_an_offered_plan_without_a_price(db: None) -> None:
    Plan.objects.filter(slug="pro").update(price=29)

    (warning,) = found("accounts.W002")  # Free costs 0, and the price of Enterprise, without limits, may be asked for
    assert "Basic is offered without a price" in warning.msg
    Plan.objects.filter(slug="basic").update(offered=False)
    assert not found("accounts.W002")


def test_before_the_first_migration(shop: StripeStub, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import ProgrammingError

    def no_table(**filters: Any) -> None:
        raise ProgrammingError("no such table: accounts_plan")

    monkeypatch.setattr(Plan.objects, "filter", no_table)
    assert checks.plans_with_a_price_can_be_paid(databases=["default"]) == []
