"""The tools as a language model's host sees them: over stdio, on a real service."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from tests import pictures

pytestmark = pytest.mark.slow


def test_it_works(environment: None, folder: Path) -> None:
    source = str(Path(__file__).parents[1] / "src")
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "iopaint", "mcp"], env={**os.environ, "PYTHONPATH": source}, cwd=folder
    )

    async def work() -> None:
        async with Client(server) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == {"clean", "detect", "stats"}

            cleaned = await client.call_tool("clean", {"path": "image.jpg", "mask": "mask.png"})
            assert cleaned.structured_content == {
                "output": "image-clean.png", "changed": True, "coverage": 0.0521, "charged": 1,
            }  # fmt: skip
            assert pictures.pixels((folder / "image-clean.png").read_bytes()).shape == (64, 96, 3)

            found = await client.call_tool("detect", {"path": str(folder / "image.jpg")})
            assert (found.structured_content or {})["found"] is False
            told = await client.call_tool("stats", {})
            assert (told.structured_content or {})["plan"] == "enterprise"

            for path, why in (("image.jpg", "exists already"), ("nothing.jpg", "No such file")):
                refused = await client.call_tool("clean", {"path": path})
                assert refused.is_error
                assert why in str(refused.content)

    asyncio.run(work())
