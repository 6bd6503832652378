"""The one door to the inpainting models. Importing it imports no torch: a model is loaded when it is first used."""

from pathlib import Path

from django.conf import settings

from inpainting.engine import weights
from inpainting.engine.interface import (
    Detection,
    Detector,
    EngineBusy,
    EngineStatus,
    EngineUnavailable,
    Inpainter,
    ModelInfo,
    State,
    UnknownModel,
)
from inpainting.engine.queue.lazy import Lazy
from inpainting.engine.queue.turns import seconds_held

__all__ = [
    "Detection",
    "Detector",
    "EngineBusy",
    "EngineStatus",
    "EngineUnavailable",
    "Inpainter",
    "ModelInfo",
    "UnknownModel",
    "check_room",
    "default_model",
    "get_detector",
    "get_engine",
    "models",
    "seconds_held",
    "status",
    "warm_up",
]

# The model that answers where nobody chose one and big-lama is not there.
EMBEDDED_DEFAULT = "hybrid"

DESCRIPTIONS = {
    "lama": "A neural network that sees the whole picture at once (LaMa).",
    "hybrid": "Copies what fits best from elsewhere in the picture; a small network weighs it against smooth surfaces.",
    "patchmatch": "Copies what fits best from elsewhere in the picture (PatchMatch). Needs no weights.",
}


def default_model() -> str:
    """The model of a request that names none: lama, hybrid or patchmatch."""
    if settings.INPAINT_MODEL != "auto":
        return settings.INPAINT_MODEL
    chosen = settings.LAMA_WEIGHTS or weights.locate("big-lama", settings.WEIGHTS_DIR)
    return "lama" if chosen else EMBEDDED_DEFAULT


def get_engine(model: str | None = None) -> Inpainter:
    """The inpainter of a name; None or auto: the default. Loads it on first use; may be called by many threads.

    UnknownModel: nobody has that name. EngineUnavailable: it cannot be loaded.
    """
    name = default_model() if model in (None, "auto") else model
    if name not in _models:
        raise UnknownModel(f"There is no model {name!r}. There are {', '.join(_models)}, and auto for the default.")
    return _models[name].get()


def check_room(model: str | None = None) -> None:
    """EngineBusy, if a model is loaded and would refuse a picture now: so that nobody decodes that in vain."""
    lazy = _models.get(default_model() if model in (None, "auto") else model)
    if lazy is not None and lazy.made is not None:
        lazy.made.check_room()


def get_detector() -> Detector:
    """The network that finds watermarks. Loads it on first use; may be called by many threads.

    EngineUnavailable: it cannot be loaded.
    """
    return _detector.get()


def warm_up() -> None:
    """Load the default model and the detector now. Call it after a fork, never before: see `predictor.py`."""
    get_engine()
    get_detector()


def status() -> EngineStatus:
    """How the default model fares. Takes microseconds, loads nothing and waits for nobody."""
    name = default_model()
    if name not in _models:
        return EngineStatus(name, None, "cpu", _gpu_available(), "", "failed", f"There is no model {name!r}.")
    model = _models[name]
    made = model.made
    if made is not None:
        return EngineStatus(name, made.weights, made.device, _gpu_available(), made.precision, "ready")
    state: State = "loading" if model.loading else "failed" if model.error else "idle"
    precision = "uint8" if name == "patchmatch" else "fp32"
    return EngineStatus(name, _located(name), "cpu", _gpu_available(), precision, state, model.error)


def models() -> list[ModelInfo]:
    """Every model, whether it could be used now, and which one is the default."""
    found = {name: _located(name) for name in _models}
    return [
        ModelInfo(name, text, name != "lama" or found[name] is not None, name == default_model(), found[name])
        for name, text in DESCRIPTIONS.items()
    ]


def _located(name: str) -> str | None:
    """The label of the weights that a model would run on."""
    if name == "lama":
        found = weights.locate(settings.LAMA_WEIGHTS, settings.WEIGHTS_DIR)
        return found and found[0]
    return "embedded" if name == "hybrid" else None


def _gpu_available() -> bool:
    return Path("/dev/nvidiactl").exists()  # torch would know better, but its import takes seconds


def _patchmatch() -> Inpainter:
    from inpainting.engine.inpainters.patchmatch import PatchMatch  # loads a C library

    return PatchMatch(settings.ENGINE_QUEUE, settings.ENGINE_WAIT)


def _hybrid() -> Inpainter:
    from inpainting.engine.inpainters.hybrid import HybridInpainter, load  # imports torch

    return HybridInpainter(load(), settings.ENGINE_QUEUE, settings.ENGINE_WAIT)


def _lama() -> Inpainter:
    found = weights.locate(settings.LAMA_WEIGHTS, settings.WEIGHTS_DIR)
    if found is None and settings.LAMA_WEIGHTS == "big-lama":
        release = weights.BIG_LAMA.at(settings.BIG_LAMA_URL)
        found = "big-lama", weights.fetch(release, settings.WEIGHTS_DIR)
    if found is None and settings.LAMA_WEIGHTS:
        raise weights.WeightsError(f"there are no weights at {settings.LAMA_WEIGHTS}.")
    if found is None:
        raise weights.WeightsError("it has no weights yet. Run manage.py fetch_weights, or set LAMA_WEIGHTS.")
    label, path = found
    if label == "big-lama" and path.parent == settings.WEIGHTS_DIR:
        weights.check(path, weights.BIG_LAMA)

    from inpainting.engine.inpainters.lama.checkpoint import load  # imports torch
    from inpainting.engine.inpainters.lama.inpainter import LamaInpainter  # imports torch

    queue, wait = settings.ENGINE_QUEUE, settings.ENGINE_WAIT
    return LamaInpainter(load(path), label, queue, wait, precision=settings.PRECISION)


def _watermark() -> Detector:
    from inpainting.engine.watermark.detector import load  # imports torch

    return load(weights.WATERMARK, settings.ENGINE_QUEUE, settings.ENGINE_WAIT)


_models: dict[str, Lazy[Inpainter]] = {
    "lama": Lazy("lama", _lama),
    "hybrid": Lazy("hybrid", _hybrid),
    "patchmatch": Lazy("patchmatch", _patchmatch),
}
_detector = Lazy("watermark", _watermark)
