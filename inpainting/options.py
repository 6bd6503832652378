"""What a call asks for, apart from the pixels: small, frozen, and fit to be stored as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from inpainting.engine.interface import Sampling

# What is looked for where nothing is marked: a watermark, lettering of any kind.
Target = Literal["watermark", "text"]
TARGETS: tuple[Target, ...] = ("watermark", "text")

# repaint: fill the hole. restore: take the watermark off what is behind it and touch nothing else. auto: restore what
# shines through, repaint the rest.
Mode = Literal["auto", "repaint", "restore"]
MODES: tuple[Mode, ...] = ("auto", "repaint", "restore")

FileFormat = Literal["png", "jpeg", "webp", "avif"]
# auto: the one that the picture came in.
Format = FileFormat | Literal["auto"]
FORMATS: tuple[Format, ...] = ("png", "jpeg", "webp", "avif", "auto")

# What is not pixels, nor needed to show them: strip leaves it out, as it may tell a place or a name; keep copies EXIF.
Metadata = Literal["strip", "keep"]
METADATA: tuple[Metadata, ...] = ("strip", "keep")

MAX_GROW = 64

MAX_PROMPT = 1000  # characters; diffusion models read 77 tokens of it
MAX_STEPS, MAX_GUIDANCE, MAX_SEED = 100, 30, 2**32 - 1


@dataclass(frozen=True)
class Options:
    """`model`: an inpainter's name, None for the service's default. `mode`: None for the default of `mode_for`.

    `grow`: pixels, 0 to MAX_GROW, by which what is repainted is widened. `format`: of the result.
    `metadata`: what becomes of EXIF. `targets`: some of TARGETS in their order; None: a watermark, or there is a mask.
    The others: as `Sampling` has them, of models that sample.
    """

    model: str | None = None
    mode: Mode | None = None
    grow: int = 0
    format: Format = "png"
    metadata: Metadata = "strip"
    prompt: str | None = None
    negative_prompt: str | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int | None = None
    targets: tuple[Target, ...] | None = None

    @property
    def seeks_text(self) -> bool:
        return self.targets is not None and "text" in self.targets

    @property
    def seeks_watermark(self) -> bool:
        return self.targets is None or "watermark" in self.targets

    @property
    def sampling(self) -> Sampling | None:
        """None where nothing of it is asked for."""
        asked = Sampling(self.prompt, self.negative_prompt, self.steps, self.guidance, self.seed)
        return None if asked == Sampling() else asked

    def mode_for(self, *, masked: bool) -> Mode:
        """A mask says what is to go, so it is repainted; without one a watermark is looked for."""
        return self.mode or ("repaint" if masked else "auto")

    def to_json(self) -> dict[str, Any]:
        """Without what nobody asked for: workers of an older version do not know every option."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Options:
        """What to_json gave. An option that was not there yet when it was stored has its default."""
        options = cls(**stored)
        return options if options.targets is None else replace(options, targets=tuple(options.targets))
