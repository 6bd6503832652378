"""The table of requests: what each call sends and what its answer becomes. Both clients send these."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypedDict, TypeVar, Union
from urllib.parse import parse_qs, urlsplit

import httpx

from iopaint import files
from iopaint.answers import Batch, Box, Detection, Health, Item, Model, Result, SavedMark, Stats, of
from iopaint.saving import Format

T = TypeVar("T")
Rectangle = Union[Box, "tuple[int, int, int, int]", Mapping[str, int]]
Mode = Literal["auto", "repaint", "restore"]
MarkKind = Literal["mask", "logo"]


SENT_AS_THEY_ARE = (
    *("mark", "grow", "mode", "format", "model"),
    *("prompt", "negative_prompt", "steps", "guidance", "seed"),
)


class Options(TypedDict, total=False):
    """What can be asked for with every removal.

    rectangles: instead of a mask: boxes of detect, (x, y, width, height), or mappings of these four.
    mark: instead of a mask: the id of a saved mark.
    grow: 0 to 64, pixels by which the repainted area is widened. exif: strip (the default) or keep.
    prompt, negative_prompt: what is to be seen in the hole, and what is not; steps: 1 to 100; guidance: 0 to 30, how
    strictly the prompt is followed; seed: 0 to 2^32-1. These five are for models that invent (sd, sdxl).
    idempotency_key: a repeat with the same one is answered as the first time and charged once; a new one by default.
    timeout: seconds for each try.
    """

    rectangles: Sequence[Rectangle]
    mark: str
    grow: int
    mode: Mode
    format: Format
    model: str
    exif: Literal["strip", "keep"]
    prompt: str
    negative_prompt: str
    steps: int
    guidance: float
    seed: int
    idempotency_key: str
    timeout: float


class BatchOptions(Options, total=False):
    """metadata: a JSON object that is given back. partial: do as many pictures as the quota has units for.

    webhook_url: an https address that is told when the batch is over. expires_in: seconds for which the results are
    kept, from 60 to what the plan allows; 0: until each was downloaded, for ten minutes at most.
    """

    metadata: Mapping[str, Any]
    webhook_url: str
    partial: bool
    expires_in: int


class MarkOptions(TypedDict, total=False):
    """Where pictures have a saved mark, and what is known of it.

    anchor: top-left, top-centre, … bottom-right, centre, or whole (a mask's default; a logo's is bottom-right).
    scaling: picture (the default: it grows with the picture) or pixels. opacity: of a logo, 0.01 to 1. x, y: where the
    logo is, in pixels of a picture of picture_width and picture_height; all four or none.
    """

    anchor: str
    scaling: Literal["picture", "pixels"]
    opacity: float
    x: int
    y: int
    picture_width: int
    picture_height: int


@dataclass(frozen=True)
class Call(Generic[T]):
    """also: statuses besides 2xx that are answers too. charged: costs quota, so it goes under an idempotency key."""

    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[tuple[str, files.File]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    needs_key: bool = True
    charged: bool = False
    idempotency_key: str | None = None
    timeout: float | None = None
    streamed: bool = False
    also: tuple[int, ...] = ()


def remove_watermark(image: files.Picture, mask: files.Picture | None, options: Options) -> Call[Result]:
    sent = [files.part("image", image), *_mask(mask)]
    fields = _fields(options, exif="metadata")
    return Call("POST", "/api/v1/remove-watermark", Result.of, fields, sent, charged=True, **_tries(options))


def create_batch(images: Sequence[files.Picture], mask: files.Picture | None, options: BatchOptions) -> Call[Batch]:
    files.check_several(images)
    fields = {**_fields(options, exif="exif"), "partial": _flag(options.get("partial", False))}
    if "metadata" in options:
        fields["metadata"] = json.dumps(options["metadata"])
    if "webhook_url" in options:
        fields["webhook_url"] = options["webhook_url"]
    if "expires_in" in options:
        fields["expires_in"] = str(options["expires_in"])
    parts = [files.part("image", image, files.label(image, index)) for index, image in enumerate(images)]
    sent = [*((f"{name}s", file) for name, file in parts), *_mask(mask)]  # images, image_urls
    return Call("POST", "/api/v1/batch", _one(Batch), fields, sent, charged=True, **_tries(options))


def detect(image: files.Picture, mode: Mode, *, marked: bool, proposals: bool) -> Call[Detection]:
    fields = {"mode": mode, "marked": _flag(marked), "proposals": _flag(proposals)}
    return Call("POST", "/api/v1/detect", Detection.of, fields, [files.part("image", image)])


def detect_mask(image: files.Picture, mode: Mode, *, marked: bool) -> Call[bytes]:
    fields, headers = {"mode": mode, "marked": _flag(marked)}, {"Accept": "image/png"}
    return Call("POST", "/api/v1/detect", _content, fields, [files.part("image", image)], headers)


def create_mark(image: files.Picture, name: str, kind: MarkKind, options: MarkOptions) -> Call[SavedMark]:
    fields = {"name": name, "kind": kind, **{field: str(value) for field, value in options.items()}}
    return Call("POST", "/api/v1/marks", _one(SavedMark), fields, [files.part("image", image, "mark")])


def marks() -> Call[list[SavedMark]]:
    def parse(answer: httpx.Response) -> list[SavedMark]:
        return [of(SavedMark, each) for each in answer.json()["results"]]

    return Call("GET", "/api/v1/marks?limit=200", parse)


def delete_mark(id: str) -> Call[None]:
    return Call("DELETE", f"/api/v1/marks/{id}", lambda answer: None)


def stats() -> Call[Stats]:
    return Call("GET", "/api/v1/stats", _one(Stats))


def health() -> Call[Health]:
    return Call("GET", "/api/v1/health", _one(Health), needs_key=False, also=(503,))


def models() -> Call[list[Model]]:
    def parse(answer: httpx.Response) -> list[Model]:
        return [of(Model, each) for each in answer.json()["models"]]

    return Call("GET", "/api/v1/models", parse, needs_key=False)


def batch(id: str) -> Call[Batch]:
    return Call("GET", f"/api/v1/batch/{id}", _one(Batch))


def batches(limit: int) -> Call[list[Batch]]:
    def parse(answer: httpx.Response) -> list[Batch]:
        return [of(Batch, each) for each in answer.json()["results"]]

    return Call("GET", f"/api/v1/batch?limit={limit}", parse)


def items(id: str, cursor: str | None) -> Call[tuple[list[Item], str | None]]:
    """A page of a batch's pictures, and the next one's cursor."""

    def parse(answer: httpx.Response) -> tuple[list[Item], str | None]:
        body = answer.json()
        following = parse_qs(urlsplit(body["next"] or "").query).get("cursor", [None])[0]
        return [of(Item, each) for each in body["results"]], following

    query = httpx.QueryParams({"limit": 200, **({"cursor": cursor} if cursor else {})})
    return Call("GET", f"/api/v1/batch/{id}/items?{query}", parse)


def cancel_batch(id: str) -> Call[Batch]:
    return Call("DELETE", f"/api/v1/batch/{id}", _one(Batch))


def retry_batch(id: str, *, partial: bool) -> Call[Batch]:
    return Call("POST", f"/api/v1/batch/{id}/retry", _one(Batch), {"partial": _flag(partial)})


def events(id: str, last: str) -> Call[httpx.Response]:
    """Progress as server-sent events: the answer, open."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
    return Call("GET", f"/api/v1/batch/{id}/events", lambda answer: answer, headers=headers, streamed=True)


def download(url: str) -> Call[httpx.Response]:
    """A result. Its address needs no key, so none is sent wherever it leads."""
    return Call("GET", url, lambda answer: answer, needs_key=False)


def result_url(item: Item) -> str:
    if item.result is None:
        raise ValueError(f"{item.name} has no result: it is {item.status}.")
    return item.result.url


def _mask(mask: files.Picture | None) -> list[tuple[str, files.File]]:
    return [] if mask is None else [files.part("mask", mask, "mask")]


def _tries(options: Options) -> dict[str, Any]:
    return {"idempotency_key": options.get("idempotency_key"), "timeout": options.get("timeout")}


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _fields(options: Options, *, exif: str) -> dict[str, str]:
    """exif: the name that this field has there. Raises TypeError for an option that does not exist."""
    given: Mapping[str, Any] = options
    if unknown := given.keys() - BatchOptions.__annotations__.keys():
        raise TypeError(f"There is no option {min(unknown)!r}. There are {', '.join(Options.__annotations__)}.")
    fields = {name: str(given[name]) for name in SENT_AS_THEY_ARE if name in given}
    if "exif" in options:
        fields[exif] = options["exif"]
    if "rectangles" in options:
        fields["rectangles"] = json.dumps([_rectangle(each) for each in options["rectangles"]])
    return fields


def _rectangle(rectangle: Rectangle) -> dict[str, int]:
    sides = ("x", "y", "width", "height")
    if isinstance(rectangle, Box):
        return {side: getattr(rectangle, side) for side in sides}
    if isinstance(rectangle, Mapping):
        return {side: int(rectangle[side]) for side in sides}
    x, y, width, height = map(int, rectangle)
    return {"x": x, "y": y, "width": width, "height": height}


def _one(kind: type[T]) -> Callable[[httpx.Response], T]:
    return lambda answer: of(kind, answer.json())  # type: ignore[type-var]


def _content(answer: httpx.Response) -> bytes:
    return answer.content
