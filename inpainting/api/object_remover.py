"""The object remover surface, at the root: upload, inpaint, download."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import ClassVar

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts import lifetimes
from accounts.authentication import ApiTokenAuthentication
from accounts.models import Scope
from accounts.public import take_bytes
from accounts.throttling import AddressThrottle, PlanThrottle
from config import links
from inpainting import admission, images, masks, service, storage
from inpainting.api import answers, serializers
from inpainting.api.base import FRAMING, HealthView, PictureView, PublicView, fingerprint
from inpainting.api.batch import prefers_async, respond_async
from inpainting.api.parsers import JSONParser
from inpainting.images import SizeLimit
from inpainting.models import Result, StoredFile, Upload

EXPIRY = OpenApiParameter(
    "X-Expires-At",
    OpenApiTypes.DATETIME,
    OpenApiParameter.HEADER,
    response=[200],
    description="When what was stored goes, in ISO 8601.",
)


class ObjectRemoverView(PictureView):
    authentication_classes = [ApiTokenAuthentication]
    permission_classes = []
    throttle_classes = [PlanThrottle, AddressThrottle]


class Health(HealthView):
    @extend_schema(responses=dict.fromkeys((200, 503), answers.Health), tags=["object remover"])
    def get(self, request: Request) -> Response:
        """Whether the service works. Needs no key."""
        return self.answer(answers.Health)


def _expiry(stored: StoredFile) -> dict[str, str]:
    """A header, as the bodies of this surface are those of its document and no others."""
    return {"X-Expires-At": stored.expires_at.isoformat()}


class UploadView(ObjectRemoverView):
    """One picture, kept under an id for as long as the call or the account says."""

    parser_classes = [MultiPartParser]
    max_body_bytes = settings.MAX_FILE_BYTES + FRAMING
    kind: Upload.Kind

    def _keep(
        self,
        request: Request,
        serializer: type[serializers.ImageUpload | serializers.MaskUpload],
        pixels: Callable[[bytes, SizeLimit], int],
        check: Callable[[bytes, SizeLimit], object],
    ) -> Response:
        """`pixels`, by its headers, and `check` raise what is wrong with the file. NoRoom: come later."""
        form = serializer(data=request.data, context={"user": self.call.user})
        form.is_valid(raise_exception=True)
        data, limit = form.validated_data[self.kind.value], self.size_limit()
        with admission.worked_on(pixels(data, limit), len(data), detects=False):
            check(data, limit)
        take_bytes(self.call, len(data))
        lifetime = lifetimes.chosen("upload", self.call.user, form.validated_data.get("expires_in"))
        upload = storage.put_upload(data, self.kind, self.call.user, lifetime)
        filename = request.FILES[self.kind.value].name
        answer = answers.Uploaded({"id": upload.name, "filename": filename}).data
        return Response(answer, headers=_expiry(upload))


class UploadImage(UploadView):
    kind = Upload.Kind.IMAGE

    @extend_schema(
        request=serializers.ImageUpload, responses=answers.Uploaded, parameters=[EXPIRY], tags=["object remover"]
    )
    def post(self, request: Request) -> Response:
        """Upload a picture. Its id can be used until it expires."""
        return self._keep(request, serializers.ImageUpload, images.check, images.read)


class UploadMask(UploadView):
    kind = Upload.Kind.MASK

    @extend_schema(
        request=serializers.MaskUpload, responses=answers.Uploaded, parameters=[EXPIRY], tags=["object remover"]
    )
    def post(self, request: Request) -> Response:
        """Upload a mask. Its id can be used until it expires."""
        return self._keep(request, serializers.MaskUpload, masks.pixels, masks.check)


class OneUpload(ObjectRemoverView):
    """A picture's or a mask's: ids do not tell them apart."""

    scopes: ClassVar[dict[str, Scope]] = {"DELETE": Scope.PROCESS}

    @extend_schema(operation_id="deleteUpload", responses={204: None}, tags=["object remover"])
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """Delete an uploaded picture or mask now. One made with an account's key takes a key of that account."""
        storage.delete_upload(id, self.call.user)
        return Response(status=204)


class InpaintView(ObjectRemoverView):
    """A picture and a mask to a stored result."""

    processes_pictures = True
    serializer_class: type[serializers.InpaintUploads | serializers.InpaintMultipart]

    def _inpaint(self, request: Request, tell: Callable[[Request, Result], Response]) -> Response:
        """`tell` of the stored result; or with Prefer: respond-async 202 with a batch of one."""
        form = self.serializer_class(data=request.data, context={"user": self.call.user})
        form.is_valid(raise_exception=True)
        if prefers_async(request):
            return respond_async(self, request, lambda: form.order(self.size_limit(), self.call.user))
        service.check_room(self.call, form.options(), masked=form.is_masked)
        with form.job(self.size_limit(), self.call.user) as job:
            result = service.store(self.call, fingerprint(request), job, form.validated_data.get("expires_in"))
        return tell(request, result)


def _name(request: Request, result: Result) -> Response:
    return Response(answers.Inpainted({"result": result.name}).data, headers=_expiry(result))


def _name_and_url(request: Request, result: Result) -> Response:
    url = links.absolute(request, reverse("download", args=[result.name]))
    return Response(answers.InpaintedUrl({"result": result.name, "url": url}).data, headers=_expiry(result))


class Inpaint(InpaintView):
    parser_classes = [JSONParser]
    serializer_class = serializers.InpaintUploads

    @extend_schema(
        request=serializers.InpaintUploads,
        responses={200: answers.Inpainted, 202: answers.Batch},
        parameters=[EXPIRY],
        tags=["object remover"],
    )
    def post(self, request: Request) -> Response:
        """Fill what the mask or saved mark covers in an uploaded picture. Answers the name of the stored result.

        With an account's X-API-Key and Prefer: respond-async the answer is 202 with a batch of this picture.
        """
        return self._inpaint(request, _name)


class InpaintUrl(InpaintView):
    parser_classes = [JSONParser]
    serializer_class = serializers.InpaintUploads

    @extend_schema(
        request=serializers.InpaintUploads,
        responses={200: answers.InpaintedUrl, 202: answers.Batch},
        parameters=[EXPIRY],
        tags=["object remover"],
    )
    def post(self, request: Request) -> Response:
        """Fill what the mask or saved mark covers in an uploaded picture. Answers the stored result's name and address.

        With an account's X-API-Key and Prefer: respond-async the answer is 202 with a batch of this picture.
        """
        return self._inpaint(request, _name_and_url)


class InpaintMultipart(InpaintView):
    parser_classes = [MultiPartParser]
    serializer_class = serializers.InpaintMultipart
    max_body_bytes = 2 * settings.MAX_FILE_BYTES + FRAMING

    @extend_schema(
        request=serializers.InpaintMultipart,
        responses={200: answers.InpaintedUrl, 202: answers.Batch},
        parameters=[EXPIRY],
        tags=["object remover"],
    )
    def post(self, request: Request) -> Response:
        """Fill what the mask or the saved mark covers, in one request. Answers the stored result's name and address.

        With an account's X-API-Key and Prefer: respond-async the answer is 202 with a batch of this picture.
        """
        return self._inpaint(request, _name_and_url)


class PreconditionFailed(APIException):
    status_code = 412
    default_code = "precondition_failed"
    default_detail = "The result is not the one that If-Match or If-Unmodified-Since names."


class Download(PublicView):
    """A result, streamed; shows in a browser; ETag and Last-Modified are honoured. Only to delete it asks for more."""

    scopes: ClassVar[dict[str, Scope]] = {"DELETE": Scope.PROCESS}

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [ApiTokenAuthentication()] if self._deletes() else []

    def get_throttles(self) -> list[BaseThrottle]:
        return [PlanThrottle()] if self._deletes() else []

    def _deletes(self) -> bool:
        return self.request is not None and self.request.method == "DELETE"  # None: for the schema

    @extend_schema(responses={204: None}, tags=["object remover"])
    def delete(self, request: Request, name: str) -> Response:
        """Delete the result now. One made with an account's key takes a key of that account."""
        storage.delete_result(name, self.call.user)
        return Response(status=204)

    @extend_schema(responses={(200, "image/png"): OpenApiTypes.BINARY}, tags=["object remover"])
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """The result, to download or to show in a browser. ETag and Last-Modified are supported."""
        return self._answer(request, name)

    @extend_schema(exclude=True)
    def head(self, request: Request, name: str) -> HttpResponseBase:
        return self._answer(request, name)

    def _answer(self, request: Request, name: str) -> HttpResponseBase:
        result = storage.find_result(name)
        headers = storage.headers(result)
        response: HttpResponseBase | None = get_conditional_response(
            request._request, etag=headers["ETag"], last_modified=int(result.created_at.timestamp())
        )
        if response is not None and response.status_code == PreconditionFailed.status_code:
            raise PreconditionFailed
        if response is None:
            head = request.method == "HEAD"
            response = HttpResponse(content_type="image/png") if head else storage.stream(result)
            if head or not result.once:  # which goes with its last block: who counts bytes would be done before that
                response["Content-Length"] = headers["Content-Length"]
        for header in ("Content-Disposition", "ETag", "Last-Modified", "Cache-Control", "X-Content-Type-Options"):
            response[header] = headers[header]
        return response
