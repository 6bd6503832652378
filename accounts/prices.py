"""What a picture costs in units of quota, by the model that is to fill it: what the account's plan says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import PlanModel, User


@dataclass(frozen=True)
class Price:
    """A model as somebody else knows it. `usual`: units, where the plan says nothing; None: then it is not on it.

    `is_default`: what works where nobody names one; the public may have that whatever it is.
    """

    model: str
    usual: int | None
    is_default: bool = False


class ModelNotInPlan(Exception):
    def __init__(self, model: str, plan: str | None) -> None:
        whose = f"the plan {plan}" if plan else "calls without an account"
        super().__init__(f"The model {model} is not on {whose}. GET /api/v1/models says which are.")


def units_for(user: User | None, prices: Iterable[Price]) -> dict[str, int | None]:
    """Units by model, None where it is not on the plan. Without a user: of public calls, which are charged nothing."""
    if user is None:
        return {price.model: price.usual or (1 if price.is_default else None) for price in prices}
    said = dict(PlanModel.objects.filter(plan=user.current_subscription.plan).values_list("model", "units"))
    return {price.model: said.get(price.model, price.usual) for price in prices}


def ask(user: User | None, price: Price) -> int:
    """Units of one picture, at least 1. Raises ModelNotInPlan."""
    units = units_for(user, [price])[price.model]
    if units is None:
        raise ModelNotInPlan(price.model, None if user is None else user.current_subscription.plan.name)
    return units
