"""The client that blocks. Each method is one call of calls.py or one flow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from tqdm import tqdm

from iopaint import calls, flows, removing
from iopaint.answers import Batch, Detection, Health, Item, Model, Result, SavedMark, Stats
from iopaint.calls import BatchOptions, MarkKind, MarkOptions, Mode, Options
from iopaint.files import Picture
from iopaint.flows import Flow
from iopaint.removing import Output, Processed, Work

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class IOPaintClient:
    """A service and an account. Threads may share one; connections are kept until close().

    api_key, base_url: by default IOPAINT_API_KEY and IOPAINT_BASE_URL of the environment.
    timeout: seconds for each try. max_retries: tries after the first; see the README for what is tried again.
    http_client: your own, for proxies or certificates; close() closes it too.
    Every method raises IOPaintError; those that read or write files raise OSError, before anything is charged.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = 120.0,
        max_retries: int = 2,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._caller = flows.Caller(api_key, base_url, timeout, max_retries)
        self._http = http_client or httpx.Client()
        self._sleep: Callable[[float], object] = time.sleep

    def __enter__(self) -> IOPaintClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def remove_watermark(
        self,
        image: Picture,
        *,
        mask: Picture | None = None,
        output: Output | None = None,
        **options: Unpack[Options],
    ) -> Result:
        """Removes what is white in the mask; without one, the watermark that is found.

        output: a file that the result is written to as well; its extension says the format unless `format` does.
        """
        return self._run(removing.remove(self._caller, image, mask, output, options))

    def detect(
        self, image: Picture, *, mode: Mode = "auto", marked: bool = False, proposals: bool = False
    ) -> Detection:
        """Where a watermark is. marked: there is one, show the likeliest. proposals: show what is not sure, too."""
        return self._send(calls.detect(image, mode, marked=marked, proposals=proposals))

    def detect_mask(self, image: Picture, *, mode: Mode = "auto", marked: bool = False) -> bytes:
        """A PNG, white where the watermark is: to be edited and sent back as `mask`."""
        return self._send(calls.detect_mask(image, mode, marked=marked))

    def batch_process(
        self,
        images: Sequence[Picture],
        output_dir: Output | None = None,
        *,
        mask: Picture | None = None,
        progress: bool = False,
        **options: Unpack[BatchOptions],
    ) -> list[Processed]:
        """Sends many pictures as batches and waits for them. What became of each, in the order of `images`.

        output_dir: a folder for the results, made if it is not there; without one they are kept in memory.
        A picture that fails has an `error` and stops no other. progress: show a bar.
        """
        done = self.batch_stream(images, output_dir, mask=mask, **options)
        bar = tqdm(done, total=len(images), unit="picture", disable=not progress)
        return sorted(bar, key=lambda each: each.index)

    def batch_stream(
        self,
        images: Sequence[Picture],
        output_dir: Output | None = None,
        *,
        mask: Picture | None = None,
        accepted: Callable[[Batch], object] | None = None,
        **options: Unpack[BatchOptions],
    ) -> Iterator[Processed]:
        """As batch_process, each as soon as it is done. accepted: is called with each batch that was sent."""
        folder = None if output_dir is None else Path(output_dir)
        yield from self._iterate(removing.process(self._caller, Work(images, folder, mask, options, accepted)))

    def create_batch(
        self, images: Sequence[Picture], *, mask: Picture | None = None, **options: Unpack[BatchOptions]
    ) -> Batch:
        """Sends one batch and does not wait."""
        return self._send(calls.create_batch(images, mask, options))

    def follow_batch(self, id: str) -> Iterator[Item]:
        """Its pictures as they end, until the batch is over."""
        yield from self._iterate(flows.followed(self._caller, id))

    def batch(self, id: str) -> Batch:
        return self._send(calls.batch(id))

    def batches(self, limit: int = 50) -> list[Batch]:
        """The newest ones, at most 200."""
        return self._send(calls.batches(limit))

    def batch_items(self, id: str) -> list[Item]:
        return self._run(flows.items(self._caller, id))

    def cancel_batch(self, id: str) -> Batch:
        """Cancels what has not ended, at no charge, and deletes all files of the batch."""
        return self._send(calls.cancel_batch(id))

    def retry_batch(self, id: str, *, partial: bool = False) -> Batch:
        """Queues again what failed."""
        return self._send(calls.retry_batch(id, partial=partial))

    def download(self, item: Item) -> bytes:
        """The file of a picture that succeeded. Raises ValueError if it has none."""
        return self._send(calls.download(calls.result_url(item))).content

    def create_mark(
        self, image: Picture, name: str, *, kind: MarkKind = "logo", **options: Unpack[MarkOptions]
    ) -> SavedMark:
        """Keeps a logo (a picture with alpha) or a mask; its id is the `mark` of later calls. Costs no quota."""
        return self._send(calls.create_mark(image, name, kind, options))

    def marks(self) -> list[SavedMark]:
        """The account's saved marks, newest first, at most 200."""
        return self._send(calls.marks())

    def delete_mark(self, id: str) -> None:
        """Batches that were sent with it go on."""
        self._send(calls.delete_mark(id))

    def stats(self) -> Stats:
        return self._send(calls.stats())

    def health(self) -> Health:
        """Needs no key. What is unhealthy is told, not raised."""
        return self._send(calls.health())

    def models(self) -> list[Model]:
        """Needs no key."""
        return self._send(calls.models())

    def _send(self, call: calls.Call[T]) -> T:
        return self._run(flows.send(self._caller, call))

    def _run(self, flow: Flow[T]) -> T:
        (result,) = self._iterate(flows.completed(flow))
        return result  # type: ignore[no-any-return]

    def _iterate(self, flow: Flow[None]) -> Iterator[Any]:
        """Does what the flow wants, and yields what it gives."""
        streams: dict[httpx.Response, Iterator[str]] = {}
        came: Any = None
        try:
            while True:
                try:
                    want = flow.send(came)
                except StopIteration:
                    return
                came = None
                if isinstance(want, flows.Give):
                    yield want.value
                elif isinstance(want, flows.Send):
                    came = self._answer(want)
                elif isinstance(want, flows.Sleep):
                    self._sleep(want.seconds)
                elif isinstance(want, flows.ReadLine):
                    came = _line(streams.setdefault(want.answer, want.answer.iter_lines()))
                else:
                    want.answer.close()
        finally:
            for answer in streams:
                answer.close()

    def _answer(self, want: flows.Send) -> httpx.Response | httpx.RequestError:
        try:
            answer = self._http.send(want.request(self._http, self._caller), stream=True)
            if not (want.call.streamed and answer.is_success):
                answer.read()
                answer.close()
        except httpx.RequestError as error:
            return error
        return answer


def _line(lines: Iterator[str]) -> str | None:
    try:
        return next(lines, None)
    except httpx.RequestError:
        return None
