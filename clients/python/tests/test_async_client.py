"""The client that awaits, on a real service."""

import asyncio
import inspect
from pathlib import Path

import pytest

from iopaint import AsyncIOPaintClient, InvalidImage, IOPaintClient
from tests import pictures


@pytest.mark.slow
def test_it_works(environment: None, folder: Path) -> None:
    async def work() -> None:
        async with AsyncIOPaintClient() as client:
            one, two = await asyncio.gather(
                client.remove_watermark("img1.jpg", mask="mask.png", output="result.png"),
                client.remove_watermark("img2.jpg", mask="mask.png"),
            )
            assert one.content == two.content == (folder / "result.png").read_bytes()
            assert (await client.stats()).plan == "enterprise"
            with pytest.raises(InvalidImage):
                await client.detect(b"text")

            results = await client.batch_process(["img1.jpg", "img2.jpg"], "results", mask="mask.png")
            assert [each.path and each.path.name for each in results] == ["img1.png", "img2.png"]

            batch = await client.create_batch(["img1.jpg"], mask="mask.png")
            downloads = [await client.download(item) async for item in client.follow_batch(batch.id)]
            assert pictures.pixels(downloads[0]).shape == (64, 96, 3)

    asyncio.run(work())


def public(kind: type[object]) -> dict[str, list[str]]:
    return {
        name: [
            f"{each.name}: {each.annotation} = {each.default}" for each in inspect.signature(method).parameters.values()
        ]
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def test_both_clients_have_the_same_methods() -> None:
    assert public(AsyncIOPaintClient) == public(IOPaintClient)
