"""The editor: the page on which a picture is cleaned in the browser, and the two calls of v1 that its script makes.

Whoever is signed in needs no key for them. They take from the account's rate and quota like calls with one.
"""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema

from accounts.authentication import PageSession
from accounts.quota import quota_of
from accounts.requests import SignedInRequest
from inpainting import encoding, images
from inpainting.api import v1
from inpainting.api.base import FRAMING, PictureView, size_limit

# A result goes on to be edited as a PNG, which may be larger than the largest upload: up to its bare pixels.
MAX_RESULT_BYTES = 3 * settings.MAX_SIDE**2


@login_required
def page(request: SignedInRequest) -> HttpResponse:
    context = {
        "quota": quota_of(request.user),
        "limit": size_limit(request.user),
        "types": sorted(encoding.CONTENT_TYPES.values()),
    }
    return render(request, "editor.html", context)


class FromThePage(PictureView):
    authentication_classes = [PageSession]
    max_body_bytes = MAX_RESULT_BYTES + settings.MAX_FILE_BYTES + FRAMING

    def size_limit(self) -> images.SizeLimit:
        return replace(super().size_limit(), max_bytes=MAX_RESULT_BYTES)


@extend_schema(exclude=True)
class RemoveWatermark(FromThePage, v1.RemoveWatermark):
    pass


@extend_schema(exclude=True)
class Detect(FromThePage, v1.Detect):
    pass


urlpatterns: list[URLPattern] = [
    path("editor", page, name="editor"),
    path("editor/remove-watermark", RemoveWatermark.as_view(), name="editor_remove"),
    path("editor/detect", Detect.as_view(), name="editor_detect"),
]
