"""Requests for batches: their fields, and the files in them, which are read one at a time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.files import File
from rest_framework import serializers
from urllib3.util import parse_url

from config import fetching
from inpainting.api.fields import (
    MAX_TEXT,
    EncodedFileField,
    EncodedPictureField,
    MetadataField,
    PictureField,
    RectanglesField,
    UrlField,
    WebhookUrlField,
)
from inpainting.api.serializers import ENCODED, MASK, MASKS, Fields, Removal
from inpainting.batches import archive
from inpainting.batches.accept import BatchTooLarge, Order, Source
from inpainting.batches.models import LONGEST_NAME
from inpainting.engine import FEWEST_SHOTS
from inpainting.images import SizeLimit
from inpainting.options import Options

PICTURES = ("images", "image_urls", "archive")
MAX_METADATA = 4096  # characters
DEEPEST = 32  # lists and objects within each other


class ObjectField(serializers.JSONField):
    """A JSON object that every database keeps and every client reads: finite numbers, Unicode text without U+0000."""

    default_error_messages = {
        "large": f"A JSON object of at most {MAX_METADATA} characters is expected.",
        "odd": f"JSON of finite numbers and Unicode text without U+0000 is expected, nested {DEEPEST} times at most.",
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, str) and len(data) > MAX_TEXT:  # of a form, before it is read
            self.fail("large")
        try:
            value = super().to_internal_value(data)
            if not isinstance(value, dict) or len(json.dumps(value)) > MAX_METADATA:
                self.fail("large")
        except RecursionError:
            self.fail("odd")
        if not _is_kept(value, DEEPEST):
            self.fail("odd")
        return value


def _is_kept(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        return levels > 0 and all(_is_kept(each, levels - 1) for each in value)
    if isinstance(value, str):
        return not re.search("[\0\ud800-\udfff]", value)
    return not isinstance(value, float) or math.isfinite(value)


class ManyField(serializers.ListField):
    """One for each picture. A list too long for any batch is refused before its members are looked at."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and len(data) > settings.MAX_BATCH_SIZE:
            raise BatchTooLarge(settings.MAX_BATCH_SIZE)
        members: list[Any] = super().to_internal_value(data)
        return members


class SendBatch(Removal):
    """Fields of remove-watermark, for many pictures. Their files stay on the disk until they are looked at."""

    images = ManyField(
        child=serializers.FileField(allow_empty_file=True, max_length=255),
        required=False,
        help_text="The pictures; or image_urls, or archive.",
    )
    image_urls = ManyField(
        child=UrlField("images"),
        required=False,
        help_text="Their addresses. Each is fetched when its turn comes.",
    )
    archive = serializers.FileField(
        required=False, help_text="A ZIP of pictures; photo.jpg has its mask in photo_mask.png."
    )
    mask = PictureField(required=False, help_text="One for all pictures, resized to each.")
    masks = ManyField(
        child=serializers.FileField(allow_empty_file=True),
        required=False,
        help_text="One each for images or image_urls, in order.",
    )
    metadata = ObjectField(  # type: ignore[assignment]
        required=False, default=dict, help_text="A JSON object, given back as it is."
    )
    exif = MetadataField()  # what is `metadata` in a single call
    webhook_url = WebhookUrlField(
        required=False, help_text="Told when the batch is over. Signed with the account's default secret."
    )
    partial = serializers.BooleanField(  # type: ignore[assignment] # a name that DRF uses of the instance alone
        default=False,
        help_text="Do as many as the quota has units for; the others fail, and can be tried again if they are kept.",
    )

    shared_mark = serializers.BooleanField(
        default=False,
        help_text=f"All pictures, {FEWEST_SHOTS} or more, have the same mark: it is computed from all of them together "
        "and taken off exactly. Takes images or archive, no mask.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["shared_mark"] and (given := {"masks", "image_urls", "targets", *MASKS} & attrs.keys()):
            raise serializers.ValidationError(f"Send either shared_mark or {min(given)}.")
        if {"masks", "targets"} <= attrs.keys():
            raise serializers.ValidationError("Send either targets or masks: they say what is to go.")
        if sum(bool(attrs.get(name)) for name in PICTURES) != 1:
            raise serializers.ValidationError("Send one of images, image_urls and archive.")
        if len({"masks", *MASKS} & attrs.keys()) > 1:
            raise serializers.ValidationError("Send only one of mask, mask_url, masks, rectangles and mark.")
        pictures = attrs.get("images") or attrs.get("image_urls") or []
        if "masks" in attrs and len(attrs["masks"]) != len(pictures):
            raise serializers.ValidationError("Send one of masks for each of images or image_urls.")
        for index, url in enumerate(attrs.get("image_urls", [])):
            try:
                fetching.check_source(url)
            except fetching.UrlNotAllowed as error:
                raise fetching.UrlNotAllowed(f"image_urls[{index}]: {error}") from error
        return super().validate(attrs)

    def sources(self, most: int, limit: SizeLimit) -> list[Source]:
        """Raises InvalidArchive."""
        data = self.validated_data
        if "archive" in data:
            sources = archive.sources(data["archive"], most, limit.max_bytes)
            others = {"targets", *MASKS} & data.keys() or data["shared_mark"]
            if others and any(source.mask for source in sources):
                raise archive.InvalidArchive("The archive has masks in it: send no other, no shared_mark, no targets.")
            return sources
        urls = data.get("image_urls", [])
        pictures = [Source(_name(url, index), None, url=url) for index, url in enumerate(urls)] or [
            Source(image.name, _whole(image)) for image in data["images"]
        ]
        masks = data.get("masks") or [None] * len(pictures)
        return [replace(picture, mask=mask and _whole(mask)) for picture, mask in zip(pictures, masks, strict=True)]

    def options(self) -> Options:
        return replace(super().options(), metadata=self.validated_data["exif"])

    def order(self, fingerprint: str, limit: SizeLimit, caller: str) -> Order:
        """Raises FetchError, TooManyFetches: of `mask_url`."""
        self.fetch(limit, caller)
        data = self.validated_data
        mask, rectangles = data.get("mask"), data.get("rectangles")
        told = data.get("webhook_url", "")
        given = self.options(), mask, rectangles, data["metadata"], data["partial"]
        return Order(*given, fingerprint, told, data["shared_mark"], data.get("expires_in"), data.get("mark"))


class SendBatchJSON(SendBatch):
    images = ManyField(child=EncodedFileField(), required=False, help_text=ENCODED)
    archive = EncodedFileField(required=False, help_text=ENCODED)
    mask = EncodedPictureField(required=False, help_text=ENCODED + MASK)
    masks = ManyField(child=EncodedFileField(), required=False, help_text=ENCODED)
    rectangles = RectanglesField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for index, image in enumerate(attrs.get("images", [])):
            image.name = _numbered(index)
        return super().validate(attrs)


class RetryBatch(Fields):
    partial = serializers.BooleanField(  # type: ignore[assignment]
        default=False, help_text="As many as the quota has units for."
    )


def _numbered(index: int) -> str:
    return f"image-{index}"


def _name(url: str, index: int) -> str:
    """As the address's last part has it."""
    last = unquote((parse_url(url).path or "").rpartition("/")[2], errors="replace")
    shown = "".join(each if each.isprintable() and each not in "/\\" else "_" for each in last[:LONGEST_NAME])
    return shown or _numbered(index)


def _whole(file: File[Any]) -> Callable[[], bytes]:
    def read() -> bytes:
        file.seek(0)
        content: bytes = file.read()
        return content

    return read
