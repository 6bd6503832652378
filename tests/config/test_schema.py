"""What /api/docs says of each endpoint."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from rest_framework.views import APIView

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
