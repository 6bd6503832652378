"""Values of fields that no program means: 400, and nothing is charged."""

import json
from collections.abc import Iterator

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import CharField

from accounts.models import Usage
from config import fetching
from inpainting.api.serializers import Fields
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send

RECTANGLES = [
    "[" * 60_000,
    '[{"x": ' + "9" * 5000 + ', "y": 0, "width": 1, "height": 1}]',
    '[{"x": 1e999, "y": 0, "width": 1, "height": 1}]',
    '[{"x": NaN, "y": 0, "width": 1, "height": 1}]',
    '[{"x": "\\ud800", "y": 0, "width": 1, "height": 1}]',
    '[{"x": null}]',
    "[[]]",
    "9" * 5000,
    '"' + "a" * 70_000 + '"',
]
FIELDS = [
    {"grow": "9" * 5000},
    {"grow": "-1"},
    {"grow": "1e3"},
    {"grow": "\u0663\u0660\u0660"},
    {"mode": "\x00"},
    {"format": "\ud7ff" * 5000},
    {"model": "\x00"},
    {"model": "a" * 5000},
]


@pytest.mark.parametrize("fields", [*({"rectangles": text, "mask": None} for text in RECTANGLES), *FIELDS])
def test_it_works(alice: Account, fields: dict[str, str | None]) -> None:
    response = send(alice.client, headers={"Idempotency-Key": "a"}, **fields)

    assert response.status_code == 400, json.dumps(fields)[:99]
    assert set(response.json()) == {"error", "detail", "status_code", "code", "request_id"}
    assert not Usage.objects.filter(charged__gt=0).exists()


@pytest.mark.parametrize(
    "name", ["format", "mode", "metadata", "targets", "model", "expires_in", "grow", "mark", "a" * 500_000]
)
def test_what_was_sent_does_not_come_back_whole(alice: Account, name: str) -> None:
    fields = {"image": "aGk=", name: "x" * 500_000}
    for value in (fields, {**fields, name: ["x" * 500_000]}):
        response = alice.client.post("/api/v1/remove-watermark", value, "application/json")

        assert response.status_code == 400
        assert len(response.content) < 1000, response.content[:200]


def kinds(kind: type[Fields] = Fields) -> Iterator[type[Fields]]:
    for below in kind.__subclasses__():
        yield below
        yield from kinds(below)


TEXTS = {
    f"{kind.__name__}.{name}": (kind, name)
    for kind in kinds()
    for name, field in kind().fields.items()
    if isinstance(getattr(field, "child", field), CharField)
}


@pytest.mark.parametrize(("kind", "name"), TEXTS.values(), ids=TEXTS)
def test_of_text_that_is_too_long_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, kind: type[Fields], name: str
) -> None:
    """A webhook_url of 26 MB took 14 CPU s and 3.5 GB: it was parsed, and each of its characters looked at, before its
    length was."""
    field = kind().fields[name]
    field = getattr(field, "child", field)
    monkeypatch.setattr(field, "run_validators", lambda _: pytest.fail("its characters are looked at"))
    monkeypatch.setattr(fetching, "check_target", lambda _: pytest.fail("it is parsed"))

    with pytest.raises(ValidationError, match="no more than"):
        field.run_validation("https://" + "a.,é" * 20_000)


def test_a_webhook_url_of_megabytes(alice: Account) -> None:
    fields = {"images": ["aGk="], "webhook_url": "https://" + "ü." * (1 << 20)}
    response = alice.client.post("/api/v1/batch", fields, "application/json")

    assert response.status_code == 400
    assert response.json()["detail"] == "webhook_url: Ensure this field has no more than 2048 characters."
