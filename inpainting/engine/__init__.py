"""The one door to the models. Importing it imports no torch: a model is loaded when it is first used."""

from inpainting.engine.door import check_room, default_model, detect, inpaint, load, models, status, warm_up
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
from inpainting.engine.queue.turns import on_behalf_of

__all__ = [
    "Detection",
    "EngineBusy",
    "EngineStatus",
    "EngineUnavailable",
    "Found",
    "Inpainted",
    "Inpainter",
    "ModelInfo",
    "TooManyCalls",
    "Trust",
    "UnknownModel",
    "check_room",
    "default_model",
    "detect",
    "inpaint",
    "load",
    "models",
    "on_behalf_of",
    "status",
    "warm_up",
]
