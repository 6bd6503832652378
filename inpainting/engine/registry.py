"""Every model: what it is, what it needs and how it is loaded. Imports no torch before one is loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from django.conf import settings

from inpainting.engine import hardware, weights
from inpainting.engine.crops.plan import Limits
from inpainting.engine.inpainters.diffusion import folder
from inpainting.engine.interface import Detector, Inpainter, Sampler, TextDetector
from inpainting.engine.queue.batches import MOST
from inpainting.engine.text import detector as text

Model = TypeVar("Model")

MIGAN_WORK = 200.0  # megabytes: of what it computes for the one crop that it works on


@dataclass(frozen=True)
class Entry(Generic[Model]):
    name: str
    load: Callable[[], Model]  # raises whatever keeps it from being loaded
    slots: Callable[[Model], int]  # calls that run at once
    megabytes: Callable[[], float]  # of memory that it takes once it is loaded, about


@dataclass(frozen=True)
class InpainterEntry(Entry[Inpainter]):
    description: str
    licence: str  # of the code or weights that make it, as SPDX names it
    limits: Limits
    precision: str  # before it is loaded
    weights: Callable[[], str | None]  # the label of those that it would run on
    available: Callable[[], bool]  # whether it could be loaded now
    samples: bool = False  # it is a Sampler: diffusion

    @property
    def units(self) -> int | None:
        """Of quota that a picture usually costs. Diffusion takes so much time that a plan has to name it."""
        return None if self.samples else 1


def _one_a_core(_: object) -> int:
    return hardware.cores()


def _megabytes(*paths: Path) -> float:
    """Of what files hold, twice: they are read whole, and then rearranged or made fp32 of fp16."""
    return 2 * sum(path.stat().st_size for path in paths if path.exists()) / 1e6


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

    from inpainting.engine.inpainters.lama.checkpoint import load
    from inpainting.engine.inpainters.lama.inpainter import LamaInpainter

    return LamaInpainter(load(path), label, settings.PRECISION, settings.DATA_DIR / "kernels.json")


def _lama_label() -> str | None:
    found = weights.locate(settings.LAMA_WEIGHTS, settings.WEIGHTS_DIR)
    return found and found[0]


def _lama_megabytes() -> float:
    found = weights.locate(settings.LAMA_WEIGHTS, settings.WEIGHTS_DIR)
    return _megabytes(found[1]) if found else 2 * (weights.BIG_LAMA.size or 0) / 1e6


def _migan_file() -> Path:
    return Path(settings.MIGAN_WEIGHTS) if settings.MIGAN_WEIGHTS else settings.WEIGHTS_DIR / weights.MIGAN.file_name


def _migan() -> Inpainter:
    path = _migan_file()
    if not path.is_file() and settings.MIGAN_WEIGHTS:
        raise weights.WeightsError(f"there are no weights at {path}.")
    if not path.is_file():
        raise weights.WeightsError("it has no weights yet. Run manage.py fetch_weights migan, or set MIGAN_WEIGHTS.")
    if not settings.MIGAN_WEIGHTS:
        weights.check(path, weights.MIGAN)

    from inpainting.engine.inpainters.migan.inpainter import MiganInpainter, load

    return MiganInpainter(load(path), path.stem)


def _diffusion(name: str) -> Sampler:
    found = folder.chosen(name)

    from inpainting.engine.inpainters.diffusion import inpainter

    form = inpainter.SDXL if name == "sdxl" else inpainter.SD
    return inpainter.DiffusionInpainter(inpainter.load(found), found.path.name, form)


def _hybrid() -> Inpainter:
    from inpainting.engine.inpainters.hybrid import HybridInpainter, load

    return HybridInpainter(load())


def _patchmatch() -> Inpainter:
    from inpainting.engine.inpainters.patchmatch import PatchMatch

    return PatchMatch()


def _watermark() -> Detector:
    from inpainting.engine.watermark.detector import load

    return load(weights.WATERMARK)


# `area` and `work` bound memory and time. LaMa's `context` and `thickness` are not tuned: that needs trained weights.
_LAMA_LIMITS = Limits(context=128, area=1 << 20, thickness=512, work=4 << 20)
_MIGAN_LIMITS = Limits(context=128, area=1 << 18, thickness=256, work=4 << 20, square=512)
# By the sides that the models were trained on. A square takes minutes where there is no GPU: three at most.
_SD_LIMITS = Limits(context=128, area=1 << 18, thickness=256, work=1 << 20, square=512)
_SDXL_LIMITS = Limits(context=256, area=1 << 20, thickness=512, work=1 << 22, square=1024)
_COPYING_LIMITS = Limits(context=128, area=4 << 20, thickness=1024, work=8 << 20)


def _diffusion_entry(name: str, description: str, licence: str, limits: Limits) -> InpainterEntry:
    return InpainterEntry(
        name=name,
        description=description,
        licence=licence,
        load=lambda: _diffusion(name),
        slots=lambda _: 1,
        megabytes=lambda: folder.megabytes(name),
        limits=limits,
        precision="fp32",
        weights=lambda: folder.label(name),
        available=lambda: folder.label(name) is not None,
        samples=True,
    )


_ENTRIES = (
    InpainterEntry(
        name="lama",
        description="A neural network that sees the whole picture at once (LaMa).",
        licence="Apache-2.0",
        load=_lama,
        slots=lambda model: MOST if hardware.is_gpu(model.device) else 1,
        megabytes=_lama_megabytes,
        limits=_LAMA_LIMITS,
        precision="fp32",
        weights=_lama_label,
        available=lambda: _lama_label() is not None,
    ),
    InpainterEntry(
        name="hybrid",
        description="Copies what fits best from elsewhere in the picture; "
        "a small network weighs it against smooth surfaces.",
        licence="MIT",
        load=_hybrid,
        slots=_one_a_core,  # most of a call is PatchMatch's
        megabytes=lambda: _megabytes(weights.HYBRID),
        limits=_COPYING_LIMITS,
        precision="fp32",
        weights=lambda: "embedded",
        available=lambda: True,
    ),
    InpainterEntry(
        name="migan",
        description="A small neural network (MI-GAN) that sees 512 pixels around a hole.",
        licence="MIT",
        load=_migan,
        slots=lambda _: 1,
        megabytes=lambda: _megabytes(_migan_file()) + MIGAN_WORK,
        limits=_MIGAN_LIMITS,
        precision="fp32",
        weights=lambda: _migan_file().stem if _migan_file().is_file() else None,
        available=lambda: _migan_file().is_file(),
    ),
    InpainterEntry(
        name="patchmatch",
        description="Copies what fits best from elsewhere in the picture (PatchMatch). Needs no weights.",
        licence="MIT",
        load=_patchmatch,
        slots=_one_a_core,  # a call uses one
        megabytes=lambda: 0.0,
        limits=_COPYING_LIMITS,
        precision="uint8",
        weights=lambda: None,
        available=lambda: True,
    ),
    _diffusion_entry(
        "sd",
        "Invents what a prompt asks for (Stable Diffusion inpainting), 512 pixels around a hole. Slow without a GPU.",
        "LicenseRef-CreativeML-OpenRAIL-M",
        _SD_LIMITS,
    ),
    _diffusion_entry(
        "sdxl",
        "The same in more detail (Stable Diffusion XL inpainting), 1024 pixels around a hole. Very slow without a GPU.",
        "LicenseRef-CreativeML-OpenRAIL-PP-M",
        _SDXL_LIMITS,
    ),
)
INPAINTERS = {entry.name: entry for entry in _ENTRIES}
DETECTOR = Entry[Detector](
    "watermark", _watermark, lambda _: 1, lambda: _megabytes(weights.WATERMARK, weights.REFINEMENT)
)
TEXT = Entry[TextDetector]("text", text.load, lambda _: 1, lambda: text.MEGABYTES)
