"""The client that blocks. Each method is one call of calls.py or one flow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from tqdm import tqdm

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
        """Removes what is white in the mask; without one, the watermark (or the other `targets`) that is found.

        output: a file that the result is written to as well; its extension says the format unless `format` does.
        """
        return self._run(removing.remove(self._caller, image, mask, output, options))

    def detect(
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
        return self._send(calls.detect(image, mode, targets, marked=marked, proposals=proposals))

    def detect_mask(
        self,
        image: Picture,
        *,
        mode: Mode = "auto",
        targets: Sequence[Target] | None = None,
        marked: bool = False,
    ) -> bytes:
        """A PNG, white where the watermark or text is: to be edited and sent back as `mask`."""
        return self._send(calls.detect_mask(image, mode, targets, marked=marked))

    def batch_process(
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
        return sorted(bar, key=lambda each: each.index)

    def batch_stream(
        self,
        images: Sequence[Picture],
        output_dir: Output | None = None,
        *,
        mask: Picture | None = None,
        masks: Sequence[Picture] | None = None,
        accepted: Callable[[Batch], object] | None = None,
        **options: Unpack[BatchOptions],
    ) -> Iterator[Processed]:
        """As batch_process, each as soon as it is done. accepted: is called with each batch that was sent."""
        folder = None if output_dir is None else Path(output_dir)
        yield from self._iterate(removing.process(self._caller, Work(images, folder, mask, masks, options, accepted)))

    def create_batch(
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
        return self._send(calls.create_batch(Given(images, mask, masks, archive), options))

    def follow_batch(self, id: str) -> Iterator[Item]:
        """Its pictures as they end, until the batch is over."""
        yield from self._iterate(flows.followed(self._caller, id))

    def batch(self, id: str) -> Batch:
        return self._send(calls.batch(id))

    def batches(self, limit: int | None = 50) -> list[Batch]:
        """The newest ones. limit: None: all of them."""
        return self._run(flows.listed(self._caller, calls.batches, limit))

    def batch_items(self, id: str) -> list[Item]:
        return self._run(flows.items(self._caller, id))

    def download_results(self, id: str, output: Output) -> Path:
        """Writes a ZIP of the results that are there by now; errors.csv in it lists what failed."""
        return self._run(flows.save_results(self._caller, id, Path(output)))

    def cancel_batch(self, id: str) -> Batch:
        """Cancels what has not ended, at no charge, and deletes all files of the batch."""
        return self._send(calls.cancel_batch(id))

    def retry_batch(self, id: str, *, partial: bool = False) -> Batch:
        """Queues again what failed. partial: as many as the quota has units for.

        Raises InvalidRequest (nothing_to_retry) where nothing did.
        """
        return self._send(calls.retry_batch(id, partial=partial))

    def download(self, item: Item) -> bytes:
        """The file of a picture that succeeded. Raises ValueError if it has none."""
        return self._send(calls.download(calls.result_url(item))).content

    def create_mark(
        self, image: Picture, name: str, *, kind: MarkKind = "logo", **options: Unpack[MarkOptions]
    ) -> SavedMark:
        """Keeps a logo (a picture with alpha) or a mask; its id is the `mark` of later calls. Costs no quota."""
        return self._send(kept_calls.create_mark(image, name, kind, options))

    def marks(self) -> list[SavedMark]:
        """The account's saved marks, newest first."""
        return self._run(flows.listed(self._caller, kept_calls.marks))

    def mark(self, id: str) -> SavedMark:
        return self._send(kept_calls.mark(id))

    def mark_file(self, id: str) -> bytes:
        """The mask or the logo as PNG, cut to what of it is seen."""
        return self._send(kept_calls.mark_file(id))

    def rename_mark(self, id: str, name: str) -> SavedMark:
        return self._send(kept_calls.rename_mark(id, name))

    def delete_mark(self, id: str) -> None:
        """Batches that were sent with it go on."""
        self._send(kept_calls.delete_mark(id))

    def webhooks(self) -> list[WebhookEndpoint]:
        """The account's endpoints, newest first."""
        return self._send(kept_calls.webhooks())

    def webhook(self, id: str) -> WebhookEndpoint:
        return self._send(kept_calls.webhook(id))

    def create_webhook(self, url: str, events: Sequence[EventType]) -> NewWebhookEndpoint:
        """Tells an https address what happens. Its secret is in this answer and in no other."""
        return self._send(kept_calls.create_webhook(url, events))

    def update_webhook(
        self,
        id: str,
        *,
        url: str | None = None,
        events: Sequence[EventType] | None = None,
        enabled: bool | None = None,
    ) -> WebhookEndpoint:
        """What is None stays. enabled: False: nothing is sent; what happens is kept, for replay_webhook."""
        return self._send(kept_calls.update_webhook(id, url, events, enabled))

    def delete_webhook(self, id: str) -> None:
        """With its log. What was not delivered yet is not delivered any more."""
        self._send(kept_calls.delete_webhook(id))

    def rotate_webhook_secret(self, id: str) -> WebhookSecret:
        """A new secret. For 24 hours deliveries are signed with the one before it, too."""
        return self._send(kept_calls.rotate_webhook_secret(id))

    def rotate_default_secret(self) -> WebhookSecret:
        """Makes, or rotates, the secret that signs for a batch's `webhook_url`."""
        return self._send(kept_calls.rotate_default_secret())

    def test_webhook(self, id: str) -> Delivery:
        """Sends an event webhook.test; what is answered is in deliveries()."""
        return self._send(kept_calls.test_webhook(id))

    def replay_webhook(self, id: str, since: datetime) -> int:
        """Sends all that happened since then again, 30 days back at most. How many deliveries are queued.

        Raises ValueError for a moment without a time zone.
        """
        return self._send(kept_calls.replay_webhook(id, since))

    def deliveries(self, endpoint: str | None = None, limit: int | None = 50) -> list[Delivery]:
        """What was sent and will be, newest first. endpoint: of this one alone. limit: None: all that are kept."""

        def page(most: int, cursor: str | None) -> Call[Page[Delivery]]:
            return kept_calls.deliveries(endpoint, most, cursor)

        return self._run(flows.listed(self._caller, page, limit))

    def replay_delivery(self, id: str) -> Delivery:
        """Sends it again, from the start of the schedule."""
        return self._send(kept_calls.replay_delivery(id))

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
        parts: dict[httpx.Response, Iterator[bytes]] = {}  # of answers that are open
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
                    if isinstance(came, httpx.Response):
                        parts[came] = came.iter_bytes()
                elif isinstance(want, flows.Sleep):
                    self._sleep(want.seconds)
                elif isinstance(want, ReadPart):
                    came = _part(parts[want.answer])
                else:
                    del parts[want.answer]
                    want.answer.close()
        finally:
            flow.close()  # it may have a file open
            for answer in parts:
                answer.close()

    def _answer(self, want: flows.Send) -> httpx.Response | httpx.RequestError:
        try:
            # A redirect is not followed, whatever the client was told: the key would go wherever it leads.
            return self._http.send(want.request(self._http, self._caller), stream=True, follow_redirects=False)
        except httpx.RequestError as error:
            return error


def _part(parts: Iterator[bytes]) -> bytes | httpx.RequestError | None:
    try:
        return next(parts, None)
    except httpx.RequestError as error:
        return error
