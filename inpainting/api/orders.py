"""Requests for batches: their fields, and the files in them, which are read one at a time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers

from inpainting.api.fields import MetadataField, PictureField, WebhookUrlField
from inpainting.api.serializers import Fields, Removal
from inpainting.batches import archive
from inpainting.batches.accept import Order, Source
from inpainting.images import SizeLimit
from inpainting.options import Options

MAX_METADATA = 4096  # characters
DEEPEST = 32  # lists and objects within each other


class ObjectField(serializers.JSONField):
    """A JSON object that every database keeps and every client reads: finite numbers, Unicode text without U+0000."""

    default_error_messages = {
        "large": f"A JSON object of at most {MAX_METADATA} characters is expected.",
        "odd": f"JSON of finite numbers and Unicode text without U+0000 is expected, nested {DEEPEST} times at most.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            value = super().to_internal_value(data)
        except RecursionError:
            self.fail("odd")
        if not _is_kept(value, DEEPEST):
            self.fail("odd")
        if not isinstance(value, dict) or len(json.dumps(value)) > MAX_METADATA:
            self.fail("large")
        return value


def _is_kept(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        return levels > 0 and all(_is_kept(each, levels - 1) for each in value)
    if isinstance(value, str):
        return not re.search("[\0\ud800-\udfff]", value)
    return not isinstance(value, float) or math.isfinite(value)


class SendBatch(Removal):
    """Fields of remove-watermark, for many pictures. Their files stay on the disk until they are looked at."""

    mask_url = None  # type: ignore[assignment] # DRF's way to leave a field out
    images = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=255),
        required=False,
        help_text="The pictures; instead of archive.",
    )
    archive = serializers.FileField(
        required=False, help_text="A ZIP of pictures; photo.jpg has its mask in photo_mask.png."
    )
    mask = PictureField(required=False, help_text="One for all pictures, resized to each.")
    masks = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        help_text="One each for images, in order.",
    )
    metadata = ObjectField(  # type: ignore[assignment]
        required=False, default=dict, help_text="A JSON object, given back as it is."
    )
    exif = MetadataField()  # what is `metadata` in a single call
    webhook_url = WebhookUrlField(
        required=False, help_text="Told when the batch is over. Signed with the account's default secret."
    )
    partial = serializers.BooleanField(  # type: ignore[assignment] # a name that DRF uses of the instance alone
        default=False, help_text="Do as many as the quota has units for; the others fail and can be tried again."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("images")) == ("archive" in attrs):
            raise serializers.ValidationError("Send either images or archive.")
        if len({"mask", "masks", "rectangles"} & attrs.keys()) > 1:
            raise serializers.ValidationError("Send one of mask, masks and rectangles.")
        if "masks" in attrs and len(attrs["masks"]) != len(attrs.get("images", [])):
            raise serializers.ValidationError("Send one of masks for each of images.")
        return super().validate(attrs)

    def sources(self, most: int, limit: SizeLimit) -> list[Source]:
        """Raises InvalidArchive."""
        data = self.validated_data
        if "archive" in data:
            sources = archive.sources(data["archive"], most, limit.max_bytes)
            if {"mask", "rectangles"} & data.keys() and any(source.mask for source in sources):
                raise archive.InvalidArchive("The archive has masks in it: send no other.")
            return sources
        masks = data.get("masks") or [None] * len(data["images"])
        return [
            Source(image.name, _whole(image), mask and _whole(mask))
            for image, mask in zip(data["images"], masks, strict=True)
        ]

    def options(self) -> Options:
        return replace(super().options(), metadata=self.validated_data["exif"])

    def order(self, fingerprint: str) -> Order:
        data = self.validated_data
        mask, rectangles = data.get("mask"), data.get("rectangles")
        told = data.get("webhook_url", "")
        return Order(self.options(), mask, rectangles, data["metadata"], data["partial"], fingerprint, told)


class RetryBatch(Fields):
    partial = serializers.BooleanField(  # type: ignore[assignment]
        default=False, help_text="As many as the quota has units for."
    )


def _whole(file: UploadedFile[Any]) -> Callable[[], bytes]:
    def read() -> bytes:
        file.seek(0)
        content: bytes = file.read()
        return content

    return read
