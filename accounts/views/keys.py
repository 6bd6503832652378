"""API keys: listed, made, edited, rotated, revoked. A secret is in the one response that made it, and nowhere else."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_ratelimit.core import is_ratelimited

from accounts.forms.keys import CreateKeyForm, EditKeyForm, RotateKeyForm
from accounts.forms.once import OnceForm
from accounts.models import MAX_LIVE_KEYS, ApiKey
from accounts.requests import SignedInRequest

KEY_RATE = "30/h"  # keys that an account may make


@login_required
def key_list(request: SignedInRequest) -> HttpResponse:
    keys = list(request.user.api_keys.all())
    context = {
        "live": [key for key in keys if key.is_live],
        "dead": [key for key in keys if not key.is_live],
        "max_live_keys": MAX_LIVE_KEYS,
    }
    return render(request, "accounts/keys.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def key_create(request: SignedInRequest) -> HttpResponse:
    form = CreateKeyForm(request.POST or None)
    if form.is_valid() and _may_make_a_key(request, form):
        if not form.is_first_use():
            return _sent_twice(request)
        if key_and_secret := form.create(request.user):
            return _show_secret(request, *key_and_secret)
    return render(request, "accounts/key_create.html", {"form": form})


@login_required
@require_http_methods(["GET", "POST"])
def key_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    key = _own_live_key(request, pk)
    form = EditKeyForm(key, request.POST or None)
    if form.is_valid():
        if not form.save():
            raise Http404  # revoked or expired since it was looked up
        name = form.cleaned_data["name"]
        messages.success(request, f"The key {name} ({key.prefix}…) is changed, from its next request on.")
        return redirect("keys")
    return render(request, "accounts/key_edit.html", {"form": form, "key": key})


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def key_rotate(request: SignedInRequest, pk: int) -> HttpResponse:
    key = _own_live_key(request, pk)
    form = RotateKeyForm(request.POST or None)
    if form.is_valid() and _may_make_a_key(request, form):
        if not form.is_first_use():
            return _sent_twice(request)
        if key_and_secret := form.rotate(key):
            return _show_secret(request, *key_and_secret, replaced=key)
    return render(request, "accounts/key_rotate.html", {"form": form, "key": key})


@login_required
@require_http_methods(["GET", "POST"])
def key_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    key = _own_live_key(request, pk)
    if request.method == "POST":
        key.revoke()
        messages.success(request, f"The key {key} is revoked: requests with it now get a 401.")
        return redirect("keys")
    return render(request, "accounts/key_revoke.html", {"key": key})


def _own_live_key(request: SignedInRequest, pk: int) -> ApiKey:
    key: ApiKey = get_object_or_404(request.user.api_keys.live(), pk=pk)
    return key


def _may_make_a_key(request: SignedInRequest, form: OnceForm) -> bool:
    if is_ratelimited(request, group="keys", key="user", rate=KEY_RATE, increment=True):
        form.add_error(None, f"You have created too many keys within an hour ({KEY_RATE}). Please try again later.")
        return False
    return True


def _sent_twice(request: SignedInRequest) -> HttpResponse:
    messages.warning(request, "This form was sent twice: the key was already created. A key is shown only once.")
    return redirect("keys")


def _show_secret(request: SignedInRequest, key: ApiKey, secret: str, replaced: ApiKey | None = None) -> HttpResponse:
    """The answer to the POST itself: after a redirect the secret would have to be kept somewhere."""
    return render(request, "accounts/key_made.html", {"key": key, "secret": secret, "replaced": replaced})
