"""Requests to jobs: each serializer validates its fields and reads the pictures in them."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from django.http import QueryDict
from rest_framework import serializers

from accounts.models import User
from config import fetching
from inpainting import admission, encoding, engine, images, masks, storage
from inpainting.api.fields import (
    MAX_TEXT,
    ChoiceField,
    EncodedPictureField,
    ExpiresInField,
    FormatField,
    GrowField,
    GuidanceField,
    MetadataField,
    ModelField,
    PictureField,
    PromptField,
    RectanglesField,
    SavedMarkField,
    SeedField,
    StepsField,
    TargetsField,
    TextField,
    UrlField,
)
from inpainting.batches.accept import Order
from inpainting.engine import Trust
from inpainting.engine.interface import BlendMask
from inpainting.images import Picture, SizeLimit
from inpainting.models import Upload
from inpainting.options import MODES, Options
from inpainting.removal import Job

PICTURE = "JPEG, PNG, WebP, HEIC or AVIF; at most 10 MB and 4096 px a side."
MASK = "White = remove, black = keep, grey = blend. Without mask or rectangles the watermark, or `targets`, is found."
MASKS = {"mask", "mask_url", "rectangles", "mark"}
ENCODED = "Base64, or a data URI with it. "


class UnknownField(ValueError):
    def __init__(self, name: str, known: list[str]) -> None:
        nearest = difflib.get_close_matches(name[:50].lower(), known, n=1)
        hint = f"Did you mean {nearest[0]!r}?" if nearest else f"There are {', '.join(known)}."
        super().__init__(f"There is no field {name[:50]!r}. {hint}")


# A request's. Refuses what it does not know, what is empty and what comes twice: `masks`, or an empty `mask`, is not
# "no mask". No docstring: OpenAPI would give it to each that has none.
class Fields(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given = data if isinstance(data, Mapping) else {}
        if empty := [name for name in self.fields.keys() & given.keys() if given[name] == ""]:
            raise serializers.ValidationError({min(empty): "The field is empty. Give it a value or leave it out."})
        if doubled := [name for name, field in self.fields.items() if _is_doubled(name, field, data)]:
            raise serializers.ValidationError({doubled[0]: "The field is sent more than once."})
        values: dict[str, Any] = super().to_internal_value(data)
        if unknown := [name for name in given if name not in self.fields]:
            raise UnknownField(unknown[0], list(self.fields.keys()))
        return values


def _is_doubled(name: str, field: serializers.Field[Any, Any, Any, Any], data: Any) -> bool:
    """Whether a form has it several times and one of them would be taken without a word."""
    return isinstance(data, QueryDict) and not isinstance(field, serializers.ListField) and len(data.getlist(name)) > 1


class Addresses(Fields):
    """Of a picture or a mask that is sent as an address."""

    fetched: tuple[bytes, ...] = ()  # the files that lay there, the picture's first

    @property
    def is_fetched(self) -> bool:
        """Whether something lies at an address and is not here yet."""
        return bool({"image_url", "mask_url"} & self.validated_data.keys())

    def fetch(self, limit: SizeLimit, caller: str) -> None:
        """What lies at the addresses becomes what was sent. Raises FetchError that names the field, TooManyFetches."""
        for name in ("image", "mask"):
            if (url := self.validated_data.pop(f"{name}_url", None)) is None:
                continue
            try:
                self.validated_data[name] = file = fetching.get(url, limit.max_bytes, caller)
            except fetching.FetchError as error:
                raise type(error)(f"{name}_url: {error}") from error
            self.fetched += (file,)


class OnePicture(Addresses):
    image = PictureField(required=False, help_text=f"{PICTURE} Or image_url.")
    image_url = UrlField("image")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("image" in attrs) == ("image_url" in attrs):
            raise serializers.ValidationError("Send either image or image_url.")
        return super().validate(attrs)  # type: ignore[no-any-return]


# Which model fills a hole, and how, if it samples.
class Sampled(Fields):
    model = ModelField()
    prompt = PromptField("what is to be seen in the hole.")
    negative_prompt = PromptField("what is not to be seen there.")
    steps = StepsField()
    guidance = GuidanceField()
    seed = SeedField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sampling := Options(**_sampling(attrs)).sampling:
            engine.check_sampling(attrs["model"], sampling)
            if attrs.get("mode") == "restore":
                asked = min(_sampling(attrs))
                raise engine.OptionNotTaken(f"With mode=restore nothing is repainted, so no {asked} is taken.")
        return super().validate(attrs)  # type: ignore[no-any-return]


def _sampling(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("prompt", "negative_prompt", "steps", "guidance", "seed") if name in values}


class Removal(Sampled, Addresses):
    """What is to be removed, and how."""

    mask = PictureField(required=False, help_text=MASK)
    mask_url = UrlField("mask")
    rectangles: serializers.CharField = TextField(
        MAX_TEXT, required=False, help_text='Instead of mask: [{"x": 0, "y": 0, "width": 9, "height": 9}].'
    )
    mark = SavedMarkField()
    targets = TargetsField()
    grow = GrowField()
    mode = ChoiceField(
        choices=MODES,
        required=False,
        help_text="repaint: fill the mask (the default with a mask). restore: there is a watermark; restore "
        "the picture below it. auto: whichever of both leaves less of a trace (the default without a mask). Lettering "
        "(targets) is always repainted.",
    )
    format = FormatField()
    metadata = MetadataField()
    expires_in = ExpiresInField("result")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(MASKS & attrs.keys()) > 1:
            raise serializers.ValidationError("Send only one of mask, mask_url, rectangles and mark.")
        if "targets" in attrs and (given := MASKS & attrs.keys()):
            raise serializers.ValidationError(f"Send either targets or {min(given)}: that says what is to go.")
        if "text" in attrs.get("targets", ()) and attrs.get("mode") == "restore":
            raise engine.OptionNotTaken("Lettering is repainted, so targets=text takes no mode=restore.")
        return super().validate(attrs)

    @property
    def is_masked(self) -> bool:
        saved = self.validated_data.get("mark")
        return bool((MASKS - {"mark"}) & self.validated_data.keys()) or bool(saved and saved.kind == "mask")

    def options(self) -> Options:
        data = self.validated_data
        given = data["model"], data.get("mode"), data["grow"], data["format"], data["metadata"]
        return Options(*given, targets=data.get("targets"), **_sampling(data))


class RemoveWatermark(OnePicture, Removal):
    @contextmanager
    def job(self, limit: SizeLimit, caller: str) -> Iterator[Job]:
        """With room in the memory until it is done. Raises FetchError, what masks.py and images.py refuse; NoRoom."""
        self.fetch(limit, caller)
        data, options = self.validated_data, self.options()
        mask, rectangles = data.get("mask"), data.get("rectangles")
        saved = data.get("mark")
        with Job.room(data["image"], options, limit, mask=saved or mask, masked=self.is_masked):
            if saved:
                yield Job.marked(data["image"], options, limit, saved)
            else:
                yield Job.read(data["image"], options, limit, mask=mask, rectangles=rectangles)

    def order(self, limit: SizeLimit, caller: str) -> tuple[bytes, Order]:
        """The picture, and what is to be done to it later. Raises as `job` does."""
        with self.job(limit, caller):
            data = self.validated_data
            asked = self.options(), data.get("mask"), data.get("rectangles")
            return data["image"], Order(*asked, expires_in=data.get("expires_in"), saved=data.get("mark"))

    def mask_source(self, *, found: bool) -> str:
        """Where the mask came from, as X-Mask-Source tells it: provided, rectangles, saved, detected or none."""
        for field, source in (("mask", "provided"), ("rectangles", "rectangles"), ("mark", "saved")):
            if field in self.validated_data:
                return source
        return "detected" if found else "none"


class RemoveWatermarkJSON(RemoveWatermark):
    image = EncodedPictureField(required=False, help_text=ENCODED + PICTURE)
    mask = EncodedPictureField(required=False, help_text=ENCODED + MASK)
    rectangles = RectanglesField()


# A picture and a mask, whose field is `mask_field`, or a saved mark.
class InvertibleMask(Sampled):
    mask_field: ClassVar[str]
    invert_mask = serializers.BooleanField(default=False, help_text="Inverts the mask.")
    mark = SavedMarkField()
    grow = GrowField()
    metadata = MetadataField()
    expires_in = ExpiresInField("result")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.mask_field in attrs:
            if "mark" in attrs:
                raise serializers.ValidationError(f"Send only one of {self.mask_field} and mark.")
        elif "mark" not in attrs:
            raise serializers.ValidationError({self.mask_field: "No mask was sent. Send one, or mark."})
        elif attrs["invert_mask"]:
            raise serializers.ValidationError({"invert_mask": "Only a mask that is sent can be inverted."})
        return super().validate(attrs)

    @property
    def is_masked(self) -> bool:
        """Whether it is known where something is to go; a logo is looked for."""
        saved = self.validated_data.get("mark")
        return saved is None or saved.kind == "mask"

    def options(self) -> Options:
        data = self.validated_data
        return Options(data["model"], grow=data["grow"], metadata=data["metadata"], **_sampling(data))

    @contextmanager
    def job(self, limit: SizeLimit, user: User | None) -> Iterator[Job]:
        """With room in the memory until it is done. Raises NotThere, what images.py and masks.py refuse; NoRoom."""
        with self._read(limit, user) as (_, job, _):
            yield job

    def order(self, limit: SizeLimit, user: User | None) -> tuple[bytes, Order]:
        """The picture, and what is to be done to it later: the hole is in a mask as v1 reads it. Raises as `job`."""
        with self._read(limit, user) as (image, job, hole):
            mask = None if hole is None else encoding.encode_mask(hole > 0)
            data = self.validated_data
            return image, Order(job.options, mask, expires_in=data.get("expires_in"), saved=data.get("mark"))

    @contextmanager
    def _read(self, limit: SizeLimit, user: User | None) -> Iterator[tuple[bytes, Job, BlendMask | None]]:
        """The picture's file; the job; the hole of a mask that was sent, before it grows."""
        image, mask = self._files(user)
        data, options = self.validated_data, self.options()
        with Job.room(image, options, limit, mask=data["mark"] if mask is None else mask, masked=self.is_masked):
            if mask is None:
                yield image, Job.marked(image, options, limit, data["mark"]), None
            else:
                picture = images.decode(image, limit)
                hole = masks.hole(mask, picture, limit, invert=data["invert_mask"])
                yield image, Job.of(picture, hole, options), hole

    def _files(self, user: User | None) -> tuple[bytes, bytes | None]:
        """The picture's and the mask's."""
        raise NotImplementedError


class InpaintUploads(InvertibleMask):
    mask_field = "mask_id"
    image_id = TextField(100)
    mask_id = TextField(100, required=False)

    def _files(self, user: User | None) -> tuple[bytes, bytes | None]:
        image, mask = (self.validated_data.get(name) for name in ("image_id", "mask_id"))
        data = storage.read_upload(_upload_id(image), Upload.Kind.IMAGE, user)
        return data, None if mask is None else storage.read_upload(_upload_id(mask), Upload.Kind.MASK, user)


class InpaintMultipart(InvertibleMask):
    mask_field = "mask"
    image = PictureField()
    mask = PictureField(required=False)

    def _files(self, user: User | None) -> tuple[bytes, bytes | None]:
        return self.validated_data["image"], self.validated_data.get("mask")


class ImageUpload(Fields):
    image = PictureField()
    expires_in = ExpiresInField("upload")


class Detect(OnePicture):
    targets = TargetsField(default=("watermark",))
    mode = ChoiceField(
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

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "watermark" not in attrs["targets"]:
            given = {"mode": attrs["mode"] == "restore", "marked": attrs["marked"], "proposals": attrs["proposals"]}
            if asked := [name for name, is_given in given.items() if is_given]:
                raise serializers.ValidationError({asked[0]: "It is of watermarks, which targets leaves out."})
        return super().validate(attrs)

    def trust(self) -> Trust:
        """How far the caller is believed who says that there is a mark."""
        if self.validated_data["mode"] == "restore":
            return "all"
        return "one" if self.validated_data["marked"] else "nobody"

    @contextmanager
    def picture(self, limit: SizeLimit, caller: str) -> Iterator[Picture]:
        """With room in the memory until it is done. Raises FetchError, and what images.py refuses; NoRoom."""
        self.fetch(limit, caller)
        image = self.validated_data["image"]
        with admission.worked_on(images.check(image, limit), len(image), detects=True):
            yield images.decode(image, limit)


class DetectJSON(Detect):
    image = EncodedPictureField(required=False, help_text=ENCODED + PICTURE)


class MaskUpload(Fields):
    mask = PictureField()
    expires_in = ExpiresInField("upload")


def _upload_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise storage.NotThere("No upload has this id.") from error
