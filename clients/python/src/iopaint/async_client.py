"""The client that awaits: IOPaintClient's methods under the same names, over the same calls and flows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from tqdm.asyncio import tqdm

from iopaint import calls, flows, removing
from iopaint.answers import Batch, Detection, Health, Item, Model, Result, SavedMark, Stats
from iopaint.calls import BatchOptions, MarkKind, MarkOptions, Mode, Options
from iopaint.files import Picture
from iopaint.flows import Flow
from iopaint.removing import Output, Processed, Work

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class AsyncIOPaintClient:
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
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self._caller = flows.Caller(api_key, base_url, timeout, max_retries)
        self._http = http_client or httpx.AsyncClient()
        self._sleep = asyncio.sleep

    async def __aenter__(self) -> AsyncIOPaintClient:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def remove_watermark(
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
        return await self._run(removing.remove(self._caller, image, mask, output, options))

    async def detect(
        self, image: Picture, *, mode: Mode = "auto", marked: bool = False, proposals: bool = False
    ) -> Detection:
        """Where a watermark is. marked: there is one, show the likeliest. proposals: show what is not sure, too."""
        return await self._send(calls.detect(image, mode, marked=marked, proposals=proposals))

    async def detect_mask(self, image: Picture, *, mode: Mode = "auto", marked: bool = False) -> bytes:
        """A PNG, white where the watermark is: to be edited and sent back as `mask`."""
        return await self._send(calls.detect_mask(image, mode, marked=marked))

    async def batch_process(
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
        return sorted([each async for each in bar], key=lambda each: each.index)

    async def batch_stream(
        self,
        images: Sequence[Picture],
        output_dir: Output | None = None,
        *,
        mask: Picture | None = None,
        accepted: Callable[[Batch], object] | None = None,
        **options: Unpack[BatchOptions],
    ) -> AsyncIterator[Processed]:
        """As batch_process, each as soon as it is done. accepted: is called with each batch that was sent."""
        folder = None if output_dir is None else Path(output_dir)
        async for each in self._iterate(removing.process(self._caller, Work(images, folder, mask, options, accepted))):
            yield each

    async def create_batch(
        self, images: Sequence[Picture], *, mask: Picture | None = None, **options: Unpack[BatchOptions]
    ) -> Batch:
        """Sends one batch and does not wait."""
        return await self._send(calls.create_batch(images, mask, options))

    async def follow_batch(self, id: str) -> AsyncIterator[Item]:
        """Its pictures as they end, until the batch is over."""
        async for item in self._iterate(flows.followed(self._caller, id)):
            yield item

    async def batch(self, id: str) -> Batch:
        return await self._send(calls.batch(id))

    async def batches(self, limit: int = 50) -> list[Batch]:
        """The newest ones, at most 200."""
        return await self._send(calls.batches(limit))

    async def batch_items(self, id: str) -> list[Item]:
        return await self._run(flows.items(self._caller, id))

    async def cancel_batch(self, id: str) -> Batch:
        """Cancels what has not ended, at no charge, and deletes all files of the batch."""
        return await self._send(calls.cancel_batch(id))

    async def retry_batch(self, id: str, *, partial: bool = False) -> Batch:
        """Queues again what failed."""
        return await self._send(calls.retry_batch(id, partial=partial))

    async def download(self, item: Item) -> bytes:
        """The file of a picture that succeeded. Raises ValueError if it has none."""
        return (await self._send(calls.download(calls.result_url(item)))).content

    async def create_mark(
        self, image: Picture, name: str, *, kind: MarkKind = "logo", **options: Unpack[MarkOptions]
    ) -> SavedMark:
        """Keeps a logo (a picture with alpha) or a mask; its id is the `mark` of later calls. Costs no quota."""
        return await self._send(calls.create_mark(image, name, kind, options))

    async def marks(self) -> list[SavedMark]:
        """The account's saved marks, newest first, at most 200."""
        return await self._send(calls.marks())

    async def delete_mark(self, id: str) -> None:
        """Batches that were sent with it go on."""
        await self._send(calls.delete_mark(id))

    async def stats(self) -> Stats:
        return await self._send(calls.stats())

    async def health(self) -> Health:
        """Needs no key. What is unhealthy is told, not raised."""
        return await self._send(calls.health())

    async def models(self) -> list[Model]:
        """Needs no key."""
        return await self._send(calls.models())

    async def _send(self, call: calls.Call[T]) -> T:
        return await self._run(flows.send(self._caller, call))

    async def _run(self, flow: Flow[T]) -> T:
        (result,) = [each async for each in self._iterate(flows.completed(flow))]
        return result  # type: ignore[no-any-return]

    async def _iterate(self, flow: Flow[None]) -> AsyncIterator[Any]:
        """Does what the flow wants, and yields what it gives."""
        streams: dict[httpx.Response, AsyncIterator[str]] = {}
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
                    came = await self._answer(want)
                elif isinstance(want, flows.Sleep):
                    await self._sleep(want.seconds)
                elif isinstance(want, flows.ReadLine):
                    came = await _line(streams.setdefault(want.answer, want.answer.aiter_lines()))
                else:
                    await want.answer.aclose()
        finally:
            for answer in streams:
                await answer.aclose()

    async def _answer(self, want: flows.Send) -> httpx.Response | httpx.RequestError:
        try:
            answer = await self._http.send(want.request(self._http, self._caller), stream=True)
            if not (want.call.streamed and answer.is_success):
                await answer.aread()
                await answer.aclose()
        except httpx.RequestError as error:
            return error
        return answer


async def _line(lines: AsyncIterator[str]) -> str | None:
    try:
        return await anext(lines, None)
    except httpx.RequestError:
        return None
