"""The fields of requests: what each takes, and what it becomes."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from django.core.files.base import ContentFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts import lifetimes
from accounts.plain import check_line
from accounts.webhooks.models import LONGEST_URL
from config import fetching
from inpainting import engine
from inpainting.batches.models import LONGEST_IMAGE_URL
from inpainting.options import (
    FORMATS,
    MAX_GROW,
    MAX_GUIDANCE,
    MAX_PROMPT,
    MAX_SEED,
    MAX_STEPS,
    METADATA,
    TARGETS,
    Target,
)
from inpainting.saved_marks import keeping
from inpainting.saved_marks.saved import Saved

MAX_TEXT = 1 << 16
MAX_ECHO = 50  # characters of a value that an error gives back
FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")  # RFC 4648, 5
WHITESPACE = b" \t\r\n"


@extend_schema_field(OpenApiTypes.BINARY)
class PictureField(serializers.FileField):
    """An uploaded file as bytes. What is in it decides, not its name; an empty file is an invalid picture."""

    default_error_messages = {"invalid": "A file is expected, not text. With curl, write @ before the file's name."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty_file=True, **kwargs)

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]
        content: bytes = super().to_internal_value(data).read()
        return content


@extend_schema_field(OpenApiTypes.BYTE)
class EncodedPictureField(PictureField):
    """A file as JSON has it, to bytes: base64 (RFC 4648) or a data URI with it (RFC 2397).

    Either alphabet, padded or not, in lines or not.
    """

    default_error_messages = {"invalid": "Base64, or a data URI with ;base64, is expected."}

    def to_internal_value(self, data: Any) -> bytes:  # type: ignore[override]
        if not isinstance(data, str):
            self.fail("invalid")
        if data[:5].lower() == "data:":
            kind, comma, data = data.partition(",")
            if not (comma and kind.lower().endswith(";base64")):
                self.fail("invalid")
        try:
            digits = data.encode("ascii").translate(FROM_URL_SAFE, WHITESPACE).rstrip(b"=")
            return base64.b64decode(digits + b"=" * (-len(digits) % 4), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            self.fail("invalid")


class TextField(serializers.CharField):
    """Text of at most `max_length` characters. Of longer text nothing is made: DRF's validators, all of which run, look
    at each character of it, and the bodies of some views have 27 million."""

    def __init__(self, max_length: int, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)
        self._most = max_length

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if len(value) > self._most:
            self.fail("max_length", max_length=self._most)
        return value


@extend_schema_field(OpenApiTypes.URI)
class UrlField(TextField):
    """Of a picture that the service fetches itself."""

    def __init__(self, instead_of: str) -> None:
        text = f"Instead of {instead_of}: its address."
        super().__init__(LONGEST_IMAGE_URL, required=False, help_text=text)


@extend_schema_field(OpenApiTypes.UUID)
class SavedMarkField(serializers.UUIDField):
    """The id of a saved mark of `user` of the serializer's context, to the mark."""

    def __init__(self) -> None:
        super().__init__(required=False, help_text="Instead of mask: the id of a saved mark (POST /api/v1/marks).")

    def to_internal_value(self, data: Any) -> Saved:  # type: ignore[override]
        """Raises NotThere."""
        return keeping.read(keeping.find(self.context["user"], super().to_internal_value(data)))


class ExpiresInField(serializers.IntegerField):
    """Seconds for which an upload or a result is kept, as long as the plan allows; whose it is, `user` of the
    serializer's context says."""

    default_error_messages = {"bounds": "{least} to {most} seconds{once} can be asked for here."}

    def __init__(self, kind: lifetimes.Kind) -> None:
        self._kind = kind
        text = f"Seconds for which the {kind} is kept, from 60 to what the plan allows; else as the account chose."
        once = " 0: until it has been downloaded, for ten minutes at most." if kind == "result" else ""
        super().__init__(required=False, help_text=text + once)

    def to_internal_value(self, data: Any) -> int:
        seconds = super().to_internal_value(data)
        most = lifetimes.longest(self._kind, self.context["user"])
        if self._kind == "result" and seconds == lifetimes.ONCE:
            return seconds
        if not lifetimes.SHORTEST <= seconds <= most:
            once = ", or 0 for one download," if self._kind == "result" else ""
            self.fail("bounds", least=lifetimes.SHORTEST, most=most, once=once)
        return seconds


class EncodedFileField(EncodedPictureField):
    """The same as the file that a form would have held."""

    def to_internal_value(self, data: Any) -> ContentFile[bytes]:  # type: ignore[override]
        return ContentFile(super().to_internal_value(data), name="image")


RECTANGLE = {
    "type": "object",
    "required": ["x", "y", "width", "height"],
    "properties": {name: {"type": "integer"} for name in ("x", "y", "width", "height")},
}


@extend_schema_field({"type": "array", "items": RECTANGLE})
class RectanglesField(serializers.CharField):
    """A list of JSON itself, or its text."""

    def __init__(self) -> None:
        super().__init__(required=False, help_text="Instead of mask, in pixels.")

    def to_internal_value(self, data: Any) -> str:
        try:
            text = json.dumps(data) if isinstance(data, list) else data
        except RecursionError:
            self.fail("invalid")
        value: str = super().to_internal_value(text)
        if len(value) > MAX_TEXT:
            self.fail("max_length", max_length=MAX_TEXT)
        return value


class GrowField(serializers.IntegerField):
    def __init__(self) -> None:
        super().__init__(
            default=0, min_value=0, max_value=MAX_GROW, help_text="Pixels by which the repainted area is widened."
        )


class ModelField(TextField):
    """The inpainter's name; without it the service's default works."""

    def __init__(self) -> None:
        super().__init__(40, required=False, default=None, help_text="One of GET /api/v1/models.")


class PromptField(TextField):
    def __init__(self, tells: str) -> None:
        super().__init__(MAX_PROMPT, required=False, help_text=f"Of sd and sdxl: {tells}")


class StepsField(serializers.IntegerField):
    def __init__(self) -> None:
        text = "Of sd and sdxl: how many times the network is asked; 30 by default. Time grows with it."
        super().__init__(required=False, min_value=1, max_value=MAX_STEPS, help_text=text)


class GuidanceField(serializers.FloatField):
    default_error_messages = {"invalid": "A number is expected."}

    def __init__(self) -> None:
        text = "Of sd and sdxl: how strictly the prompt is followed; 7.5 by default."
        super().__init__(required=False, min_value=0, max_value=MAX_GUIDANCE, help_text=text)

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class SeedField(serializers.IntegerField):
    def __init__(self) -> None:
        text = "Of sd and sdxl: another seed, another result. By default it is made of the input: repeats are the same."
        super().__init__(required=False, min_value=0, max_value=MAX_SEED, help_text=text)


class ChoiceField(serializers.ChoiceField):
    """The error names the choices, and of what was sent its beginning: 20 MB in are not 20 MB back."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        refusal = '"{input}" is none of ' + ", ".join(choices) + "."
        super().__init__(choices=choices, error_messages={"invalid_choice": refusal}, **kwargs)

    def fail(self, key: str, **values: Any) -> NoReturn:
        super().fail(key, **{name: _beginning(str(value)) for name, value in values.items()})


def _beginning(text: str) -> str:
    return text if len(text) <= MAX_ECHO else text[:MAX_ECHO] + "…"


class TargetsField(TextField):
    """One or more of TARGETS, with commas, to a tuple in their order."""

    default_error_messages = {"unknown": '"{name}" is none of {known}. Several are separated by commas.'}

    def __init__(self, **kwargs: Any) -> None:
        text = "Without a mask: what is looked for. watermark (the default), text (lettering of any kind), or both, "
        text += 'as "watermark,text".'
        super().__init__(40, required=False, help_text=text, **kwargs)

    def to_internal_value(self, data: Any) -> tuple[Target, ...]:  # type: ignore[override]
        """Raises TextNotInstalled."""
        named = [name.strip() for name in super().to_internal_value(data).split(",")]
        if unknown := [name for name in named if name not in TARGETS]:
            self.fail("unknown", name=_beginning(unknown[0]), known=", ".join(TARGETS))
        if "text" in named:
            engine.check_text()
        return tuple(target for target in TARGETS if target in named)


class FormatField(ChoiceField):
    """In any case; jpg is jpeg."""

    def __init__(self) -> None:
        super().__init__(
            choices=FORMATS,
            default="png",
            help_text="Of the result; jpg and capitals are understood. auto: as the picture came; HEIC becomes JPEG.",
        )

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({"jpg": "jpeg"}.get(name := str(data).lower(), name))


class MetadataField(ChoiceField):
    def __init__(self) -> None:
        super().__init__(
            choices=METADATA,
            default="strip",
            help_text="strip: the result tells no place, time or name. keep: it has the picture's EXIF, no thumbnail.",
        )


class WebhookUrlField(TextField):
    """An address that may be posted to, as far as itself tells; what it resolves to is asked at each delivery."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LONGEST_URL, validators=[check_line], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        url: str = super().to_internal_value(data)
        fetching.check_target(url)
        return url
