"""Pictures in, results out: one at a time, or many as batches, kept in memory or written to files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from iopaint import calls, errors, files, saving
from iopaint.answers import Batch, Item, ItemError, Result, picture_type
from iopaint.calls import BatchOptions, Given, Options
from iopaint.files import Picture
from iopaint.flows import Caller, Flow, Give, follow, send

MOST, MOST_BYTES = 50, 64 << 20  # pictures of one request, so that few are in memory at once
SHARING = 8  # pictures that a mark which they share needs

Output = str | os.PathLike[str]


@dataclass(frozen=True)
class Processed:
    """What became of one of many pictures.

    index, name: whose it is. content, or path where it was written: the result; neither where there is an error.
    coverage: the share that was worked on, 0 to 1; 0: nothing was found, nothing was charged.
    """

    index: int
    name: str
    content: bytes | None = field(default=None, repr=False)
    path: Path | None = None
    coverage: float = 0.0
    error: errors.IOPaintError | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


def remove(
    caller: Caller, image: Picture, mask: Picture | None, output: Output | None, options: Options
) -> Flow[Result]:
    """The result, written to `output` too. Raises OSError before anything is charged, IOPaintError."""
    target = None if output is None else Path(output)
    if target is not None:
        saving.check_target(target)
        options = {"format": saving.FORMATS.get(target.suffix.lower(), "png"), **options}
    result = yield from send(caller, calls.remove_watermark(image, mask, options))
    if target is not None:
        saving.write(target, result.content)
    return result


@dataclass(frozen=True)
class Work:
    """Many pictures. folder: where results are written; None: they are kept. accepted: told each batch once it runs.

    masks: instead of mask: one each.
    """

    images: Sequence[Picture]
    folder: Path | None
    mask: Picture | None
    masks: Sequence[Picture] | None
    options: BatchOptions
    accepted: Callable[[Batch], object] | None = None

    def check(self) -> None:
        """Raises TypeError, ValueError, OSError for what no batch can be made of."""
        files.check_several(self.images)
        files.check_several(self.masks or ())
        if self.masks is not None and len(self.masks) != len(self.images):
            raise ValueError(f"There are {len(self.images)} images and {len(self.masks)} masks.")
        for given in (*self.images, *(self.masks or ())):
            if isinstance(given, (str, os.PathLike)) and not files.is_address(given):
                os.stat(given)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            saving.check_folder(self.folder)

    def part(self, start: int, most: int) -> list[Picture]:
        """The next pictures: files read, addresses as they are."""
        left = len(self.images) - start
        least = SHARING if self.options.get("shared_mark") else 1
        if most < left < most + least and left >= 2 * least:  # the rest would be too few
            most = left - least
        part: list[Picture] = []
        total = 0
        for index in range(start, start + min(left, most)):
            image = self.images[index]
            if not files.is_address(image):
                image = files.file(image, files.label(image, index))
                total += len(image.content)
            part.append(image)
            if total > MOST_BYTES and len(part) >= least:
                break
        return part

    def asked(self, start: int, count: int) -> BatchOptions:
        """Of one of its batches: a caller's idempotency key stands for all of them, and each needs its own."""
        options: BatchOptions = {**self.options}
        if "idempotency_key" in options:
            options["idempotency_key"] += f":{start}:{count}"
        return options


def process(caller: Caller, work: Work) -> Flow[None]:
    """Gives what became of each picture, as it ends. Raises OSError before anything is charged, IOPaintError."""
    work.check()
    labels = [files.label(image, index) for index, image in enumerate(work.images)]
    stems = saving.stems(labels)
    mask = work.mask
    if mask is not None and not files.is_address(mask):
        mask = files.file(mask, "mask")  # read once for all batches
    start, most = 0, MOST
    while start < len(work.images):
        part = work.part(start, most)
        masks = None if work.masks is None else work.masks[start : start + len(part)]
        try:
            made = calls.create_batch(Given(part, mask, masks), work.asked(start, len(part)))
            batch = yield from send(caller, made)
        except (errors.BatchTooLarge, errors.BodyTooLarge):
            most = len(part) // 2  # the plan's limit is not known before
            if most == 0:
                raise
            continue
        if work.accepted is not None:
            work.accepted(batch)
        end = start + len(part)
        keep = _Keeping(caller, work.folder, labels[start:end], stems[start:end], start)
        yield from follow(caller, batch.id, keep)
        yield from keep.missing()
        start = end


def failure(item: Item) -> errors.IOPaintError:
    """Why it has no result."""
    gone = ItemError("not_found", "The result has expired, was deleted, or was there for one download.")
    told = item.error or (gone if item.status == "succeeded" else ItemError("cancelled", "The batch was cancelled."))
    return errors.coded(told.code, told.detail)


@dataclass(frozen=True)
class _Keeping:
    """What is done with each picture of a batch that ends; labels, stems: theirs."""

    caller: Caller
    folder: Path | None
    labels: Sequence[str]
    stems: Sequence[str]
    start: int
    done: set[int] = field(default_factory=set)

    def __call__(self, item: Item) -> Flow[None]:
        if not 0 <= item.index < len(self.labels):
            detail = f"The service tells of picture {item.index} in a batch of {len(self.labels)}."
            raise errors.UnexpectedAnswer(detail, code="unexpected_answer")
        self.done.add(item.index)
        index, name = self.start + item.index, self.labels[item.index]
        if item.result is None:
            yield Give(Processed(index, name, error=failure(item)))
            return
        try:
            answer = yield from send(self.caller, calls.download(item.result.url))
        except errors.IOPaintError as error:
            yield Give(Processed(index, name, error=error))
            return
        if self.folder is None:
            yield Give(Processed(index, name, content=answer.content, coverage=item.result.coverage))
            return
        path = self.folder / f"{self.stems[item.index]}.{saving.TYPES[picture_type(answer)]}"
        saving.write(path, answer.content)
        yield Give(Processed(index, name, path=path, coverage=item.result.coverage))

    def missing(self) -> Flow[None]:
        """Gives those of which nothing was told."""
        for index in sorted(set(range(len(self.labels))) - self.done):
            error = errors.UnexpectedAnswer("The service tells nothing of this picture.", code="unexpected_answer")
            yield Give(Processed(self.start + index, self.labels[index], error=error))
