"""The pages of an account's batches in the dashboard: how far each is, and what became of its pictures."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.text import Truncator
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.prices import ModelNotInPlan
from accounts.quota import QuotaExceeded
from accounts.requests import SignedInRequest
from accounts.reservations import Call
from inpainting import storage, thumbnails
from inpainting.batches import archive, closing
from inpainting.batches.accept import NothingToRetry, retry
from inpainting.batches.models import Batch, Item, Progress, first_names, progress_of
from inpainting.models import Result

PAGE_SIZE, ITEMS_PAGE_SIZE = 20, 50
LONGEST_TITLE = 60  # characters


@login_required
@require_safe
def batch_list(request: SignedInRequest) -> HttpResponse:
    """Newest first; a page that is not there is the nearest one."""
    page = Paginator(Batch.objects.filter(owner=request.user), PAGE_SIZE).get_page(request.GET.get("page"))
    progress, names = progress_of(list(page)), first_names(list(page))
    context = {
        "page": page,
        "rows": [(batch, _title(names.get(batch.pk), progress[batch.pk]), progress[batch.pk]) for batch in page],
        "is_open": not all(progress[batch.pk].is_over for batch in page),
        "key": request.user.api_keys.live().first(),
    }
    return render(request, "batches/list.html", context)


@login_required
@require_safe
def batch_page(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    batch = _own_batch(request, id)
    progress = batch.progress()
    items = batch.items.order_by("index").prefetch_related("results")
    context = {
        "section": "batches",
        "batch": batch,
        "title": _title(first_names([batch]).get(batch.pk), progress),
        "progress": progress,
        "is_open": not progress.is_over,
        "page": Paginator(items, ITEMS_PAGE_SIZE).get_page(request.GET.get("page")),
        "can_retry": batch.items.filter(Item.CAN_BE_RETRIED).exists(),
        "has_results": Result.objects.live().filter(item__batch=batch).exists(),
    }
    return render(request, "batches/batch.html", context)


@login_required
@require_POST
def batch_retry(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    """Queue again what failed, as much of it as the quota has units for. It counts for the key that sent the batch."""
    batch = _own_batch(request, id)
    call = Call(request.user, batch.api_key, batch.endpoint, request.request_id)  # type: ignore[attr-defined]
    try:
        again = retry(call, batch, partial=True)
    except (NothingToRetry, QuotaExceeded, ModelNotInPlan) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{again} of its pictures {'waits' if again == 1 else 'wait'} to be tried again.")
    return redirect("batch_page", batch.pk)


@login_required
@require_http_methods(["GET", "POST"])
def batch_delete(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    """Ask, then do what DELETE of the API does: cancel what has not ended, delete all files."""
    batch = _own_batch(request, id)
    if request.method == "POST":
        closing.cancel(batch)
        messages.success(request, "The batch's pictures are deleted. What had not ended is cancelled, at no charge.")
        return redirect("batch_page", batch.pk)
    progress = batch.progress()
    title = _title(first_names([batch]).get(batch.pk), progress)
    context = {"section": "batches", "batch": batch, "title": title, "progress": progress}
    return render(request, "batches/delete.html", context)


@login_required
@require_safe
def batch_results(request: SignedInRequest, id: uuid.UUID) -> HttpResponseBase:
    try:
        return archive.download(_own_batch(request, id))
    except storage.NotThere as error:
        raise Http404 from error


@login_required
@require_safe
def item_thumbnail(request: SignedInRequest, id: uuid.UUID, index: int) -> HttpResponse:
    """The result, small. A browser may keep it as long as there is one."""
    items = Item.objects.prefetch_related("results")
    result = get_object_or_404(items, batch=_own_batch(request, id), index=index).result
    if result is None:
        raise Http404
    return thumbnails.answer(result, storage.lasts(result))


def _title(first: str | None, progress: Progress) -> str:
    """What people know a batch by: its first picture, and how many more. One that is being deleted has none."""
    name = Truncator(first or "Pictures").chars(LONGEST_TITLE)
    return f"{name} and {progress.total - 1:,} more" if progress.total > 1 else name


def _own_batch(request: SignedInRequest, id: uuid.UUID) -> Batch:
    batch: Batch = get_object_or_404(Batch, pk=id, owner=request.user)
    return batch


urlpatterns: list[URLPattern] = [
    path("batches", batch_list, name="batches"),
    path("batches/<uuid:id>", batch_page, name="batch_page"),
    path("batches/<uuid:id>/retry", batch_retry, name="batch_retry"),
    path("batches/<uuid:id>/delete", batch_delete, name="batch_delete"),
    path("batches/<uuid:id>/results.zip", batch_results, name="batch_results"),
    path("batches/<uuid:id>/thumbnails/<int:index>", item_thumbnail, name="item_thumbnail"),
]
