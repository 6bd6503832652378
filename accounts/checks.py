"""Billing that cannot work, told at start: by every command for settings, by `migrate` for rows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError
from django.db.models import Q

from accounts.models import Pack, Plan


@checks.register
def stripe_has_both_keys(**options: Any) -> list[checks.CheckMessage]:
    keys = {name: getattr(settings, name) for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")}
    missing = [name for name, value in keys.items() if not value]
    if len(missing) != 1:
        return []
    return [
        checks.Error(
            f"Billing is half configured: {missing[0]} is not set.",
            hint="Set both of Stripe's keys, or neither: plans are then approved in the admin. See docs/billing.md.",
            id="accounts.E001",
        )
    ]


@checks.register(checks.Tags.database)
def plans_with_a_price_can_be_paid(databases: Any = None, **options: Any) -> list[checks.CheckMessage]:
    if not (databases and settings.STRIPE_SECRET_KEY and settings.STRIPE_WEBHOOK_SECRET):
        return []
    try:
        unpayable = list(Plan.objects.filter(offered=True, price__gt=0, stripe_price_id=""))
    except DatabaseError:  # before the first migration there are no plans
        return []
    return [
        checks.Warning(
            f"The plan {plan} has a price, but cannot be paid: it has no Stripe price id.",
            hint="Make a monthly price at Stripe and enter its id (price_…) in the admin; until then users ask for the "
            "plan and staff approve it.",
            obj=plan,
            id="accounts.W001",
        )
        for plan in unpayable
    ]


@checks.register(checks.Tags.database)
def offered_plans_have_a_price(databases: Any = None, **options: Any) -> list[checks.CheckMessage]:
    """A plan without limits is made for each customer, and its price may well be on request."""
    if not databases:
        return []
    try:
        limited = ~Q(requests_per_minute=None, quota=None)
        unpriced = list(Plan.objects.filter(limited, offered=True, price=None))
    except DatabaseError:  # before the first migration there are no plans
        return []
    return [
        checks.Warning(
            f"The plan {plan} is offered without a price: people have to ask for it.",
            hint="Enter its price in the admin (0 is free), or do not offer it. See docs/billing.md.",
            obj=plan,
            id="accounts.W002",
        )
        for plan in unpriced
    ]


@checks.register(checks.Tags.database)
def offered_packs_can_be_bought(databases: Any = None, **options: Any) -> list[checks.CheckMessage]:
    if not databases:
        return []
    try:
        packs = list(Pack.objects.filter(Q(price=None) | Q(stripe_price_id=""), offered=True))
    except DatabaseError:  # before the migration that makes the table
        return []
    pays_online = settings.STRIPE_SECRET_KEY and settings.STRIPE_WEBHOOK_SECRET
    return [
        checks.Warning(
            f"The pack {pack} is offered without a price: people have to ask for it."
            if pack.price is None
            else f"The pack {pack} has a price, but cannot be paid: it has no Stripe price id.",
            hint="Enter its price and a one-time Stripe price id (price_…) in the admin, or do not offer it. "
            "See docs/billing.md.",
            obj=pack,
            id="accounts.W003" if pack.price is None else "accounts.W004",
        )
        for pack in packs
        if pack.price is None or pays_online
    ]
