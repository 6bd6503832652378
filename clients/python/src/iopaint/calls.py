"""The table of requests: what each call sends and what its answer becomes. Both clients send these."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, Union
from urllib.parse import quote

import httpx

from iopaint import errors, files
from iopaint.answers import Batch, Box, Detection, Health, Item, Model, Result, Stats, picture_type
from iopaint.reading import body_of, cursor_of, of, several
from iopaint.saving import Format

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    D = TypeVar("D", bound=DataclassInstance)

T = TypeVar("T")
Page = tuple[list[T], "str | None"]  # and the next one's cursor
Rectangle = Union[Box, "tuple[int, int, int, int]", Mapping[str, int]]
Mode = Literal["auto", "repaint", "restore"]
MarkKind = Literal["mask", "logo"]
Target = Literal["watermark", "text"]
# Bytes of an answer. The second is that of 8192 x 8192 pixels of noise with alpha, twice.
LARGEST_BODY, LARGEST_PICTURE = 16 << 20, 512 << 20
MOST_A_PAGE = 200


SENT_AS_THEY_ARE = (
    *("mark", "grow", "mode", "format", "model"),
    *("prompt", "negative_prompt", "steps", "guidance", "seed"),
)


class Options(TypedDict, total=False):
    """What can be asked for with every removal.

    rectangles: instead of a mask: boxes of detect, (x, y, width, height), or mappings of these four.
    mark: instead of a mask: the id of a saved mark.
    targets: what is looked for without a mask: watermark (the default), text (lettering of any kind), or both.
    grow: 0 to 64, pixels by which the repainted area is widened. exif: strip (the default) or keep.
    prompt, negative_prompt: what is to be seen in the hole, and what is not; steps: 1 to 100; guidance: 0 to 30, how
    strictly the prompt is followed; seed: 0 to 2^32-1. These five are for models that invent (sd, sdxl).
    idempotency_key: a repeat with the same one is answered as the first time and charged once; a new one by default.
    timeout: seconds for each try.
    """

    rectangles: Sequence[Rectangle]
    mark: str
    targets: Sequence[Target]
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
    kept, from 60 to what the plan allows; 0: until each was downloaded, for ten minutes at most. shared_mark: all
    pictures, 8 or more, have the same mark: it is computed from all of them and taken off exactly; takes no mask.
    """

    metadata: Mapping[str, Any]
    webhook_url: str
    partial: bool
    expires_in: int
    shared_mark: bool


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
    """also: statuses besides 2xx that are answers too. charged: costs quota, so it goes under an idempotency key.

    body: JSON, instead of fields and files. once: twice would be two, so it is not tried again after a lost answer.
    streamed: the answer is given open. largest: bytes of one that is not.
    """

    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[tuple[str, files.File]] = ()
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    needs_key: bool = True
    charged: bool = False
    idempotency_key: str | None = None
    timeout: float | None = None
    streamed: bool = False
    once: bool = False
    largest: int = LARGEST_BODY
    also: tuple[int, ...] = ()


def remove_watermark(image: files.Picture, mask: files.Picture | None, options: Options) -> Call[Result]:
    sent = [files.part("image", image), *_mask(mask)]
    fields, tries = _fields(options, exif="metadata"), _tries(options)
    return Call(
        *("POST", "/api/v1/remove-watermark", Result.of, fields, sent), charged=True, largest=LARGEST_PICTURE, **tries
    )


@dataclass(frozen=True)
class Given:
    """A batch's pictures: images or a ZIP of them; and a mask for all, or masks, one each."""

    images: Sequence[files.Picture] = ()
    mask: files.Picture | None = None
    masks: Sequence[files.Picture] | None = None
    archive: files.Picture | None = None

    def parts(self) -> list[tuple[str, files.File]]:
        """Raises TypeError, what files.file raises."""
        files.check_several(self.images)
        named = [files.part("image", image, files.label(image, index)) for index, image in enumerate(self.images)]
        parts = [*((f"{name}s", file) for name, file in named), *_mask(self.mask)]  # images, image_urls
        if self.masks is not None:
            files.check_several(self.masks)
            parts += [("masks", files.file(mask, f"mask-{index + 1}")) for index, mask in enumerate(self.masks)]
        return parts if self.archive is None else [*parts, ("archive", files.file(self.archive, "archive.zip"))]


def create_batch(given: Given, options: BatchOptions) -> Call[Batch]:
    fields = {**_fields(options, exif="exif"), "partial": _flag(options.get("partial", False))}
    if "shared_mark" in options:
        fields["shared_mark"] = _flag(options["shared_mark"])
    if "metadata" in options:
        fields["metadata"] = json.dumps(options["metadata"])
    if "webhook_url" in options:
        fields["webhook_url"] = options["webhook_url"]
    if "expires_in" in options:
        fields["expires_in"] = str(options["expires_in"])
    return Call("POST", "/api/v1/batch", one(Batch), fields, given.parts(), charged=True, **_tries(options))


def detect(
    image: files.Picture, mode: Mode, targets: Sequence[Target] | None, *, marked: bool, proposals: bool
) -> Call[Detection]:
    fields = {"mode": mode, "marked": _flag(marked), "proposals": _flag(proposals), **_targets(targets)}
    return Call("POST", "/api/v1/detect", one(Detection), fields, [files.part("image", image)])


def detect_mask(image: files.Picture, mode: Mode, targets: Sequence[Target] | None, *, marked: bool) -> Call[bytes]:
    fields, headers = {"mode": mode, "marked": _flag(marked), **_targets(targets)}, {"Accept": "image/png"}
    sent = [files.part("image", image)]
    return Call("POST", "/api/v1/detect", picture, fields, sent, headers=headers, largest=LARGEST_PICTURE)


def stats() -> Call[Stats]:
    return Call("GET", "/api/v1/stats", one(Stats))


def health() -> Call[Health]:
    return Call("GET", "/api/v1/health", one(Health), needs_key=False, also=(503,))


def models() -> Call[list[Model]]:
    def parse(answer: httpx.Response) -> list[Model]:
        return several(Model, body_of(answer.content)["models"])

    return Call("GET", "/api/v1/models", parse, needs_key=False)


def batch(id: str) -> Call[Batch]:
    return Call("GET", address("batch", id), one(Batch))


def batches(limit: int, cursor: str | None) -> Call[Page[Batch]]:
    return Call("GET", f"/api/v1/batch?{page_query(limit, cursor)}", paged(Batch))


def items(id: str, limit: int, cursor: str | None) -> Call[Page[Item]]:
    return Call("GET", f"{address('batch', id)}/items?{page_query(limit, cursor)}", paged(Item))


def cancel_batch(id: str) -> Call[Batch]:
    return Call("DELETE", address("batch", id), one(Batch))


def retry_batch(id: str, *, partial: bool) -> Call[Batch]:
    return Call("POST", f"{address('batch', id)}/retry", one(Batch), {"partial": _flag(partial)}, once=True)


def results(id: str) -> Call[httpx.Response]:
    """A ZIP of what is there, open."""
    return Call("GET", f"{address('batch', id)}/results.zip", _of_type("application/zip"), streamed=True)


def events(id: str, last: str) -> Call[httpx.Response]:
    """Progress as server-sent events: the answer, open; or 204, when the batch was over before."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
    return Call("GET", f"{address('batch', id)}/events", _of_type("text/event-stream"), headers=headers, streamed=True)


def download(url: str) -> Call[httpx.Response]:
    """A result. Its address needs no key, so none is sent wherever it leads. Raises UnexpectedAnswer."""

    def parse(answer: httpx.Response) -> httpx.Response:
        picture_type(answer)
        return answer

    if not files.is_address(url):
        raise errors.UnexpectedAnswer("A result's address is none of the web.", code="unexpected_answer")
    try:
        httpx.URL(url)
    except httpx.InvalidURL as error:
        raise errors.UnexpectedAnswer(f"A result's address is none: {error}", code="unexpected_answer") from error
    return Call("GET", url, parse, needs_key=False, largest=LARGEST_PICTURE)


def result_url(item: Item) -> str:
    if item.result is None:
        raise ValueError(f"{item.name} has no result: it is {item.status}.")
    return item.result.url


def _mask(mask: files.Picture | None) -> list[tuple[str, files.File]]:
    return [] if mask is None else [files.part("mask", mask, "mask")]


def _tries(options: Options) -> dict[str, Any]:
    return {"idempotency_key": options.get("idempotency_key"), "timeout": options.get("timeout")}


def _targets(targets: Sequence[Target] | None) -> dict[str, str]:
    """Without any, nothing is sent, so that older services understand it."""
    return {} if targets is None else {"targets": targets if isinstance(targets, str) else ",".join(targets)}


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
    fields |= _targets(options.get("targets"))
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


def one(kind: type[D]) -> Callable[[httpx.Response], D]:
    return lambda answer: of(kind, body_of(answer.content))


def paged(kind: type[D]) -> Callable[[httpx.Response], Page[D]]:
    def parse(answer: httpx.Response) -> Page[D]:
        body = body_of(answer.content)
        return several(kind, body["results"]), cursor_of(body)

    return parse


def page_query(limit: int, cursor: str | None, **others: str) -> httpx.QueryParams:
    given = {"limit": str(min(limit, MOST_A_PAGE)), **others}
    return httpx.QueryParams(given if cursor is None else {**given, "cursor": cursor})


def address(kind: str, id: str) -> str:
    return f"/api/v1/{kind}/{quote(id, safe='')}"


def _of_type(kind: str) -> Callable[[httpx.Response], httpx.Response]:
    def parse(answer: httpx.Response) -> httpx.Response:
        if answer.status_code != 204 and answer.headers["Content-Type"].partition(";")[0].strip() != kind:
            raise ValueError(f"not {kind}")
        return answer

    return parse


def picture(answer: httpx.Response) -> bytes:
    picture_type(answer)
    return answer.content
