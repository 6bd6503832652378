"""What every call of the engine goes through: arguments are checked, turns taken, crops made, results blended."""

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, cast

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from inpainting.engine import hardware, registry, weights
from inpainting.engine.crops.paint import Fill, paint
from inpainting.engine.inpainters import regular
from inpainting.engine.interface import (
    BlendMask,
    Detection,
    Detector,
    EngineStatus,
    Hole,
    Inpainted,
    Inpainter,
    Lettering,
    ModelInfo,
    OptionNotTaken,
    Picture,
    Sampler,
    Sampling,
    TextDetector,
    TextNotInstalled,
    Trust,
    UnknownModel,
)
from inpainting.engine.logo import Logo
from inpainting.engine.queue.desk import Desk
from inpainting.engine.queue.line import Turn
from inpainting.engine.queue.measured import compute
from inpainting.engine.queue.memory import Memory
from inpainting.engine.shared_mark import SharedMark, Shot, Steps
from inpainting.engine.text import detector as text
from inpainting.engine.text.regions import filled

# The model that answers where nobody chose one and big-lama is not there.
EMBEDDED_DEFAULT = "hybrid"
FEWEST_SHOTS = 8  # pictures from which a mark that they share is computed


class Desks:
    """All models, none of them loaded."""

    def __init__(self) -> None:
        memory = Memory(lambda: settings.MODEL_MEMORY or hardware.memory() / 2)
        self.inpainters: dict[str, Desk[Inpainter]] = {
            name: Desk(entry, memory) for name, entry in registry.INPAINTERS.items()
        }
        self.detector: Desk[Detector] = Desk(registry.DETECTOR, memory)
        self.text: Desk[TextDetector] = Desk(registry.TEXT, memory)

    def inpainter(self, model: str | None) -> Desk[Inpainter]:
        """None or auto: the default's. UnknownModel: nobody has that name."""
        name = default_model() if model in (None, "auto") else model
        if name not in self.inpainters:
            names = ", ".join(self.inpainters)
            raise UnknownModel(f"There is no model {name!r}. There are {names}, and auto for the default.")
        return self.inpainters[name]


_desks = Desks()


def inpaint(
    picture: Picture, blend_mask: BlendMask, model: str | None = None, sampling: Sampling | None = None
) -> Inpainted:
    """Fill the hole (blend mask > 0): original + blend mask / 255 * (filled - original), rounded.

    `picture` (H, W, 3) RGB and `blend_mask` (H, W), both uint8, of 1x1 to 4096x4096 pixels; `model`: a name of
    `models`; None or auto: the default. `sampling`: how, of a model that samples. Pixels of 0 come back exactly, the
    arguments are left as they are, and the same input gives the same output. Many threads may call it. ValueError:
    wrong shapes or types, or no pixel of 0. UnknownModel: nobody has that name. OptionNotTaken: it does not sample.
    EngineUnavailable: it cannot be loaded. EngineBusy: come back later. What takes long gives way between its crops.
    """
    desk = _desks.inpainter(model)
    entry = registry.INPAINTERS[desk.entry.name]
    check_sampling(model, sampling)
    _check(picture, (*picture.shape[:2], 3), np.uint8, "picture")
    _check(blend_mask, picture.shape[:2], np.uint8, "blend mask")
    if blend_mask.all():
        raise ValueError("The hole covers the whole picture: nothing is left to continue.")

    def painted(inpainter: Inpainter, turn: Turn) -> Picture:
        fill: Fill = inpainter.fill
        if sampling is not None:
            fill = partial(cast("Sampler", inpainter).sample, sampling=sampling)
        if sampling is None or not sampling.prompt:  # who asks for something gets that, and no pattern
            fill = partial(regular.fill, otherwise=fill)
        return paint(picture, blend_mask, fill, entry.limits, turn.give_way)

    return Inpainted(*compute(desk, "inpaint", painted))


def detect(picture: Picture, hole: Hole | None = None, *, trust: Trust = "nobody", mend: bool = True) -> Detection:
    """Find watermarks in an (H, W, 3) RGB picture of 1x1 to 4096x4096 pixels, which is left as it is.

    `hole` (H, W): where a user says that something is to go. Nothing is found elsewhere, and less evidence is asked for
    there; still a part of it may lie over something else than a watermark, and then nothing is found in that part,
    unless `trust` is all: the user means a watermark. Whoever needs no `restored` says so by `mend`: to mend it takes
    about as long as to find the mark. The same input gives the same output. Many threads may call it. ValueError: wrong
    shapes or types. EngineUnavailable: the detector cannot be loaded. EngineBusy: come back later.
    """
    _check(picture, (*picture.shape[:2], 3), np.uint8, "picture")
    if hole is not None:
        _check(hole, picture.shape[:2], np.bool_, "hole")
    found, seconds = compute(
        _desks.detector, "detect", lambda detector, _: detector.detect(picture, hole, trust=trust, mend=mend)
    )
    return replace(found, seconds=seconds)


def find_text(picture: Picture) -> Lettering:
    """Find lettering of any kind in an (H, W, 3) RGB picture of 1x1 to 4096x4096 pixels, which is left as it is.

    At most 1,000 regions, of letters about 8 pixels high or more in a picture whose longer side is made LONGEST
    (`text/detector.py`). The same input gives the same output. Many threads may call it. ValueError: wrong shape or
    type. TextNotInstalled; EngineUnavailable: the detector cannot be loaded. EngineBusy: come back later.
    """
    _check(picture, (*picture.shape[:2], 3), np.uint8, "picture")
    check_text()
    regions, seconds = compute(_desks.text, "find_text", lambda detector, _: detector.find(picture))
    return Lettering(filled(regions, *picture.shape[:2]), regions, seconds)


def finds_text() -> bool:
    """Whether the packages that find lettering are installed. Loads none of them."""
    return text.installed()


def check_text() -> None:
    """TextNotInstalled, where they are not."""
    if not finds_text():
        raise TextNotInstalled


def shared_mark(shots: Sequence[Shot]) -> SharedMark | None:
    """The mark that most of many pictures have at the same place, seen from a corner, an edge or the middle.

    None: they share none, or are fewer than FEWEST_SHOTS. It takes a turn for each step, so that others wait for a
    second or so at most; pictures are read between turns. Raises what reading them raises, EngineUnavailable.
    """
    if len(shots) < FEWEST_SHOTS:
        return None
    steps: Steps | None = None
    picture: Picture | None = None

    def step(detector: Detector, _: Turn) -> Shot | StopIteration | None:
        nonlocal steps
        steps = steps or detector.shared_mark(shots)
        try:
            return steps.send(picture)
        except StopIteration as end:
            return end

    while not isinstance(wanted := compute(_desks.detector, "shared_mark", step)[0], StopIteration):
        picture = wanted and wanted.read()
    return cast("SharedMark | None", wanted.value)


def lift(picture: Picture, mark: SharedMark | Logo) -> Detection | None:
    """A shared mark or a known logo taken off an (H, W, 3) RGB picture, if that shows it. Errors: as of `detect`."""
    _check(picture, (*picture.shape[:2], 3), np.uint8, "picture")
    found, seconds = compute(_desks.detector, "lift", lambda detector, _: detector.lift(picture, mark))
    return found and replace(found, seconds=seconds)


def _check(array: NDArray[Any], shape: tuple[int, ...], dtype: type, name: str) -> None:
    if array.shape != shape or array.dtype != dtype or not array.size:
        raise ValueError(f"The {name} must be {shape} {dtype.__name__}, not {array.shape} {array.dtype}.")


def default_model() -> str:
    """The model of a request that names none: lama, hybrid, migan, patchmatch, sd or sdxl."""
    if settings.INPAINT_MODEL != "auto":
        return str(settings.INPAINT_MODEL)
    chosen = settings.LAMA_WEIGHTS or weights.locate("big-lama", settings.WEIGHTS_DIR)
    return "lama" if chosen else EMBEDDED_DEFAULT


def check_sampling(model: str | None, sampling: Sampling | None) -> None:
    """OptionNotTaken: something is asked of a model that does not sample. UnknownModel: nobody has that name."""
    name = _desks.inpainter(model).entry.name
    if sampling is None or registry.INPAINTERS[name].samples:
        return
    asked = next(option.name for option in fields(sampling) if getattr(sampling, option.name) is not None)
    able = " and ".join(entry.name for entry in registry.INPAINTERS.values() if entry.samples)
    raise OptionNotTaken(f"The model {name} takes no {asked}; {able} do.")


def usual_units(model: str | None) -> tuple[str, int | None]:
    """The name of the model that a call means, and `InpainterEntry.units`. UnknownModel: nobody has that name."""
    name = _desks.inpainter(model).entry.name
    return name, registry.INPAINTERS[name].units


def plain_model(model: str | None) -> str:
    """That model's name; where it samples the default's, and where that does too the embedded default's."""
    names = (_desks.inpainter(model).entry.name, default_model())
    return next((name for name in names if not registry.INPAINTERS[name].samples), EMBEDDED_DEFAULT)


def check_room(
    model: str | None = None, *, inpaints: bool = True, detects: bool = False, finds_text: bool = False
) -> None:
    """EngineBusy, if a model is loaded and would refuse a picture now: so that nobody decodes that in vain.

    `detects`: whether watermarks are looked for first, `finds_text`: lettering, so that their detector has to have room
    as well; `inpaints`: whether the model itself is needed.

    UnknownModel: nobody has that name.
    """
    if inpaints:
        _desks.inpainter(model).check_room()
    if detects:
        _desks.detector.check_room()
    if finds_text:
        _desks.text.check_room()


def load(model: str | None = None) -> Inpainter:
    """A model, loaded now if it is not; as `inpaint` names it and with its errors."""
    return _desks.inpainter(model).load()


def warm_up() -> None:
    """Load the default model and the detector now. Call it after a fork, never before: see `hardware.py`."""
    load()
    _desks.detector.load()


def status() -> EngineStatus:
    """How the default model fares. Takes microseconds, loads nothing and waits for nobody."""
    name, gpu = default_model(), hardware.gpu_available()
    if name not in registry.INPAINTERS:
        return EngineStatus(name, None, "cpu", gpu, "", "failed", f"There is no model {name!r}.")
    entry, desk = registry.INPAINTERS[name], _desks.inpainters[name]
    model = desk.model
    if model is not None:
        return EngineStatus(name, model.weights, model.device, gpu, model.precision, "ready")
    return EngineStatus(name, entry.weights(), "cpu", gpu, entry.precision, desk.state, desk.error)


def models() -> list[ModelInfo]:
    """Every model, whether it could be used now, and which one is the default."""
    default = default_model()
    return [
        ModelInfo(
            name=entry.name,
            description=entry.description,
            licence=entry.licence,
            available=entry.available(),
            default=entry.name == default,
            weights=entry.weights(),
            units=entry.units,
        )
        for entry in registry.INPAINTERS.values()
    ]
