"""Which paths are the API's."""

import pytest

from config import paths


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/upload-image",
        "/upload-mask",
        "/inpaint",
        "/inpaint-url",
        "/inpaint-multipart",
        "/download/nothing",
        "/result/nothing",
        "/api/v1/stats",
        "/api/nothing",
        "/editor/detect",
    ],
)
def test_it_works(path: str) -> None:
    assert paths.is_api(path)


@pytest.mark.parametrize("path", ["/", "/editor", "/nothing", "/dashboard", "/admin/", "/billing/webhook", "/download"])
def test_pages_are_not_the_api(path: str) -> None:
    assert not paths.is_api(path)
