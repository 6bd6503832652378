"""The editor: the page on which a picture is cleaned in the browser, and the two calls of v1 that its script makes.

Whoever is signed in needs no key for them. They take from the account's rate and quota like calls with one.
"""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema

from accounts import limits
from accounts.authentication import PageSession
from accounts.models import User
from inpainting import images
from inpainting.api import serializers, v1
from inpainting.api.object_remover import FRAMING

# A result goes on to be edited as a PNG, which may be larger than the largest upload: up to its bare pixels.
MAX_RESULT_BYTES = 3 * settings.MAX_SIDE**2


@login_required
def page(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required saw to it
    limit = serializers.size_limit(request.user)
    context = {"quota": limits.quota_of(request.user), "limit": limit, "types": sorted(images.CONTENT_TYPES.values())}
    return render(request, "editor.html", context)


class FromThePage(v1.PictureView):
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
