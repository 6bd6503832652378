"""The one door to the models. Importing it imports no torch: a model is loaded when it is first used."""

from inpainting.engine.door import (
    FEWEST_SHOTS,
    check_room,
    default_model,
    detect,
    inpaint,
    lift,
    load,
    models,
    shared_mark,
    status,
    warm_up,
)
from inpainting.engine.interface import (
    Detection,
    EngineBusy,
    EngineStatus,
    EngineUnavailable,
    Found,
    Inpainted,
    Inpainter,
    ModelInfo,
    TooManyCalls,
    Trust,
    UnknownModel,
)
from inpainting.engine.logo import Logo
from inpainting.engine.queue.turns import on_behalf_of
from inpainting.engine.shared_mark import SharedMark, Shot

__all__ = [
    "FEWEST_SHOTS",
    "Detection",
    "EngineBusy",
    "EngineStatus",
    "EngineUnavailable",
    "Found",
    "Inpainted",
    "Inpainter",
    "Logo",
    "ModelInfo",
    "SharedMark",
    "Shot",
    "TooManyCalls",
    "Trust",
    "UnknownModel",
    "check_room",
    "default_model",
    "detect",
    "inpaint",
    "lift",
    "load",
    "models",
    "on_behalf_of",
    "shared_mark",
    "status",
    "warm_up",
]
