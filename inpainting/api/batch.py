"""The v1 surface's batches: sent, looked at, cancelled, tried again; results as one ZIP, progress as events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.metering import MeteredAPIView
from accounts.models import Scope, User
from accounts.requests import AccountRequest
from inpainting import storage
from inpainting.api import answers, orders
from inpainting.api.base import FRAMING, FormOrJsonView, PictureView, fingerprint, size_limit
from inpainting.api.bodies import body, item_bodies, now
from inpainting.api.events import EVENT_STREAM, Event, streamed
from inpainting.api.paging import PAGING, Pages
from inpainting.api.spool import Spool
from inpainting.batches import archive, closing
from inpainting.batches.accept import Order, Source, accept, accepted_before, admit, largest, most_bytes, retry
from inpainting.batches.models import Batch, Progress, progress_of

COMMITS_WITHIN = timedelta(seconds=5)  # of the moment that an item's end carries


class BatchView(MeteredAPIView):
    """Of one batch, which is the account's own."""

    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.READ, "POST": Scope.PROCESS, "DELETE": Scope.PROCESS}

    def batch(self, request: AccountRequest, id: Any) -> Batch:
        batch = Batch.objects.filter(pk=id, owner=request.user).first()
        if batch is None:
            raise storage.NotThere("No such batch: it has expired or never existed.")
        return batch


# A form's files wait on the disk; JSON is in memory, several times over: as much of it as a single call may have.
MAX_JSON_BYTES = 2 * settings.MAX_FILE_BYTES


class Batches(FormOrJsonView):
    processes_pictures = True
    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.READ, "POST": Scope.PROCESS}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Many pictures are more than memory should hold: each waits on the disk for its turn to be looked at.
        request._request.upload_handlers = [Spool(request._request)]
        self.perform_authentication(request)
        if isinstance(request.user, User):
            is_json = request._request.content_type == JSONParser.media_type
            most = MAX_JSON_BYTES if is_json else settings.MAX_BATCH_BYTES
            self.max_body_bytes = min(most_bytes(request.user, size_limit(request.user)), most) + FRAMING
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="createBatch",
        request={"multipart/form-data": orders.SendBatch, "application/json": orders.SendBatchJSON},
        responses={202: answers.Batch},
        tags=["v1"],
    )
    def post(self, request: AccountRequest) -> Response:
        """Queue many pictures. Each is charged when it is done; a quota that is too small refuses all of them."""
        form = self.fields(request, orders.SendBatch, orders.SendBatchJSON)
        mark = fingerprint(request)
        batch = accepted_before(self.call, mark)
        replayed = batch is not None
        if batch is None:
            limit = self.size_limit()
            sources = form.sources(largest(request.user), limit)
            if form.is_fetched:
                admit(self.call, len(sources), form.options(), partial=form.validated_data["partial"])
            batch = accept(self.call, sources, form.order(mark, limit, self.call.caller), limit)
        response = accepted(request, batch)
        if replayed:
            response["Idempotency-Replayed"] = "true"
        return response

    @extend_schema(operation_id="listBatches", parameters=PAGING, responses=answers.Batches, tags=["v1"])
    def get(self, request: AccountRequest) -> Response:
        """The account's batches, newest first, in pages."""
        pages = Pages()
        batches = pages.paginate_queryset(Batch.objects.filter(owner=request.user), request, self) or []
        progress = progress_of(batches)
        return pages.get_paginated_response([body(request, batch, progress[batch.pk]) for batch in batches])


class OneBatch(BatchView):
    @extend_schema(operation_id="getBatch", responses=answers.Batch, tags=["v1"])
    def get(self, request: AccountRequest, id: Any) -> Response:
        """How far the batch is."""
        return Response(now(request, self.batch(request, id)))

    @extend_schema(operation_id="cancelBatch", responses={200: answers.Batch}, tags=["v1"])
    def delete(self, request: AccountRequest, id: Any) -> Response:
        """Cancel what has not ended, at no charge, and delete all its files now."""
        batch = self.batch(request, id)
        closing.cancel(batch)
        return Response(now(request, batch))


class Items(BatchView):
    @extend_schema(operation_id="listItems", parameters=PAGING, responses=answers.Items, tags=["v1"])
    def get(self, request: AccountRequest, id: Any) -> Response:
        """The batch's pictures with what became of each, in pages."""
        pages = Pages()
        pages.ordering = "index"
        items = self.batch(request, id).items.prefetch_related("results")
        page = pages.paginate_queryset(items, request, self) or []
        return pages.get_paginated_response(item_bodies(request, page))


class Results(BatchView):
    @extend_schema(
        operation_id="downloadResults", responses={(200, "application/zip"): OpenApiTypes.BINARY}, tags=["v1"]
    )
    def get(self, request: AccountRequest, id: Any) -> HttpResponseBase:
        """The results that are there by now as one ZIP, named as the pictures were; errors.csv lists what failed.

        404 once none of them is left.
        """
        return archive.download(self.batch(request, id))

    @extend_schema(exclude=True)
    def head(self, request: AccountRequest, id: Any) -> HttpResponse:
        """At once: the web server would read all of what it does not send."""
        return HttpResponse(headers=dict(archive.download(self.batch(request, id)).items()))


class Events(BatchView):
    @extend_schema(
        operation_id="followBatch",
        responses={(200, "text/event-stream"): OpenApiTypes.STR, 204: None},
        tags=["v1"],
    )
    def get(self, request: AccountRequest, id: Any) -> HttpResponseBase:
        """Progress as server-sent events: `item` with each picture that ends, `batch` when its numbers change."""
        batch = self.batch(request, id)
        seen = _moment(request.headers.get("Last-Event-ID", ""), batch)
        progress = batch.progress()
        if seen is not None and progress.finished_at is not None and progress.finished_at <= seen:
            return HttpResponse(status=204)  # an EventSource stops asking
        return streamed(batch.owner_id, Following(request, batch, seen).look)

    @extend_schema(exclude=True)
    def head(self, request: AccountRequest, id: Any) -> HttpResponse:
        """At once: the web server would follow the batch for a minute, and send nothing."""
        self.batch(request, id)
        return HttpResponse(headers=EVENT_STREAM)


def _moment(event_id: str, batch: Batch) -> datetime | None:
    """Until when a client was told of the batch. None: the id is none of ours, so everything is told."""
    try:
        seen = datetime.fromisoformat(event_id).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(seen, batch.created_at)


class Following:
    """What is new of a batch at each look. An item that ends is told at least once."""

    def __init__(self, request: Request, batch: Batch, seen: datetime | None) -> None:
        self._request, self._batch, self._seen = request, batch, seen
        self._told: set[int] = set()
        self._last: Progress | None = None

    def look(self) -> list[Event] | None:
        """None: all is told."""
        if self._last is not None and self._last.is_over:
            return None
        batch = Batch.objects.filter(pk=self._batch.pk).first()
        if batch is None:  # it has expired
            return None
        progress = batch.progress()
        if progress == self._last:
            return []
        ended = batch.items.filter(finished_at__isnull=False).exclude(pk__in=self._told)
        if self._seen is not None:
            ended = ended.filter(finished_at__gt=self._seen - COMMITS_WITHIN)
        items = list(ended.order_by("finished_at").prefetch_related("results"))
        bodies = item_bodies(self._request, items)
        events = [Event("item", str(item.finished_at), made) for item, made in zip(items, bodies, strict=True)]
        self._told |= {item.pk for item in items}
        self._last = progress
        mark = str(progress.last_at or batch.created_at)
        return [*events, Event("batch", mark, body(self._request, batch, progress))]


class Retry(BatchView):
    parser_classes = [JSONParser, FormParser, MultiPartParser]

    @extend_schema(operation_id="retryBatch", request=orders.RetryBatch, responses={202: answers.Batch}, tags=["v1"])
    def post(self, request: AccountRequest, id: Any) -> Response:
        """Queue again what failed, if anything did (409 otherwise). Reserves a unit for each anew."""
        form = orders.RetryBatch(data=request.data)
        form.is_valid(raise_exception=True)
        batch = self.batch(request, id)
        retry(self.call, batch, partial=form.validated_data["partial"])
        return accepted(request, batch)


def prefers_async(request: Request) -> bool:
    """Prefer: respond-async (RFC 7240, 4.1), of an account: a public call has nobody whose batch it could be."""
    preferences = request.headers.get("Prefer", "").lower().split(",")
    return isinstance(request.user, User) and "respond-async" in [each.strip() for each in preferences]


def respond_async(view: PictureView, request: Request, read: Callable[[], tuple[bytes, Order]]) -> Response:
    """202 with a batch of one picture. `read`: its file and what is to be done to it; raises what is wrong with them,
    as an answer at once would."""
    mark = fingerprint(request)
    batch = accepted_before(view.call, mark)
    if batch is None:
        image, order = read()
        name = request.FILES["image"].name if "image" in request.FILES else "image"
        order = replace(order, fingerprint=mark)
        batch = accept(view.call, [Source(name, lambda: image)], order, view.size_limit())
    response = accepted(request, batch)
    response["Preference-Applied"] = "respond-async"
    return response


def accepted(request: Request, batch: Batch) -> Response:
    """202 with the batch's body and its address."""
    made = now(request, batch)
    return Response(made, status=202, headers={"Location": made["links"]["self"]})
