"""The v1 surface's saved marks: kept with a name and a place, listed, renamed, deleted. `mark=ID` applies one."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.response import Response

from accounts.metering import MeteredAPIView
from accounts.models import Scope, User
from accounts.plain import check_line
from accounts.requests import AccountRequest
from inpainting import admission, images, storage
from inpainting.api import answers
from inpainting.api.base import FRAMING, PictureView
from inpainting.api.fields import ChoiceField, PictureField, TextField
from inpainting.api.paging import PAGING, Pages
from inpainting.api.serializers import Fields
from inpainting.images import SizeLimit
from inpainting.models import SavedMark
from inpainting.saved_marks import keeping
from inpainting.saved_marks.saved import ANCHORS, KINDS, SCALINGS, WHOLE, Saved, logo_of, mask_of

TAGS = ["marks"]
PLACED = ("x", "y", "picture_width", "picture_height")
FARTHEST = 1 << 14  # pixels


def _pixels(least: int, tells: str) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=least, max_value=FARTHEST, help_text=tells)


class Name(Fields):
    name = TextField(100, validators=[check_line], help_text="What you call it.")


class NewMark(Name):
    kind = ChoiceField(choices=KINDS, help_text="mask: as remove-watermark takes it. logo: a picture with alpha.")
    image = PictureField(help_text="The mask, as large as the picture it was made on; or the logo, as PNG or WebP.")
    anchor = ChoiceField(
        choices=[*ANCHORS, WHOLE],
        required=False,
        help_text="What of a picture it keeps its distance from. whole: it is stretched over each (a mask's default). "
        "A logo's default is bottom-right.",
    )
    scaling = ChoiceField(
        choices=SCALINGS, default="picture", help_text="picture: it grows with the picture. pixels: it never changes."
    )
    opacity = serializers.FloatField(
        required=False, min_value=0.01, max_value=1, help_text="Of a logo, by which its alpha is multiplied; if known."
    )
    x = _pixels(-FARTHEST, "Of a logo: pixels from the left of the picture on which its place is known.")
    y = _pixels(-FARTHEST, "Pixels from its top.")
    picture_width = _pixels(1, "That picture's width.")
    picture_height = _pixels(1, "That picture's height.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in PLACED if name in attrs]
        if attrs["kind"] == "mask" and (given or "opacity" in attrs):
            odd = given[0] if given else "opacity"
            raise serializers.ValidationError(f"{odd} is for logos; a mask is as large as its picture.")
        if given and len(given) != len(PLACED):
            raise serializers.ValidationError("Send all of x, y, picture_width and picture_height, or none.")
        attrs.setdefault("anchor", WHOLE if attrs["kind"] == "mask" else "bottom-right")
        return attrs

    def saved(self, limit: SizeLimit) -> Saved:
        """Raises InvalidMark, and what masks.py and images.py refuse."""
        asked = self.validated_data
        if asked["kind"] == "mask":
            return mask_of(asked["image"], limit, asked["anchor"], asked["scaling"])
        return logo_of(asked["image"], limit, asked)

    def keep(self, owner: User, limit: SizeLimit) -> SavedMark:
        """One of an account's at a time, let in by what it takes. Raises as `saved` and keeping.keep do; NoRoom."""
        image = self.validated_data["image"]
        pixels = images.check(image, limit)
        with admission.turn(owner.pk):
            keeping.check(owner)
            with admission.worked_on(pixels, len(image), detects=False):
                return keeping.keep(owner, self.validated_data["name"], self.saved(limit))


class Marks(PictureView):
    parser_classes = [MultiPartParser]
    max_body_bytes = settings.MAX_FILE_BYTES + FRAMING
    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.READ, "POST": Scope.PROCESS}

    @extend_schema(
        operation_id="createMark",
        request={"multipart/form-data": NewMark},
        responses={201: answers.SavedMark},
        tags=TAGS,
    )
    def post(self, request: AccountRequest) -> Response:
        """Keep a mask or a logo with its place. It stays until it is deleted. Costs no quota."""
        form = NewMark(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(body(form.keep(request.user, self.size_limit())), status=201)

    @extend_schema(operation_id="listMarks", parameters=PAGING, responses=answers.SavedMarks, tags=TAGS)
    def get(self, request: AccountRequest) -> Response:
        """The account's saved marks, newest first, in pages."""
        pages = Pages()
        page = pages.paginate_queryset(keeping.own(request.user), request, self) or []
        return pages.get_paginated_response([body(mark) for mark in page])


class OneMark(MeteredAPIView):
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.READ, "PATCH": Scope.PROCESS, "DELETE": Scope.PROCESS}

    @extend_schema(operation_id="getMark", responses=answers.SavedMark, tags=TAGS)
    def get(self, request: AccountRequest, id: Any) -> Response:
        """One saved mark."""
        return Response(body(keeping.find(request.user, id)))

    @extend_schema(operation_id="renameMark", request=Name, responses=answers.SavedMark, tags=TAGS)
    def patch(self, request: AccountRequest, id: Any) -> Response:
        """Give it another name."""
        form = Name(data=request.data)
        form.is_valid(raise_exception=True)
        mark = keeping.find(request.user, id)
        keeping.rename(mark, form.validated_data["name"])
        return Response(body(mark))

    @extend_schema(operation_id="deleteMark", responses={204: None}, tags=TAGS)
    def delete(self, request: AccountRequest, id: Any) -> Response:
        """Delete it with its file. Batches that were sent with it have a copy and go on."""
        keeping.delete(request.user, id)
        return Response(status=204)


class MarkFile(MeteredAPIView):
    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.READ}

    @extend_schema(operation_id="getMarkFile", responses={(200, "image/png"): OpenApiTypes.BINARY}, tags=TAGS)
    def get(self, request: AccountRequest, id: Any) -> HttpResponse:
        """The mask or the logo itself, cut to what of it is seen, as PNG."""
        return HttpResponse(storage.read(keeping.find(request.user, id)), content_type="image/png")


def body(mark: SavedMark) -> dict[str, Any]:
    """As the API tells it."""
    place = {name: mark.place[name] for name in ("anchor", "scaling", "picture_width", "picture_height")}
    size = {name: mark.place[name] for name in ("width", "height")}
    told = {"id": mark.name, "name": mark.title, "kind": mark.kind, "opacity": mark.opacity, "bytes": mark.size}
    return dict(answers.SavedMark({**told, **place, **size, "created_at": mark.created_at}).data)
