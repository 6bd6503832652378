"""What the rest of the program sees of the engine: names, errors and one protocol. Imports no torch."""

from dataclasses import dataclass
from typing import Literal, Protocol

from numpy import bool_, float32, uint8
from numpy.typing import NDArray

Picture = NDArray[uint8]  # (H, W, 3) RGB
Hole = NDArray[bool_]  # (H, W), True where the picture is to be filled
Weights = NDArray[float32]  # (H, W), 0..1: how much of the inpainted picture is blended in


class UnknownModel(ValueError):
    """A model was asked for by a name that nobody has."""


class EngineUnavailable(RuntimeError):
    """A model cannot be loaded. The message is a sentence for whoever asked and for the staff."""


class EngineBusy(RuntimeError):
    """Too many requests wait already, or this one has waited too long. Nothing was computed."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"The engine is busy. Try again in {retry_after} seconds.")
        self.retry_after = retry_after  # seconds, at least 1


class Inpainter(Protocol):
    @property
    def name(self) -> str:
        """lama, hybrid or patchmatch."""

    @property
    def weights(self) -> str | None:
        """big-lama, compact, a file's stem, embedded, or None where there are none to load."""

    @property
    def device(self) -> str:
        """cpu or cuda."""

    @property
    def precision(self) -> str:
        """fp32, fp16 or bf16; uint8 for patchmatch."""

    def check_room(self) -> None:
        """EngineBusy, if `predict` would raise it now without waiting."""

    def predict(self, image: Picture, weights: Weights) -> Picture:
        """Fill the hole (weight > 0) and blend: original + weight * (inpainted - original), rounded.

        `image` (H, W, 3) RGB and `weights` (H, W) in 0..1, of 1x1 to 4096x4096 pixels; gives (H, W, 3). Pixels of
        weight 0 are returned exactly, the arguments are left as they are, and the same input gives the same output.
        May be called by many threads. ValueError: wrong shapes or types, or no pixel of weight 0. EngineBusy: come
        back later.
        """


@dataclass(frozen=True)
class Detection:
    """What was found. Where `mask` is False everywhere there is no watermark, and `restored` is the picture."""

    probability: Weights  # (H, W), 0..1: that a pixel is marked
    opacity: Weights  # (H, W), 0..1, of the mark; 0 outside the mask
    mask: Hole  # (H, W)
    opaque: Hole  # (H, W), part of the mask: too little of the picture shines through, so it has to be repainted
    restored: Picture  # (H, W, 3): the mark computed away; the picture's own pixels where it is not `touched`
    touched: Hole  # (H, W): the mask and what is close to it
    boxes: list[tuple[int, int, int, int, float]]  # (x, y, width, height, score 0..1), the surest first


class Detector(Protocol):
    def detect(
        self, image: Picture, hole: Hole | None = None, *, trusted: bool = False, mend: bool = True
    ) -> Detection:
        """Find watermarks in an (H, W, 3) RGB picture of 1x1 to 4096x4096 pixels, which is left as it is.

        `hole` (H, W): where a user says that something is to go. Nothing is found elsewhere, and less evidence is
        asked for there; still a part of it may lie over something else than a watermark, and then nothing is found in
        that part, unless the user is `trusted` to mean a watermark. Whoever needs no `restored` says so by `mend`: to
        mend it takes about as long as to find the mark. The same input gives the same output; may be called
        by many threads. EngineBusy: come back later.
        """


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
    available: bool
    default: bool
    weights: str | None
