"""`iopaint mcp`: tools for language models over stdio (Model Context Protocol)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from iopaint import errors
from iopaint.async_client import AsyncIOPaintClient
from iopaint.calls import Mode, Options, Target
from iopaint.version import __version__

server = MCPServer("iopaint", version=__version__, instructions="Removes watermarks and objects from picture files.")


@server.tool()
async def clean(
    path: str,
    output: str | None = None,
    mask: str | None = None,
    mode: Mode | None = None,
    targets: list[Target] | None = None,
) -> dict[str, Any]:
    """Remove a watermark or an object from a picture file. Costs one unit of the account's quota.

    path: the picture (JPEG, PNG, WebP, HEIC or AVIF). output: where the result is written, in the format of its
    extension; by default beside the picture, as NAME-clean.png. An existing file is not overwritten. mask: a picture
    file that is white where something is to be removed; without it the watermark is found. mode: restore what shines
    through, repaint, or auto. targets: without a mask, what is looked for: watermark (the default), text (lettering of
    any kind), or both.
    """
    target = Path(output) if output else Path(path).with_name(f"{Path(path).stem}-clean.png")
    options: Options = {} if mode is None else {"mode": mode}
    if targets is not None:
        options["targets"] = targets
    with _told():
        if target.exists():
            raise FileExistsError(f"{target} exists already.")
        async with AsyncIOPaintClient() as client:
            result = await client.remove_watermark(path, mask=mask, output=target, **options)
    return {"output": str(target), "changed": result.changed, "coverage": result.coverage, "charged": result.charged}


@server.tool()
async def detect(path: str, targets: list[Target] | None = None) -> dict[str, Any]:
    """Find the watermark in a picture file: its boxes in pixels. Costs no quota.

    targets: what is looked for: watermark (the default), text (lettering of any kind), or both.
    """
    with _told():
        async with AsyncIOPaintClient() as client:
            return asdict(await client.detect(path, targets=targets))


@server.tool()
async def stats() -> dict[str, Any]:
    """The account's requests, plan and what is left of its quota."""
    with _told():
        async with AsyncIOPaintClient() as client:
            told = asdict(await client.stats())
    return {**told, "quota": {**told["quota"], "resets_at": told["quota"]["resets_at"].isoformat()}}


def serve() -> None:
    server.run("stdio")


@contextmanager
def _told() -> Iterator[None]:
    """The model reads what is wrong."""
    try:
        yield
    except (errors.IOPaintError, OSError, ValueError) as error:
        raise ToolError(str(error)) from error
