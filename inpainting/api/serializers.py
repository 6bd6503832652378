"""Requests to jobs: each serializer validates its fields and reads the pictures in them."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from accounts.models import User
from inpainting import images, masks, storage
from inpainting.engine import Trust
from inpainting.images import SizeLimit
from inpainting.models import Upload
from inpainting.options import FORMATS, MAX_GROW, METADATA, MODES, Options
from inpainting.removal import Job

MAX_TEXT = 1 << 16


class UnknownField(ValueError):
    def __init__(self, name: str, known: list[str]) -> None:
        nearest = difflib.get_close_matches(name[:50].lower(), known, n=1)
        hint = f"Did you mean {nearest[0]!r}?" if nearest else f"There are {', '.join(known)}."
        super().__init__(f"There is no field {name[:50]!r}. {hint}")


class Fields(serializers.Serializer[Any]):
    """A request's. Refuses what it does not know and what is empty: `masks`, or an empty `mask`, is not "no mask"."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given = data if isinstance(data, Mapping) else {}
        if empty := [name for name in self.fields.keys() & given.keys() if given[name] == ""]:
            raise serializers.ValidationError({min(empty): "The field is empty. Give it a value or leave it out."})
        values: dict[str, Any] = super().to_internal_value(data)
        if unknown := [name for name in given if name not in self.fields]:
            raise UnknownField(unknown[0], list(self.fields.keys()))
        return values


class PictureField(serializers.FileField):
    """An uploaded file as bytes. What is in it decides, not its name; an empty file is an invalid picture."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty_file=True, **kwargs)

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]
        content: bytes = super().to_internal_value(data).read()
        return content


class GrowField(serializers.IntegerField):
    def __init__(self) -> None:
        super().__init__(
            default=0, min_value=0, max_value=MAX_GROW, help_text="Pixels by which the repainted area is widened."
        )


class ModelField(serializers.CharField):
    """The inpainter's name; without it the service's default works."""

    def __init__(self) -> None:
        super().__init__(required=False, default=None, max_length=40, help_text="One of GET /api/v1/models.")


class FormatField(serializers.ChoiceField):
    """In any case; jpg is jpeg."""

    default_error_messages = {"invalid_choice": '"{input}" is none of ' + ", ".join(FORMATS) + "."}

    def __init__(self) -> None:
        super().__init__(
            choices=FORMATS,
            default="png",
            help_text="Of the result; jpg and capitals are understood. auto: as the picture came; HEIC becomes JPEG.",
        )

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({"jpg": "jpeg"}.get(name := str(data).lower(), name))


class MetadataField(serializers.ChoiceField):
    def __init__(self) -> None:
        super().__init__(
            choices=METADATA,
            default="strip",
            help_text="strip: the result tells no place, time or name. keep: it has the picture's EXIF, no thumbnail.",
        )


class RemoveWatermark(Fields):
    image = PictureField(help_text="JPEG, PNG, WebP, HEIC or AVIF; at most 10 MB and 4096 px a side.")
    mask = PictureField(
        required=False,
        help_text="White = remove, black = keep, grey = blend. Without mask or rectangles the watermark is found.",
    )
    rectangles = serializers.CharField(
        required=False, max_length=MAX_TEXT, help_text='Instead of mask: [{"x": 0, "y": 0, "width": 9, "height": 9}].'
    )
    grow = GrowField()
    mode = serializers.ChoiceField(
        choices=MODES,
        required=False,
        help_text="repaint: fill the mask (the default with a mask). restore: there is a watermark; restore "
        "the picture below it. auto: whichever of both leaves less of a trace (the default without a mask).",
    )
    format = FormatField()
    metadata = MetadataField()
    model = ModelField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "mask" in attrs and "rectangles" in attrs:
            raise serializers.ValidationError("Send either mask or rectangles, not both.")
        return attrs

    @property
    def is_masked(self) -> bool:
        return bool({"mask", "rectangles"} & self.validated_data.keys())

    def options(self) -> Options:
        data = self.validated_data
        return Options(data["model"], data.get("mode"), data["grow"], data["format"], data["metadata"])

    def job(self, limit: SizeLimit) -> Job:
        """Raises InvalidImage, ImageTooLarge and what else masks.py and images.py refuse."""
        data = self.validated_data
        mask, rectangles = data.get("mask"), data.get("rectangles")
        return Job.read(data["image"], self.options(), limit, mask=mask, rectangles=rectangles)

    def mask_source(self, *, found: bool) -> str:
        """Where the mask came from, as X-Mask-Source tells it: provided, rectangles, detected or none."""
        for field, source in (("mask", "provided"), ("rectangles", "rectangles")):
            if field in self.validated_data:
                return source
        return "detected" if found else "none"


class InvertibleMask(Fields):
    invert_mask = serializers.BooleanField(default=False, help_text="Inverts the mask.")
    grow = GrowField()
    metadata = MetadataField()
    model = ModelField()

    def job(self, limit: SizeLimit, user: User | None) -> Job:
        """Raises NotThere, and what images.py and masks.py refuse."""
        image, mask = self._files(user)
        picture = images.decode(image, limit)
        invert = self.validated_data["invert_mask"]
        blend_mask = masks.hole(mask, picture, limit, invert=invert)
        data = self.validated_data
        return Job.of(picture, blend_mask, Options(data["model"], grow=data["grow"], metadata=data["metadata"]))

    def _files(self, user: User | None) -> tuple[bytes, bytes]:
        """The picture's and the mask's."""
        raise NotImplementedError


class InpaintUploads(InvertibleMask):
    image_id = serializers.CharField(max_length=100)
    mask_id = serializers.CharField(max_length=100)

    def _files(self, user: User | None) -> tuple[bytes, bytes]:
        image = storage.read_upload(_upload_id(self.validated_data["image_id"]), Upload.Kind.IMAGE, user)
        return image, storage.read_upload(_upload_id(self.validated_data["mask_id"]), Upload.Kind.MASK, user)


class InpaintMultipart(InvertibleMask):
    image = PictureField()
    mask = PictureField()

    def _files(self, user: User | None) -> tuple[bytes, bytes]:
        return self.validated_data["image"], self.validated_data["mask"]


class ImageUpload(Fields):
    image = PictureField()


class Detect(ImageUpload):
    mode = serializers.ChoiceField(
        choices=MODES,
        default="auto",
        help_text="auto: show what is surely a watermark. restore: there is one; show all that is likely one.",
    )
    marked = serializers.BooleanField(
        default=False,
        help_text="The picture has a watermark: show what remove-watermark would take off without a mask.",
    )
    proposals = serializers.BooleanField(
        default=False, help_text="Show what may be a watermark but is not sure enough, too: as `proposals`."
    )

    def trust(self) -> Trust:
        """How far the caller is believed who says that there is a mark."""
        if self.validated_data["mode"] == "restore":
            return "all"
        return "one" if self.validated_data["marked"] else "nobody"


class MaskUpload(Fields):
    mask = PictureField()


def _upload_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise storage.NotThere("No upload has this id.") from error
