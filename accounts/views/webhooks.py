"""Webhooks: endpoints, their secrets and their log. A secret is in the one response that made it, and nowhere else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from accounts.forms.once import OnceForm
from accounts.forms.webhooks import CreateEndpointForm, EndpointForm, ReplayForm
from accounts.models import DefaultSigner, Delivery, Try, User, WebhookEndpoint
from accounts.requests import SignedInRequest
from accounts.webhooks import endpoints, events
from accounts.webhooks.models import MAX_ENDPOINTS, EndpointDisabled
from config.paging import CursorPages

SOON = timedelta(seconds=10)  # a page waits for what is tried so soon


class LogPages(CursorPages):
    page_size = 20


@login_required
@require_safe
def endpoint_list(request: SignedInRequest) -> HttpResponse:
    last = Try.objects.filter(delivery__endpoint=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    found = list(WebhookEndpoint.objects.filter(owner=request.user).annotate(last_try=Subquery(last)))
    tries = Try.objects.in_bulk([each.last_try for each in found if each.last_try])
    context = {
        "rows": [(endpoint, tries.get(endpoint.last_try)) for endpoint in found],
        "max_endpoints": MAX_ENDPOINTS,
        "default": _default(request.user),
    }
    return render(request, "webhooks/list.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def endpoint_create(request: SignedInRequest) -> HttpResponse:
    form = CreateEndpointForm(request.POST or None)
    if form.is_valid():
        if not form.is_first_use():
            messages.warning(request, "This form was sent twice: the endpoint was already added.")
            return redirect("webhooks")
        if made := form.create(request.user):
            return _show_secret(request, *made)
    return render(request, "webhooks/create.html", {"section": "webhooks", "form": form})


@login_required
@require_safe
def endpoint_page(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    endpoint = endpoints.find(request.user, id)
    context = {
        "section": "webhooks",
        "endpoint": endpoint,
        "test": OnceForm(),
        "replay": ReplayForm(initial={"since": endpoint.failing_since}),
        **_log(request, endpoint.deliveries.all()),
    }
    return render(request, "webhooks/endpoint.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def endpoint_edit(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    endpoint = endpoints.find(request.user, id)
    form = EndpointForm(request.POST or None, initial={"url": endpoint.url, "events": endpoint.events})
    if form.is_valid():
        form.change(request.user, id)
        messages.success(request, "The endpoint is changed.")
        return redirect("webhook_page", id)
    return render(request, "webhooks/edit.html", {"section": "webhooks", "endpoint": endpoint, "form": form})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def endpoint_rotate(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    endpoint, form = endpoints.find(request.user, id), OnceForm(request.POST or None)
    if form.is_valid():
        if not form.is_first_use():
            return _rotated_twice(request, "webhook_page", id)
        return _show_secret(request, *endpoints.rotate(request.user, id))
    context = {"section": "webhooks", "endpoint": endpoint, "signer": endpoint, "form": form}
    return render(request, "webhooks/rotate.html", context)


@login_required
@require_POST
def endpoint_enable(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    endpoints.change(request.user, id, enabled=True)
    messages.success(request, "The endpoint is enabled. What it missed can be replayed below.")
    return redirect("webhook_page", id)


@login_required
@require_POST
def endpoint_disable(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    endpoints.change(request.user, id, enabled=False)
    messages.success(request, "The endpoint is disabled: nothing is sent to it.")
    return redirect("webhook_page", id)


@login_required
@require_http_methods(["GET", "POST"])
def endpoint_delete(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    endpoint = endpoints.find(request.user, id)
    if request.method == "POST":
        endpoints.delete(request.user, id)
        messages.success(request, "The endpoint and its log are deleted.")
        return redirect("webhooks")
    return render(request, "webhooks/delete.html", {"section": "webhooks", "endpoint": endpoint})


@login_required
@require_POST
def endpoint_test(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    """A double click sends one test."""
    endpoint, form = endpoints.find(request.user, id), OnceForm(request.POST)
    if endpoint.disabled:
        return _enable_first(request, id)
    if form.is_valid() and form.is_first_use():
        endpoints.test(request.user, id)
        messages.success(request, "A test is on its way. What it was answered is the first entry of the log.")
    return redirect("webhook_page", id)


@login_required
@require_POST
def endpoint_replay(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    endpoint, form = endpoints.find(request.user, id), ReplayForm(request.POST)
    if endpoint.disabled:
        return _enable_first(request, id)
    if not form.is_valid():
        messages.error(request, f"Nothing is replayed. {form.errors['since'][0]}")
    elif count := events.replay_since(endpoint, form.cleaned_data["since"]):
        messages.success(request, f"{count} event{' is' if count == 1 else 's are'} sent again.")
    else:
        messages.info(request, "Nothing that this endpoint is told has happened since then.")
    return redirect("webhook_page", id)


@login_required
@require_POST
def delivery_replay(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    try:
        delivery = events.replay(request.user, id)
    except EndpointDisabled as error:
        messages.warning(request, str(error))
        return redirect("webhooks")
    messages.success(request, "The event is sent again.")
    return redirect("webhook_page", delivery.endpoint_id) if delivery.endpoint_id else redirect("webhook_default")


@login_required
@require_safe
def default_page(request: SignedInRequest) -> HttpResponse:
    """The default secret, and the log of the addresses that calls named by themselves."""
    bare = Delivery.objects.filter(owner=request.user, endpoint=None)
    context = {"section": "webhooks", "signer": _default(request.user), **_log(request, bare)}
    return render(request, "webhooks/default.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def default_rotate(request: SignedInRequest) -> HttpResponse:
    form = OnceForm(request.POST or None)
    if form.is_valid():
        if not form.is_first_use():
            return _rotated_twice(request, "webhook_default")
        return _show_secret(request, *endpoints.rotate_default(request.user))
    context = {"section": "webhooks", "signer": _default(request.user), "form": form}
    return render(request, "webhooks/rotate.html", context)


def _default(user: User) -> DefaultSigner | None:
    return DefaultSigner.objects.filter(owner=user).first()


def _log(request: SignedInRequest, deliveries: QuerySet[Delivery]) -> dict[str, Any]:
    """One page of them, newest first, and whether it will soon show something else."""
    pages, found = LogPages(), deliveries.select_related("event").prefetch_related("log")
    try:
        page = pages.paginate_queryset(found, Request(request)) or []
    except NotFound as error:  # a cursor that is none
        raise Http404 from error
    soon = timezone.now() + SOON
    return {
        "page": page,
        "newer": pages.get_previous_link(),
        "older": pages.get_next_link(),
        "is_open": any(
            each.state == Delivery.State.RUNNING or (each.state == Delivery.State.QUEUED and each.available_at < soon)
            for each in page
        ),
    }


def _enable_first(request: SignedInRequest, id: uuid.UUID) -> HttpResponse:
    messages.warning(request, "The endpoint is disabled: nothing is sent to it. Enable it first.")
    return redirect("webhook_page", id)


def _rotated_twice(request: SignedInRequest, page: str, *arguments: Any) -> HttpResponse:
    messages.warning(request, "This form was sent twice: the secret was already made. A secret is shown only once.")
    return redirect(page, *arguments)


def _show_secret(request: SignedInRequest, signer: WebhookEndpoint | DefaultSigner, secret: str) -> HttpResponse:
    """The answer to the POST itself: after a redirect the secret would have to be kept somewhere."""
    endpoint = signer if isinstance(signer, WebhookEndpoint) else None
    context = {"section": "webhooks", "signer": signer, "endpoint": endpoint, "secret": secret}
    return render(request, "webhooks/secret.html", context)
