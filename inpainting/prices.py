"""What the models of the engine usually cost; what an account pays, its plan says (accounts.prices)."""

from __future__ import annotations

from accounts.models import User
from accounts.prices import Price, units_for
from inpainting import engine
from inpainting.engine import ModelInfo


def price_of(model: str | None) -> Price:
    """`model`: as a call names it. UnknownModel: nobody has that name."""
    name, units = engine.usual_units(model)
    return Price(name, units, name == engine.default_model())


def models_for(user: User | None) -> list[tuple[ModelInfo, int | None]]:
    """Every model, and the units that a picture costs; None where it is not on the account's plan."""
    models = engine.models()
    units = units_for(user, (Price(each.name, each.units, each.default) for each in models))
    return [(each, units[each.name]) for each in models]
