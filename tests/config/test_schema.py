"""What /api/docs says of each endpoint."""

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from rest_framework.views import APIView

from accounts.webhooks.events import TYPES
from config import schema  # noqa: F401 - it registers how to authenticate
from inpainting.api import object_remover, v1


def operations() -> dict[str, Any]:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return {path: operation for path, methods in paths.items() for operation in methods.values()}


def test_it_works() -> None:
    assert "Costs no quota" in operations()["/api/v1/detect"]["description"]


def test_each_endpoint_says_what_it_does_itself() -> None:
    views = [one for module in (object_remover, v1) for one in vars(module).values() if isinstance(one, type)]
    of_classes = {base.__doc__ for view in views if issubclass(view, APIView) for base in view.__mro__ if base.__doc__}

    for path, operation in operations().items():
        assert operation.get("description"), path
        assert operation["description"] not in of_classes, path


def test_the_headers_of_a_result() -> None:
    headers = operations()["/api/v1/remove-watermark"]["responses"]["200"]["headers"]

    assert headers["X-Mask-Pixels"]["schema"] == {"type": "integer"}
    assert {"X-Mask-Coverage", "X-Mask-Source", "X-Mask-Confidence"} < headers.keys()


def test_a_picture_is_a_file_an_address_or_base64() -> None:
    whole = SchemaGenerator().get_schema(request=None, public=True)
    for path in ("/api/v1/remove-watermark", "/api/v1/detect"):
        content = whole["paths"][path]["post"]["requestBody"]["content"]
        form, as_json = (
            whole["components"]["schemas"][content[type]["schema"]["$ref"].rpartition("/")[2]]["properties"]
            for type in ("multipart/form-data", "application/json")
        )
        assert (form["image"]["format"], as_json["image"]["format"]) == ("binary", "byte")
        assert form["image_url"] == as_json["image_url"]
        assert form["image_url"]["format"] == "uri"
        assert form.keys() == as_json.keys()
    as_json = whole["components"]["schemas"]["RemoveWatermarkJSON"]["properties"]
    assert as_json["rectangles"]["type"] == "array"


def test_a_change_of_the_api_is_seen_in_review() -> None:
    """After one: .venv/bin/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"""
    made = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=made)

    assert made.getvalue() == (Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text()


def test_errors_say_their_codes_and_when_to_come_back() -> None:
    whole = SchemaGenerator().get_schema(request=None, public=True)
    assert {"400", "401", "409", "413", "422", "429", "503"} < operations()["/api/v1/remove-watermark"][
        "responses"
    ].keys()
    limited = whole["components"]["responses"]["Error429"]

    assert "Retry-After" in limited["headers"]
    codes = limited["content"]["application/json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]
    assert codes == ["key_quota_exceeded", "quota_exceeded", "rate_limited", "too_many_calls"]


def test_webhooks_have_the_bodies_of_polling() -> None:
    told = SchemaGenerator().get_schema(request=None, public=True)["webhooks"]

    assert tuple(told) == TYPES
    body = told["item.failed"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["data"] == {"$ref": "#/components/schemas/Item"}
