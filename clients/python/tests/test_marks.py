"""Saved marks by both clients and the command, on a real service."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.inpainting.saved_marks.logos import decibels, laid, logo, photo

from iopaint import AsyncIOPaintClient, InvalidRequest, IOPaintClient, NotFound
from iopaint.calls import MarkOptions
from iopaint.command.main import main
from tests import pictures

pytestmark = pytest.mark.slow
TRUTH = photo()
PLACE: MarkOptions = {"opacity": 0.5, "x": 190, "y": 180, "picture_width": 320, "picture_height": 240}


@pytest.fixture
def files(environment: None, folder: Path) -> Path:
    """The working directory, with a picture that has a logo, and the logo."""
    Image.fromarray(laid(TRUTH, logo(), 180, 190, 0.5)).save("marked.png")
    Image.fromarray(logo()).save("logo.png")
    return folder


def test_it_works(files: Path) -> None:
    with IOPaintClient() as client:
        mark = client.create_mark("logo.png", "Our logo", **PLACE)
        assert client.marks()[0] == mark
        assert (mark.kind, mark.anchor, mark.opacity) == ("logo", "bottom-right", 0.5)

        result = client.remove_watermark("marked.png", mark=mark.id)
        [batched] = client.batch_process(["marked.png"], mark=mark.id)

        assert (result.mask_source, result.mark_repair) == ("saved", "restored")
        assert decibels(pictures.pixels(result.content), TRUTH, 180, 190, logo()) > 36
        assert batched.content == result.content
        client.delete_mark(mark.id)
        with pytest.raises(NotFound):
            client.delete_mark(mark.id)


def test_the_client_that_waits(files: Path) -> None:
    async def work() -> None:
        async with AsyncIOPaintClient() as client:
            mark = await client.create_mark("mask.png", "Corner", kind="mask", anchor="top-left", scaling="pixels")
            assert mark.id in [each.id for each in await client.marks()]
            assert (await client.remove_watermark("image.jpg", mark=mark.id)).mask_source == "saved"
            await client.delete_mark(mark.id)
            assert mark.id not in [each.id for each in await client.marks()]

    asyncio.run(work())


def test_what_is_refused(files: Path) -> None:
    with IOPaintClient() as client, pytest.raises(InvalidRequest, match="alpha"):
        client.create_mark("image.jpg", "No logo")


def test_the_command(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["marks", "add", "logo.png", "--name", "Our logo", "--opacity", "0.5"]) == 0
    id = capsys.readouterr().out.strip()
    assert main(["marks"]) == 0
    assert f"{id}  logo  113x43  bottom-right  Our logo" in capsys.readouterr().out

    assert main(["clean", "marked.png", "--mark", id, "-o", "clean.png"]) == 0
    assert main(["batch", "marked.png", "--mark", id, "-o", "results"]) == 0

    cleaned = np.asarray(Image.open("clean.png"))
    assert decibels(cleaned, TRUTH, 180, 190, logo()) > 36
    assert (np.asarray(Image.open("results/marked.png")) == cleaned).all()
    assert main(["marks", "delete", id]) == 0
    assert main(["clean", "marked.png", "--mark", id, "-o", "again.png"]) == 1
    with pytest.raises(SystemExit):
        main(["clean", "marked.png", "--mark", id, "--mask", "mask.png"])
