"""What the rest of the program sees of the engine: types, errors and two protocols. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from numpy import bool_, float32, uint8
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inpainting.engine.logo import Logo
    from inpainting.engine.shared_mark import SharedMark, Shot, Steps

Picture = NDArray[uint8]  # (H, W, 3) RGB
Hole = NDArray[bool_]  # (H, W), True where the picture is to be filled
BlendMask = NDArray[uint8]  # (H, W), 0..255: how much of the filled picture replaces the original, in 255ths
Plane = NDArray[float32]  # (H, W), 0..1


class UnknownModel(ValueError):
    """A model was asked for by a name that nobody has."""


class OptionNotTaken(ValueError):
    """Something was asked of a model that it has no use for, such as a prompt of one that knows no words."""


class TextNotInstalled(RuntimeError):
    """Lettering is to be found, and the packages that find it are not there."""

    def __init__(self) -> None:
        super().__init__(
            "This server cannot find lettering: targets=text needs packages that its operator has not installed "
            "(pip install -r requirements-text.txt)."
        )


class EngineUnavailable(RuntimeError):
    """A model cannot be loaded. The message is a sentence for whoever asked and for the staff."""


class EngineBusy(RuntimeError):
    """Too many requests wait already, or this one has waited or would wait too long. Nothing was computed."""

    why = "The engine is busy."

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"{self.why} Try again in {retry_after} seconds.")
        self.retry_after = retry_after  # seconds, at least 1


class TooManyCalls(EngineBusy):
    """As many calls of this caller run and wait as may."""

    why = "Too many of your pictures are being processed at once."


class Inpainter(Protocol):
    """A model that fills holes, and does nothing else: turns, crops and blending are the door's."""

    @property
    def weights(self) -> str | None:
        """big-lama, a file's stem or a folder's name, embedded, or None where there are none to load."""

    @property
    def device(self) -> str:
        """cpu or cuda."""

    @property
    def precision(self) -> str:
        """fp32, fp16 or bf16; uint8 for patchmatch."""

    def fill(self, picture: Picture, hole: Hole) -> Picture:
        """(H, W, 3), (H, W) -> (H, W, 3), both contiguous, of any size, with at least one pixel outside the hole.

        Only what it returns inside the hole is used. The arguments are left as they are; the same input gives the same
        output; many threads may call it.
        """


@dataclass(frozen=True)
class Sampling:
    """How a diffusion model fills; None: as the model has it by default. Both texts say what is to be seen, or not.

    `steps` 1..100, `guidance` 0..30, `seed` 0..2^32-1; without a seed it is made of the input, so that the same input
    gives the same output.
    """

    prompt: str | None = None
    negative_prompt: str | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None


class Sampler(Inpainter, Protocol):
    """An inpainter that invents what it fills a hole with."""

    def sample(self, picture: Picture, hole: Hole, sampling: Sampling) -> Picture:
        """As `fill`, which samples with nothing asked for."""


@dataclass(frozen=True)
class Inpainted:
    picture: Picture
    seconds: float  # that the model took, without the wait for it


# Whom to believe that a picture has a mark: nobody; a caller who means one, so that the likeliest candidate counts
# where none is sure; or a caller who means all, so that every likely one counts.
Trust = Literal["nobody", "one", "all"]


class Found(NamedTuple):
    """Where a mark is, in pixels, and how sure that is."""

    x: int
    y: int
    width: int
    height: int
    score: float  # 0..1: that share of all boxes with this score holds a mark (rendered pictures)


@dataclass(frozen=True)
class Detection:
    """What was found. Where `mask` is False everywhere there is no watermark, and `restored` is the picture."""

    probability: Plane  # that a pixel is marked
    opacity: Plane  # of the mark; 0 outside the mask
    mask: Hole  # (H, W)
    restored: Picture  # (H, W, 3): the mark computed away; the picture's own pixels where it is not `touched`
    touched: Hole  # (H, W): the mask and what is close to it
    boxes: list[Found]  # the surest first
    proposals: list[Found] = field(default_factory=list)  # what may be marks too, but is not sure enough
    copies: Hole | None = None  # (H, W): the part of the mask that was computed from a tiled mark's copies
    opaque: Hole | None = None  # (H, W): the part of the mask that is known to hide what is below
    bars: Hole | None = None  # (H, W): bars of one colour, which is below whatever of the mask is on them
    seconds: float = 0.0  # that the detector took, without the wait for it: set by the door


class Detector(Protocol):
    def detect(self, picture: Picture, hole: Hole | None, *, trust: Trust, mend: bool) -> Detection:
        """What `inpainting.engine.detect` documents; whose turn it is is the door's. Many threads may call it."""

    def lift(self, picture: Picture, mark: SharedMark | Logo) -> Detection | None:
        """The picture without a mark that many share, or a known logo; None: it does not show that."""

    def shared_mark(self, shots: Sequence[Shot]) -> Steps:
        """The mark that most of `shots` share; None where they share none."""


class TextRegion(NamedTuple):
    """A line or word of lettering: what is upright around it, in pixels, and its own outline."""

    x: int
    y: int
    width: int
    height: int
    score: float  # 0..1: the mean of how sure the network is of the pixels inside
    polygon: tuple[tuple[int, ...], ...]  # (x, y) of 3 to 8 corners: a turned rectangle, cut off at the picture's edges


@dataclass(frozen=True)
class Lettering:
    mask: Hole  # (H, W): the inside of all regions
    regions: list[TextRegion]  # the surest first
    seconds: float  # that it took to find them, without the wait


class TextDetector(Protocol):
    def find(self, picture: Picture) -> list[TextRegion]:
        """What `inpainting.engine.find_text` documents. One thread at a time calls it."""


State = Literal["idle", "loading", "ready", "failed"]


@dataclass(frozen=True)
class EngineStatus:
    """The default inpainter, as `status` sees it."""

    model: str
    weights: str | None
    device: str
    gpu_available: bool
    precision: str
    state: State
    error: str | None = None


@dataclass(frozen=True)
class ModelInfo:
    """A line of GET /api/v1/models."""

    name: str
    description: str
    licence: str  # as SPDX names it
    available: bool
    default: bool
    weights: str | None
    units: int | None  # of quota that a picture usually costs; None: it is on a plan only where that says so
