"""The editor: what its page needs to know, and the calls of v1 that its scripts make.

Whoever is signed in needs no key for them. They take from the account's rate and quota like calls with one. A visitor
has PUBLIC_PICTURES a day, of PUBLIC_SIDE pixels, and no batches.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import lifetimes
from accounts.authentication import PageSession
from accounts.metering import address_of
from accounts.models import User
from accounts.prices import units_for
from accounts.public import pictures_left, take_picture
from accounts.quota import quota_of
from accounts.requests import AccountRequest
from accounts.throttling import AddressThrottle, PlanThrottle
from inpainting import cutouts, encoding, engine, images, masks, service
from inpainting.api import batch, serializers, v1
from inpainting.api.base import FRAMING, AnyFields, FormOrJsonView, size_limit
from inpainting.api.bodies import item_bodies, now
from inpainting.batches.accept import largest, most_bytes
from inpainting.engine import Detection
from inpainting.prices import price_of
from inpainting.saved_marks.saved import PLACES

# A result goes on to be edited as a PNG, which may be larger than the largest upload: up to its bare pixels.
MAX_RESULT_BYTES = 3 * settings.MAX_SIDE**2
PROPOSED = 128  # a level of grey


def page(request: HttpRequest) -> HttpResponse:
    """The editor alone; home has it, too, with words around it."""
    editor = context(request)
    if editor["closed"]:
        return redirect_to_login(request.get_full_path())
    return render(request, "editor/page.html", {"editor": editor})


def context(request: HttpRequest) -> dict[str, Any]:
    """What the editor's templates are told. `closed`: visitors have to sign in."""
    user = request.user if isinstance(request.user, User) else None
    which = "?account" if user else ""
    return {
        "closed": not (user or settings.PUBLIC_PICTURES),
        "quota": quota_of(user) if user else None,
        "pictures": settings.PUBLIC_PICTURES,
        "left": None if user else pictures_left(address_of(request)),
        "units": _units(user),
        "limit": _limit(user),
        "types": sorted(encoding.CONTENT_TYPES.values()),
        "remove": reverse("editor_remove") + which,
        "detect": reverse("editor_detect") + which,
        "marks": reverse("editor_marks") + which if user else None,
        "places": PLACES,
        "batch": _batch(user) if user else None,
        "finds_text": engine.finds_text(),
    }


def _batch(user: User) -> dict[str, Any] | None:
    """Where many pictures are sent, how many and how large. None: the account has no result stored longer than until
    it was downloaded, so they are cleaned one after another."""
    lifetime = lifetimes.chosen("result", user)
    if lifetime == lifetimes.ONCE:
        return None
    most, kept = largest(user), lifetimes.in_words(lifetime)
    return {"url": reverse("editor_batch"), "most": most, "bytes": most_bytes(user, size_limit(user)), "kept": kept}


def _units(user: User | None) -> int | None:
    """What a picture costs of the quota shown beside it. None: the plan has not got the editor's model."""
    price = price_of(None)
    return units_for(user, [price])[price.model] if user else 1  # a visitor's pictures are counted one by one


def _limit(user: User | None) -> images.SizeLimit:
    return size_limit(user) if user else images.SizeLimit.of(None, settings.PUBLIC_SIDE)


class FromThePage(FormOrJsonView):
    authentication_classes = [PageSession]
    permission_classes = []
    throttle_classes = [PlanThrottle, AddressThrottle]
    parser_classes = [MultiPartParser]
    max_body_bytes = MAX_RESULT_BYTES + settings.MAX_FILE_BYTES + FRAMING

    def size_limit(self) -> images.SizeLimit:
        return replace(_limit(self.call.user), max_bytes=MAX_RESULT_BYTES)

    def fields(self, request: Request, of_form: type[AnyFields], of_json: type[AnyFields]) -> AnyFields:
        """The service fetches addresses for accounts only, and works later for them only. Raises ValidationError."""
        if self.call.user is None and ({"image_url", "mask_url"} & set(request.data) or "Prefer" in request.headers):
            raise ValidationError("Sign in to send addresses, or to be answered later.")
        return super().fields(request, of_form, of_json)

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Any:
        """An account's answers tell what is left of its quota; a visitor's what is left of the day's pictures."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if hasattr(self, "call") and self.call.user is None and (left := pictures_left(self.call.address)) is not None:
            response["X-Quota-Remaining"] = str(left)
        return response


@extend_schema(exclude=True)
class RemoveWatermark(FromThePage, v1.RemoveWatermark):
    def post(self, request: Request) -> HttpResponse:
        if self.call.user is not None:
            return super().post(request)
        with take_picture(self.call) as taken:
            response = super().post(request)
            taken.spent = response["X-Mask-Pixels"] != "0"
            return response


@extend_schema(exclude=True)
class Detect(FromThePage, v1.Detect):
    def post(self, request: Request) -> HttpResponseBase:
        """Boxes and proposals as v1 tells them, and `mask` of marks: a PNG, white where sure, grey where proposed."""
        form = self.fields(request, serializers.Detect, serializers.DetectJSON)
        with form.picture(self.size_limit(), self.call.caller) as picture:
            targets = form.validated_data["targets"]
            found = service.detect(self.call, cutouts.shown(picture), targets, form.trust())
        told: dict[str, Any] = {"boxes": v1.boxes(found), "proposals": v1.proposed(found)}
        if found.marks is not None:
            told["mask"] = base64.b64encode(_shapes(found.marks)).decode()
        return Response(told)


@extend_schema(exclude=True)
class SendBatch(batch.Batches):
    """What is sent from it: as v1 takes it. What an account has sent, its pages list."""

    authentication_classes = [PageSession]
    http_method_names = ["post", "options"]


@extend_schema(exclude=True)
class OneBatch(batch.OneBatch):
    """A batch with its items at once, looked at as freely as the account's pages look."""

    authentication_classes = [PageSession]
    throttle_classes = []

    def get(self, request: AccountRequest, id: Any) -> Response:
        found = self.batch(request, id)
        items = found.items.order_by("index").prefetch_related("results")
        return Response({**now(request, found), "items": item_bodies(request, list(items))})


def _shapes(found: Detection) -> bytes:
    """What is marked inside of a proposal is what the network takes for more likely marked than not."""
    levels = np.zeros(found.mask.shape, np.uint8)
    for box in found.proposals:
        area = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
        levels[area] = np.where(found.probability[area] > 0.5, PROPOSED, levels[area])
    levels[found.mask] = masks.WHITE
    return encoding.encode_mask(levels)


urlpatterns: list[URLPattern] = [
    path("editor", page, name="editor"),
    path("editor/remove-watermark", RemoveWatermark.as_view(), name="editor_remove"),
    path("editor/detect", Detect.as_view(), name="editor_detect"),
    path("editor/batch", SendBatch.as_view(), name="editor_batch"),
    path("editor/batch/<uuid:id>", OneBatch.as_view(), name="editor_one_batch"),
]
