"""What the editor asks for whoever is signed in: the account's marks, one laid on a picture's size, another kept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django_ratelimit.core import get_usage
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.authentication import PageSession
from accounts.metering import MeteredAPIView
from accounts.rate import check_usage
from accounts.requests import AccountRequest
from inpainting import admission, encoding
from inpainting.api.serializers import Fields
from inpainting.models import SavedMark
from inpainting.saved_marks import api, keeping

LAYING_RATE = "60/m"  # of one account: fifty open pictures, each of another size, and some more


class LayingThrottle(BaseThrottle):
    """A rate of its own: a mask that is laid on is not the call that cleans, of which the smallest plan has few."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        check_usage(get_usage(request._request, group="laid-masks", key="user", rate=LAYING_RATE, increment=True))
        return True


class Size(Fields):
    width = serializers.IntegerField(min_value=1, max_value=settings.MAX_SIDE)
    height = serializers.IntegerField(min_value=1, max_value=settings.MAX_SIDE)


@extend_schema(exclude=True)
class Marks(api.Marks):
    """As v1 takes them. All are listed at once, and like the account's pages the list costs no rate."""

    authentication_classes = [PageSession]

    def get_throttles(self) -> list[BaseThrottle]:
        return super().get_throttles() if self.request.method == "POST" else []

    def get(self, request: AccountRequest) -> Response:
        return Response({"marks": [_body(mark) for mark in keeping.own(request.user)]})


@extend_schema(exclude=True)
class LaidMask(MeteredAPIView):
    """A saved mask as a picture of `width` and `height` has it: a PNG of levels of grey. A logo is not there."""

    authentication_classes = [PageSession]
    throttle_classes = [LayingThrottle]

    def get(self, request: AccountRequest, id: Any) -> HttpResponse:
        asked = request.query_params.dict()
        asked.pop("account", None)  # of PageSession
        size = Size(data=asked)
        size.is_valid(raise_exception=True)
        height, width = size.validated_data["height"], size.validated_data["width"]
        mark = keeping.find(request.user, id, kind="mask")
        with admission.turn(request.user.pk):
            saved = keeping.read(mark)
            with admission.worked_on(height * width + saved.pixels, mark.size, detects=False):
                return HttpResponse(encoding.encode_mask(saved.mask(height, width)), content_type="image/png")


def _body(mark: SavedMark) -> dict[str, Any]:
    links = {"thumbnail": reverse("saved_mark_thumbnail", args=[mark.name])}
    if mark.kind == "mask":
        links["mask"] = reverse("editor_mark", args=[mark.name]) + "?account"
    return {**api.body(mark), **links}


urlpatterns: list[URLPattern] = [
    path("editor/marks", Marks.as_view(), name="editor_marks"),
    path("editor/marks/<uuid:id>/mask", LaidMask.as_view(), name="editor_mark"),
]
