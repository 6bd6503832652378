"""Where files are: on the disk, and in a bucket of a real S3 server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.seaweed import seaweed_bucket


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with seaweed_bucket(tmp_path_factory.mktemp("seaweed")) as options:
        yield options


@pytest.fixture(params=["local", "s3"])
def where(request: pytest.FixtureRequest, settings: Any, db: None) -> None:
    if request.param == "s3":
        options = request.getfixturevalue("bucket")
        backend = "config.object_storage.SharedS3Storage"
        s3 = {
            alias: {"BACKEND": backend, "OPTIONS": {**options, "location": alias}} for alias in ("uploads", "results")
        }
        settings.STORAGES = {**settings.STORAGES, **s3}


@pytest.fixture(scope="session")
def tiny_sd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusers folder with a tiny Stable Diffusion."""
    from tests.inpainting.engine import pipelines  # diffusers takes seconds to import

    return pipelines.write_sd(tmp_path_factory.mktemp("diffusion") / "tiny-sd")


@pytest.fixture(scope="session")
def tiny_sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusers folder with a tiny Stable Diffusion XL."""
    from tests.inpainting.engine import pipelines

    return pipelines.write_sdxl(tmp_path_factory.mktemp("diffusion") / "tiny-sdxl")
