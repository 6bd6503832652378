"""What is taken off a picture: a mark by the repair that leaves less of a trace, everything else by repainting."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np

from inpainting import admission, cutouts, engine, findings, images, masks, repair
from inpainting.engine import Detection, Logo, SharedMark, Trust
from inpainting.engine.crops.boxes import parts
from inpainting.engine.crops.paint import blend
from inpainting.engine.interface import BlendMask, Hole
from inpainting.images import Picture, SizeLimit
from inpainting.options import FileFormat, Mode, Options
from inpainting.saved_marks.saved import Saved


@dataclass(frozen=True)
class Job:
    """A picture, and a blend mask (H, W) of its size with a hole, or None: find the targets. `options` say how.

    `mark`: that many pictures share, and this one too if it shows it, or a logo that is known; instead of a mask.
    """

    picture: Picture
    blend_mask: BlendMask | None
    options: Options
    mark: SharedMark | Logo | None = None

    @classmethod
    def of(cls, picture: Picture, mask: BlendMask | None, options: Options) -> Job:
        """The user's mask is widened as `options` ask. Raises MaskCoversEverything."""
        return cls(picture, mask if mask is None else masks.grow(mask, options.grow), options)

    @classmethod
    def read(
        cls,
        image: bytes,
        options: Options,
        limit: SizeLimit,
        *,
        mask: bytes | None = None,
        rectangles: str | None = None,
    ) -> Job:
        """Of files as they came, with v1's meaning of a mask. Raises what images.py and masks.py refuse."""
        picture, blend_mask = images.decode(image, limit), None
        if mask is not None:
            blend_mask = masks.blend(mask, picture, limit)
        elif rectangles is not None:
            blend_mask = masks.from_rectangles(rectangles, picture.height, picture.width)
        return cls.of(picture, blend_mask, options)

    @classmethod
    def marked(cls, image: bytes, options: Options, limit: SizeLimit, saved: Saved) -> Job:
        """Of a picture that has a saved mark. Raises what images.py refuses; EmptyMask, MaskCoversEverything."""
        picture = images.decode(image, limit)
        if saved.kind == "logo":
            return cls(picture, None, options, saved.logo(picture.height, picture.width))
        return cls.of(picture, saved.mask(picture.height, picture.width), options)

    @staticmethod
    def room(
        image: bytes, options: Options, limit: SizeLimit, *, mask: bytes | Saved | None = None, masked: bool = True
    ) -> AbstractContextManager[None]:
        """Room in the memory for what is made of these files, before any is decoded; `masked`: something is marked.

        Raises what images.py and masks.py refuse by headers; NoRoom.
        """
        pixels, files = images.check(image, limit), len(image)
        if isinstance(mask, Saved):
            pixels += mask.pixels  # which may be more than the picture's
        elif mask is not None:
            pixels, files = max(pixels, masks.pixels(mask, limit)), files + len(mask)
        return admission.worked_on(pixels, files, detects=options.mode_for(masked=masked) != "repaint" or not masked)

    @property
    def mode(self) -> Mode:
        return self.options.mode_for(masked=self.blend_mask is not None)

    @property
    def format(self) -> FileFormat:
        """Of the result. `auto` loses no alpha: a HEIC picture becomes a JPEG, or a PNG where it is not opaque."""
        if self.options.format != "auto":
            return self.options.format
        is_opaque = self.picture.alpha is None
        return self.picture.format if is_opaque or self.picture.format != "jpeg" else "png"


@dataclass(frozen=True)
class Removed:
    picture: Picture  # without what was to be removed
    pixels: int  # so many of it were worked on; 0 where there was nothing to do and it is unchanged
    seconds: float  # that the engine took
    confidence: float = 0.0  # 0..1: that the surest of what was found is a mark; 0 where nothing was found
    shared: bool = False  # it was the job's mark


def remove(job: Job) -> Removed:
    """Without a mask the caller is believed that there is a watermark: the likeliest goes where none is sure. Lettering
    goes only where the caller asked for it.

    Raises what the engine raises, and MaskCoversEverything where a found watermark leaves nothing to repaint it from.
    """
    picture, blend_mask, asked = job.picture, job.blend_mask, (job.options.model, job.options.sampling)
    if blend_mask is not None and job.mode == "repaint":
        picture, seconds = cutouts.inpaint(picture, blend_mask, *asked)
        return Removed(picture, int(np.count_nonzero(blend_mask)), seconds)
    if not job.options.seeks_watermark:
        return _without_lettering(job)
    hole = None if blend_mask is None else blend_mask > 0
    trust: Trust = "all" if job.mode == "restore" else "one" if blend_mask is None else "nobody"
    shown = cutouts.shown(picture)
    lifted = engine.lift(shown, job.mark) if job.mark else None
    if isinstance(job.mark, Logo) and (lifted is None or job.mode == "repaint"):
        return _without_fit(job, job.mark)
    found = lifted or engine.detect(shown, hole, trust=trust, mend=job.mode != "repaint")
    seconds, scores = found.seconds, list[float]()
    grow = job.options.grow if blend_mask is None else 0  # a user's mask has grown already
    restorable, to_repaint = divided(found, blend_mask, job.mode, grow)
    if job.options.seeks_text:
        lettering = findings.apart(engine.find_text(shown), found)
        to_repaint = np.maximum(to_repaint, masks.widened(lettering.mask * masks.WHITE, grow))
        restorable &= to_repaint == 0
        seconds += lettering.seconds
        scores = [region.score for region in lettering.regions]
    if picture.alpha is not None:  # what a mark covers is only seen through it where that is opaque
        bare = restorable & (picture.alpha < 255)
        restorable &= ~bare
        to_repaint = np.maximum(to_repaint, bare * (masks.WHITE if blend_mask is None else blend_mask))
    if restorable.any():
        restored = np.where(restorable[..., None], found.restored, picture.rgb)
        if blend_mask is not None:
            blend(restored, picture.rgb, blend_mask)
        picture = replace(picture, rgb=restored)
    if to_repaint.all():
        raise masks.MaskCoversEverything("Send a mask, or mode=restore.")
    if to_repaint.any():
        picture, more = cutouts.inpaint(picture, to_repaint, *asked)
        seconds += more
    confidence = max([box.score for box in found.boxes] + scores, default=0.0)
    pixels = int(np.count_nonzero((to_repaint > 0) | restorable))
    return Removed(picture, pixels, seconds, confidence, lifted is not None)


def _without_fit(job: Job, logo: Logo) -> Removed:
    """The logo's shape repainted where it should be; restoring has nothing to take off."""
    if job.mode == "restore":
        return Removed(job.picture, 0, 0.0)
    shape = masks.checked(logo.shape(job.picture.height, job.picture.width) * masks.WHITE, "The logo is elsewhere.")
    shape = masks.grow(shape, job.options.grow)
    picture, seconds = cutouts.inpaint(job.picture, shape, job.options.model, job.options.sampling)
    return Removed(picture, int(np.count_nonzero(shape)), seconds)


def _without_lettering(job: Job) -> Removed:
    """What is written in the picture, repainted: there is no telling what was below. Raises what `remove` does."""
    found = engine.find_text(cutouts.shown(job.picture))
    if not found.regions:
        return Removed(job.picture, 0, found.seconds)
    shape = masks.widened(found.mask * masks.WHITE, job.options.grow)
    if shape.all():
        raise masks.MaskCoversEverything("Send a mask.")
    picture, seconds = cutouts.inpaint(job.picture, shape, job.options.model, job.options.sampling)
    return Removed(picture, int(np.count_nonzero(shape)), found.seconds + seconds, found.regions[0].score)


def divided(found: Detection, blend_mask: BlendMask | None, mode: Mode, grow: int = 0) -> tuple[Hole, BlendMask]:
    """What is restored, and the blend mask of what is repainted; the rest of the picture stays as it is.

    `auto` chooses for each mark the repair that leaves less of a trace. A part of a user's mask with a mark in it that
    is restored was drawn around that mark: what lies between its letters is the picture. Any other part is repainted.
    """
    hole = found.touched if blend_mask is None else blend_mask > 0
    if mode == "restore":
        return found.touched & hole, np.zeros(hole.shape, np.uint8)
    restorable, shapes = np.zeros_like(hole), np.zeros(hole.shape, np.uint8)
    for mark in repair.marks(found):
        if mode == "repaint" or repair.is_repainted(mark, found):
            shapes[mark.box.slices] = np.maximum(shapes[mark.box.slices], mark.shape * masks.WHITE)
        else:
            restorable[mark.box.slices] |= mark.touched
            if found.opaque is not None:
                shapes[mark.box.slices] |= repair.opaque(mark, found) * masks.WHITE
    shapes = masks.widened(shapes, grow)
    if found.bars is not None:
        shapes[found.bars] = 0
        restorable |= found.touched & found.bars
    restorable &= shapes == 0
    if blend_mask is None:
        return restorable, shapes
    around = np.zeros_like(hole)
    for box in parts(hole) if restorable.any() else []:
        if restorable[box.slices].any():
            around[box.slices] |= hole[box.slices]
    return restorable & hole, np.where(around, np.minimum(blend_mask, shapes), blend_mask)
