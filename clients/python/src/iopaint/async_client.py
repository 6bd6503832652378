"""The client that awaits: IOPaintClient's methods under the same names, over the same calls and flows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from tqdm.asyncio import tqdm

from iopaint import calls, flows, kept_calls, removing
from iopaint.answers import (
    Batch,
    Delivery,
    Detection,
    Health,
    Item,
    Model,
    NewWebhookEndpoint,
    Result,
    SavedMark,
    Stats,
    WebhookEndpoint,
    WebhookSecret,
)
from iopaint.calls import BatchOptions, Call, Given, MarkKind, MarkOptions, Mode, Options, Page, Target
from iopaint.events import ReadPart
from iopaint.files import Picture
from iopaint.flows import Flow
from iopaint.kept_calls import EventType
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
        """Removes what is white in the mask; without one, the watermark (or the other `targets`) that is found.

        output: a file that the result is written to as well; its extension says the format unless `format` does.
        """
        return await self._run(removing.remove(self._caller, image, mask, output, options))

    async def detect(
        self,
        image: Picture,
        *,
        mode: Mode = "auto",
        targets: Sequence[Target] | None = None,
        marked: bool = False,
        proposals: bool = False,
    ) -> Detection:
        """Where a watermark is; or what `targets` say: watermark, text (lettering of any kind), or both.

        marked: there is a watermark, show the likeliest. proposals: show what of it is not sure, too.
        """
        return await self._send(calls.detect(image, mode, targets, marked=marked, proposals=proposals))

    async def detect_mask(
        self,
        image: Picture,
        *,
        mode: Mode = "auto",
        targets: Sequence[Target] | None = None,
        marked: bool = False,
    ) -> bytes:
        """A PNG, white where the watermark or text is: to be edited and sent back as `mask`."""
        return await self._send(calls.detect_mask(image, mode, targets, marked=marked))

    async def batch_process(
        self,
        images: Sequence[Picture],
        output_dir: Output | None = None,
        *,
        mask: Picture | None = None,
        masks: Sequence[Picture] | None = None,
        progress: bool = False,
        **options: Unpack[BatchOptions],
    ) -> list[Processed]:
        """Sends many pictures as batches and waits for them. What became of each, in the order of `images`.

        output_dir: a folder for the results, made if it is not there; without one they are kept in memory.
        masks: instead of mask: one each, in order.
        A picture that fails has an `error` and stops no other. progress: show a bar.
        """
        done = self.batch_stream(images, output_dir, mask=mask, masks=masks, **options)
        bar = tqdm(done, total=len(images), unit="picture", disable=not progress)
        return sorted([each async for each in bar], key=lambda each: each.index)

    async def batch_stream(
        self,
        images: Sequence[Picture],
        output_dir: Output | None = None,
        *,
        mask: Picture | None = None,
        masks: Sequence[Picture] | None = None,
        accepted: Callable[[Batch], object] | None = None,
        **options: Unpack[BatchOptions],
    ) -> AsyncIterator[Processed]:
        """As batch_process, each as soon as it is done. accepted: is called with each batch that was sent."""
        folder = None if output_dir is None else Path(output_dir)
        async for each in self._iterate(
            removing.process(self._caller, Work(images, folder, mask, masks, options, accepted))
        ):
            yield each

    async def create_batch(
        self,
        images: Sequence[Picture] = (),
        *,
        mask: Picture | None = None,
        masks: Sequence[Picture] | None = None,
        archive: Picture | None = None,
        **options: Unpack[BatchOptions],
    ) -> Batch:
        """Sends one batch and does not wait.

        masks: instead of mask: one each, in order. archive: instead of images: a ZIP of them; photo.jpg has its mask
        in photo_mask.png.
        """
        return await self._send(calls.create_batch(Given(images, mask, masks, archive), options))

    async def follow_batch(self, id: str) -> AsyncIterator[Item]:
        """Its pictures as they end, until the batch is over."""
        async for item in self._iterate(flows.followed(self._caller, id)):
            yield item

    async def batch(self, id: str) -> Batch:
        return await self._send(calls.batch(id))

    async def batches(self, limit: int | None = 50) -> list[Batch]:
        """The newest ones. limit: None: all of them."""
        return await self._run(flows.listed(self._caller, calls.batches, limit))

    async def batch_items(self, id: str) -> list[Item]:
        return await self._run(flows.items(self._caller, id))

    async def download_results(self, id: str, output: Output) -> Path:
        """Writes a ZIP of the results that are there by now; errors.csv in it lists what failed."""
        return await self._run(flows.save_results(self._caller, id, Path(output)))

    async def cancel_batch(self, id: str) -> Batch:
        """Cancels what has not ended, at no charge, and deletes all files of the batch."""
        return await self._send(calls.cancel_batch(id))

    async def retry_batch(self, id: str, *, partial: bool = False) -> Batch:
        """Queues again what failed. partial: as many as the quota has units for.

        Raises InvalidRequest (nothing_to_retry) where nothing did.
        """
        return await self._send(calls.retry_batch(id, partial=partial))

    async def download(self, item: Item) -> bytes:
        """The file of a picture that succeeded. Raises ValueError if it has none."""
        return (await self._send(calls.download(calls.result_url(item)))).content

    async def create_mark(
        self, image: Picture, name: str, *, kind: MarkKind = "logo", **options: Unpack[MarkOptions]
    ) -> SavedMark:
        """Keeps a logo (a picture with alpha) or a mask; its id is the `mark` of later calls. Costs no quota."""
        return await self._send(kept_calls.create_mark(image, name, kind, options))

    async def marks(self) -> list[SavedMark]:
        """The account's saved marks, newest first."""
        return await self._run(flows.listed(self._caller, kept_calls.marks))

    async def mark(self, id: str) -> SavedMark:
        return await self._send(kept_calls.mark(id))

    async def mark_file(self, id: str) -> bytes:
        """The mask or the logo as PNG, cut to what of it is seen."""
        return await self._send(kept_calls.mark_file(id))

    async def rename_mark(self, id: str, name: str) -> SavedMark:
        return await self._send(kept_calls.rename_mark(id, name))

    async def delete_mark(self, id: str) -> None:
        """Batches that were sent with it go on."""
        await self._send(kept_calls.delete_mark(id))

    async def webhooks(self) -> list[WebhookEndpoint]:
        """The account's endpoints, newest first."""
        return await self._send(kept_calls.webhooks())

    async def webhook(self, id: str) -> WebhookEndpoint:
        return await self._send(kept_calls.webhook(id))

    async def create_webhook(self, url: str, events: Sequence[EventType]) -> NewWebhookEndpoint:
        """Tells an https address what happens. Its secret is in this answer and in no other."""
        return await self._send(kept_calls.create_webhook(url, events))

    async def update_webhook(
        self,
        id: str,
        *,
        url: str | None = None,
        events: Sequence[EventType] | None = None,
        enabled: bool | None = None,
    ) -> WebhookEndpoint:
        """What is None stays. enabled: False: nothing is sent; what happens is kept, for replay_webhook."""
        return await self._send(kept_calls.update_webhook(id, url, events, enabled))

    async def delete_webhook(self, id: str) -> None:
        """With its log. What was not delivered yet is not delivered any more."""
        await self._send(kept_calls.delete_webhook(id))

    async def rotate_webhook_secret(self, id: str) -> WebhookSecret:
        """A new secret. For 24 hours deliveries are signed with the one before it, too."""
        return await self._send(kept_calls.rotate_webhook_secret(id))

    async def rotate_default_secret(self) -> WebhookSecret:
        """Makes, or rotates, the secret that signs for a batch's `webhook_url`."""
        return await self._send(kept_calls.rotate_default_secret())

    async def test_webhook(self, id: str) -> Delivery:
        """Sends an event webhook.test; what is answered is in deliveries()."""
        return await self._send(kept_calls.test_webhook(id))

    async def replay_webhook(self, id: str, since: datetime) -> int:
        """Sends all that happened since then again, 30 days back at most. How many deliveries are queued.

        Raises ValueError for a moment without a time zone.
        """
        return await self._send(kept_calls.replay_webhook(id, since))

    async def deliveries(self, endpoint: str | None = None, limit: int | None = 50) -> list[Delivery]:
        """What was sent and will be, newest first. endpoint: of this one alone. limit: None: all that are kept."""

        def page(most: int, cursor: str | None) -> Call[Page[Delivery]]:
            return kept_calls.deliveries(endpoint, most, cursor)

        return await self._run(flows.listed(self._caller, page, limit))

    async def replay_delivery(self, id: str) -> Delivery:
        """Sends it again, from the start of the schedule."""
        return await self._send(kept_calls.replay_delivery(id))

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
        parts: dict[httpx.Response, AsyncIterator[bytes]] = {}  # of answers that are open
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
                    if isinstance(came, httpx.Response):
                        parts[came] = came.aiter_bytes()
                elif isinstance(want, flows.Sleep):
                    await self._sleep(want.seconds)
                elif isinstance(want, ReadPart):
                    came = await _part(parts[want.answer])
                else:
                    del parts[want.answer]
                    await want.answer.aclose()
        finally:
            flow.close()  # it may have a file open
            for answer in parts:
                await answer.aclose()

    async def _answer(self, want: flows.Send) -> httpx.Response | httpx.RequestError:
        try:
            # A redirect is not followed, whatever the client was told: the key would go wherever it leads.
            return await self._http.send(want.request(self._http, self._caller), stream=True, follow_redirects=False)
        except httpx.RequestError as error:
            return error


async def _part(parts: AsyncIterator[bytes]) -> bytes | httpx.RequestError | None:
    try:
        return await anext(parts, None)
    except httpx.RequestError as error:
        return error
