"""The one door to the inpainting models. Importing it imports no torch: a model is loaded when it is first used."""

import logging
import threading
import time
from pathlib import Path

from django.conf import settings

from . import weights
from .interface import EngineBusy, EngineStatus, EngineUnavailable, Inpainter, ModelInfo, State, UnknownModel
from .turns import seconds_held

__all__ = [
    "EngineBusy",
    "EngineStatus",
    "EngineUnavailable",
    "Inpainter",
    "ModelInfo",
    "UnknownModel",
    "default_model",
    "get_engine",
    "models",
    "seconds_held",
    "status",
    "warm_up",
]

logger = logging.getLogger(__name__)

# The model that answers where nobody chose one and big-lama is not there. It becomes lama when the compact weights are
# shown to be better on pictures that neither has seen.
EMBEDDED_DEFAULT = "patchmatch"

DESCRIPTIONS = {
    "lama": "A neural network that sees the whole picture at once (LaMa).",
    "patchmatch": "Copies what fits best from elsewhere in the picture (PatchMatch). Needs no weights.",
}
RETRY_AFTER = 30  # seconds until a model that could not be loaded is tried again


class _Model:
    """A model that is loaded once, by whoever needs it first; the others wait for it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inpainter: Inpainter | None = None
        self.loading = False
        self.error: str | None = None
        self._failed_at = 0.0
        self._lock = threading.Lock()

    def get(self) -> Inpainter:
        if self.inpainter is not None:
            return self.inpainter
        if not self._lock.acquire(timeout=settings.ENGINE_WAIT):
            raise EngineBusy(RETRY_AFTER)
        try:
            if self.error is not None and time.monotonic() - self._failed_at < RETRY_AFTER:
                raise EngineUnavailable(self.error)
            self.inpainter = self.inpainter or self._load()
            return self.inpainter
        finally:
            self._lock.release()

    def _load(self) -> Inpainter:
        self.loading, self.error = True, None
        start = time.monotonic()
        try:
            made = _patchmatch() if self.name == "patchmatch" else _lama()
        except Exception as error:
            self.error, self._failed_at = f"The model {self.name} is not available: {error}", time.monotonic()
            raise EngineUnavailable(self.error) from error
        finally:
            self.loading = False
        logger.info(
            "%s is ready: weights %s, %s, %s, loaded in %.1f s",
            *(made.name, made.weights, made.device, made.precision, time.monotonic() - start),
        )
        return made


_models = {name: _Model(name) for name in DESCRIPTIONS}


def default_model() -> str:
    """The model of a request that names none: lama or patchmatch."""
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


def warm_up() -> None:
    """Load the default model now. Call it after a fork, never before: see `predictor.py`."""
    get_engine()


def status() -> EngineStatus:
    """How the default model fares. Takes microseconds, loads nothing and waits for nobody."""
    name = default_model()
    if name not in _models:
        return EngineStatus(name, None, "cpu", _gpu_available(), "", "failed", f"There is no model {name!r}.")
    model = _models[name]
    made = model.inpainter
    if made is not None:
        return EngineStatus(name, made.weights, made.device, _gpu_available(), made.precision, "ready")
    state: State = "loading" if model.loading else "failed" if model.error else "idle"
    precision = "uint8" if name == "patchmatch" else "fp32"
    return EngineStatus(name, _located(name), "cpu", _gpu_available(), precision, state, model.error)


def models() -> list[ModelInfo]:
    """Every model, whether it could be used now, and which one is the default."""
    found = {name: _located(name) for name in _models}
    return [
        ModelInfo(name, text, name == "patchmatch" or found[name] is not None, name == default_model(), found[name])
        for name, text in DESCRIPTIONS.items()
    ]


def _located(name: str) -> str | None:
    """The label of the weights that a model would run on."""
    found = weights.locate(settings.LAMA_WEIGHTS, settings.WEIGHTS_DIR) if name == "lama" else None
    return found and found[0]


def _gpu_available() -> bool:
    return Path("/dev/nvidiactl").exists()  # torch would know better, but its import takes seconds


def _patchmatch() -> Inpainter:
    from .patchmatch import PatchMatch  # loads a C library

    return PatchMatch(settings.ENGINE_QUEUE, settings.ENGINE_WAIT)


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

    from .checkpoint import load  # imports torch
    from .predictor import LamaInpainter  # imports torch

    queue, wait = settings.ENGINE_QUEUE, settings.ENGINE_WAIT
    return LamaInpainter(load(path), label, queue, wait, precision=settings.PRECISION)
