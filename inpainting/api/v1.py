"""The v1 surface, under /api/v1/: remove-watermark, detect, stats, health, models."""

from __future__ import annotations

from dataclasses import asdict

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import limits
from accounts.metering import MeteredAPIView
from inpainting import engine, health, images, masks, service
from inpainting.api import answers, serializers
from inpainting.api.object_remover import FRAMING, PublicView


class PictureView(MeteredAPIView):
    """Takes a picture, as large as the account's plan allows."""

    parser_classes = [MultiPartParser]

    def size_limit(self) -> images.SizeLimit:
        return serializers.size_limit(self.call.user)


class RemoveWatermark(PictureView):
    processes_pictures = True
    max_body_bytes = 2 * settings.MAX_FILE_BYTES + FRAMING

    @extend_schema(
        request={"multipart/form-data": serializers.RemoveWatermark},
        responses={(200, type): OpenApiTypes.BINARY for type in images.CONTENT_TYPES.values()},
        tags=["v1"],
    )
    def post(self, request: Request) -> HttpResponse:
        form = serializers.RemoveWatermark(data=request.data)
        form.is_valid(raise_exception=True)
        service.check_room(self.call, form.validated_data["model"])
        job = form.job(self.size_limit())
        cleaned = service.answer(self.call, serializers.fingerprint(request), job)
        response = HttpResponse(cleaned.data, content_type=images.CONTENT_TYPES[job.options.format])
        response["X-Processing-Time"] = f"{cleaned.seconds:.3f}"
        response["X-Image-Size"] = f"{job.picture.width}x{job.picture.height}"
        response["X-Mask-Source"] = form.mask_source(cleaned.coverage)
        response["X-Mask-Coverage"] = f"{cleaned.coverage:.4f}"
        if cleaned.replayed:
            response["Idempotency-Replayed"] = "true"
        return response


class Detect(PictureView):
    """Where the watermark is, as JSON; with Accept: image/png as a mask to edit and send back. Costs no quota."""

    max_body_bytes = settings.MAX_FILE_BYTES + FRAMING

    @extend_schema(
        request={"multipart/form-data": serializers.Detect},
        responses={(200, "application/json"): answers.Detection, (200, "image/png"): OpenApiTypes.BINARY},
        tags=["v1"],
    )
    def post(self, request: Request) -> HttpResponseBase:
        form = serializers.Detect(data=request.data)
        form.is_valid(raise_exception=True)
        picture = images.decode(form.validated_data["image"], self.size_limit())
        trusted = form.validated_data["mode"] == "restore"
        found = engine.get_detector().detect(picture.rgb, trusted=trusted, mend=False)
        coverage = masks.coverage(found.mask)
        if "image/png" in request.headers.get("Accept", ""):
            response = HttpResponse(images.encode_mask(found.mask), content_type="image/png")
            response["X-Mask-Coverage"] = f"{coverage:.4f}"
            return response
        boxes = [dict(zip(("x", "y", "width", "height", "score"), box, strict=True)) for box in found.boxes]
        return Response({"found": bool(found.mask.any()), "coverage": round(coverage, 4), "boxes": boxes})


class Stats(MeteredAPIView):
    @extend_schema(responses=answers.Stats, tags=["v1"])
    def get(self, request: Request) -> Response:
        user = self.call.user
        assert user is not None  # noqa: S101 - IsAuthenticated saw to it
        quota = limits.quota_of(user)
        return Response(
            {
                **asdict(limits.totals(user)),
                "plan": user.current_subscription.plan.slug,
                "quota": {
                    "limit": quota.limit,
                    "used": quota.used,
                    "remaining": quota.remaining,
                    "period": quota.period,
                    "resets_at": f"{quota.resets_at:%Y-%m-%dT%H:%M:%SZ}",
                },
            }
        )


class Health(PublicView):
    @extend_schema(responses=answers.V1Health, tags=["v1"])
    def get(self, request: Request) -> Response:
        problem, state = health.problem(), engine.status()
        body = {
            "status": "unhealthy" if problem else "healthy",
            "model": state.model,
            "device": state.device,
            "gpu_available": state.gpu_available,
            "weights": state.weights,
            "precision": state.precision,
            "version": settings.VERSION,
        }
        return Response({**body, "detail": problem} if problem else body, status=503 if problem else 200)


class Models(PublicView):
    @extend_schema(responses=answers.Models, tags=["v1"])
    def get(self, request: Request) -> Response:
        return Response({"models": [asdict(model) for model in engine.models()]})
