"""The v1 surface, under /api/v1/: remove-watermark, detect, stats, health, models."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import ApiKeyAuthentication
from accounts.metering import MeteredAPIView
from accounts.models import Scope
from accounts.quota import quota_of
from accounts.requests import AccountRequest
from accounts.statistics import totals
from inpainting import cutouts, encoding, engine, service
from inpainting.api import answers, serializers
from inpainting.api.base import FRAMING, FormOrJsonView, HealthView, PublicView, fingerprint
from inpainting.api.batch import prefers_async, respond_async
from inpainting.batches.accept import Order, admit
from inpainting.findings import Findings
from inpainting.options import TARGETS
from inpainting.prices import models_for
from inpainting.removal import Job


def _header(name: str, type: type, tells: str) -> OpenApiParameter:
    return OpenApiParameter(name, type, OpenApiParameter.HEADER, response=[200], description=tells)


MASK_HEADERS = [
    _header("X-Mask-Pixels", int, "How many pixels were worked on, or found; 0: the picture is unchanged, uncharged."),
    _header("X-Mask-Coverage", float, "Their share of the picture, 0 to 1, with at least three significant digits."),
]
RESULT_HEADERS = [
    *MASK_HEADERS,
    _header("X-Mask-Source", str, "Where the mask came from: provided, rectangles, saved, detected or none."),
    _header("X-Mark-Repair", str, "Of a saved logo: restored (computed away) or repainted (it did not fit)."),
    _header("X-Mask-Confidence", float, "Where it was detected: how sure the surest of it is, 0 to 1."),
    _header("X-Image-Size", str, "The upright picture's size, such as 1024x768."),
    _header("X-Processing-Time", float, "The engine's seconds, without the wait for it."),
]


class RemoveWatermark(FormOrJsonView):
    processes_pictures = True
    max_body_bytes = 2 * settings.MAX_FILE_BYTES + FRAMING

    @extend_schema(
        parameters=RESULT_HEADERS,
        request={
            "multipart/form-data": serializers.RemoveWatermark,
            "application/json": serializers.RemoveWatermarkJSON,
        },
        responses={
            **{(200, type): OpenApiTypes.BINARY for type in encoding.CONTENT_TYPES.values()},
            (202, "application/json"): answers.Batch,
        },
        tags=["v1"],
    )
    def post(self, request: Request) -> HttpResponse:
        """Remove a watermark, or what the mask marks. Nothing is stored; an unchanged picture costs nothing.

        With Prefer: respond-async the answer is 202 with a batch of this picture, and its inputs and result are stored.
        """
        form = self.fields(request, serializers.RemoveWatermark, serializers.RemoveWatermarkJSON)
        if prefers_async(request):
            return respond_async(self, request, lambda: self._order(form))
        if "expires_in" in form.validated_data:
            raise ValidationError({"expires_in": "Nothing is stored of a call without Prefer: respond-async."})
        service.check_room(self.call, form.options(), masked=form.is_masked)
        with form.job(self.size_limit(), self.call.caller) as job:
            cleaned = service.answer(self.call, fingerprint(request, form.fetched), job)
        source = form.mask_source(found=cleaned.pixels > 0)
        response = _picture(job, cleaned, source)
        if isinstance(job.mark, engine.Logo) and cleaned.pixels:
            response["X-Mark-Repair"] = "restored" if cleaned.shared else "repainted"
        if source == "detected":
            response["X-Mask-Confidence"] = f"{cleaned.confidence:.2f}"
        return response

    def _order(self, form: serializers.RemoveWatermark) -> tuple[bytes, Order]:
        if form.is_fetched:
            admit(self.call, 1, form.options())
        return form.order(self.size_limit(), self.call.caller)


class Detect(FormOrJsonView):
    max_body_bytes = settings.MAX_FILE_BYTES + FRAMING

    @extend_schema(
        parameters=MASK_HEADERS,
        request={
            "multipart/form-data": serializers.Detect,
            "application/json": serializers.DetectJSON,
        },
        responses={(200, "application/json"): answers.Detection, (200, "image/png"): OpenApiTypes.BINARY},
        tags=["v1"],
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Find the watermark, or lettering: boxes as JSON, or with Accept: image/png a mask to edit and send back.

        Costs no quota.
        """
        form = self.fields(request, serializers.Detect, serializers.DetectJSON)
        targets = form.validated_data["targets"]
        service.check_detection_room(self.call, targets)
        with form.picture(self.size_limit(), self.call.caller) as picture:
            found = service.detect(self.call, cutouts.shown(picture), targets, form.trust())
        if "image/png" in request.headers.get("Accept", ""):
            return _mask(found)
        return _boxes(found, proposals=form.validated_data["proposals"])


class Stats(MeteredAPIView):
    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.READ}

    @extend_schema(responses=answers.Stats, tags=["v1"])
    def get(self, request: AccountRequest) -> Response:
        """The account's requests over all live keys and all time (a test key's: over its test keys), plan and quota."""
        plan = request.user.current_subscription.plan.slug
        body = {
            **asdict(totals(request.user, is_test=self.call.is_test)),
            "plan": plan,
            "quota": quota_of(request.user),
        }
        return Response(answers.Stats(body).data)


class Health(HealthView):
    @extend_schema(operation_id="v1Health", responses=dict.fromkeys((200, 503), answers.V1Health), tags=["v1"])
    def get(self, request: Request) -> Response:
        """Whether the service works, and which model answers. Needs no key."""
        return self.answer(answers.V1Health, version=settings.VERSION, **asdict(engine.status()))


class Models(PublicView):
    authentication_classes = [ApiKeyAuthentication]
    scopes: ClassVar[dict[str, Scope]] = {"GET": Scope.READ}

    @extend_schema(responses=answers.Models, tags=["v1"])
    def get(self, request: Request) -> Response:
        """The models: what a picture costs, which are available, which is the default. With a key: on its plan.

        Also what can be looked for.
        """
        models = [_model(*each) for each in models_for(self.call.user)]
        targets = [{"name": name, "available": name != "text" or engine.finds_text()} for name in TARGETS]
        return Response(answers.Models({"models": models, "targets": targets}).data)


def _model(info: engine.ModelInfo, units: int | None) -> dict[str, Any]:
    return {**asdict(info), "units": units, "available": info.available and units is not None}


def _picture(job: Job, cleaned: service.Cleaned, mask_source: str) -> HttpResponse:
    response = HttpResponse(cleaned.data, content_type=encoding.CONTENT_TYPES[job.format])
    response["X-Processing-Time"] = f"{cleaned.seconds:.3f}"
    response["X-Image-Size"] = f"{job.picture.width}x{job.picture.height}"
    response["X-Mask-Source"] = mask_source
    _tell_mask(response, cleaned.pixels, cleaned.coverage)
    if cleaned.replayed:
        response["Idempotency-Replayed"] = "true"
    return response


def _mask(found: Findings) -> HttpResponse:
    mask = found.mask
    response = HttpResponse(encoding.encode_mask(mask), content_type="image/png")
    _tell_mask(response, int(np.count_nonzero(mask)), float(mask.mean()))
    return response


def _tell_mask(response: HttpResponse, pixels: int, coverage: float) -> None:
    response["X-Mask-Pixels"] = str(pixels)
    response["X-Mask-Coverage"] = f"{coverage:.{_decimals(coverage)}f}"


def _decimals(share: float) -> int:
    """Four, or as many as it takes for three significant digits: one pixel of 16 million is not nothing."""
    return max(4, 2 - math.floor(math.log10(share))) if share else 4


def _boxes(found: Findings, *, proposals: bool) -> Response:
    coverage = float(found.mask.mean())
    body = {"found": coverage > 0, "coverage": round(coverage, _decimals(coverage)), "boxes": boxes(found)}
    if proposals:
        body["proposals"] = proposed(found)
    return Response(answers.Detection(body).data)


def boxes(found: Findings) -> list[dict[str, Any]]:
    """Members of answers.Box: of watermarks first, then of lettering."""
    marks = [] if found.marks is None else found.marks.boxes
    regions = [] if found.lettering is None else found.lettering.regions
    return [*map(_mark, marks), *({"kind": "text", **region._asdict()} for region in regions)]


def proposed(found: Findings) -> list[dict[str, Any]]:
    return [] if found.marks is None else [*map(_mark, found.marks.proposals)]


def _mark(box: engine.Found) -> dict[str, Any]:
    return {"kind": "watermark", **box._asdict()}
