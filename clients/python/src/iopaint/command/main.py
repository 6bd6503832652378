"""Arguments, and what the command's exit code says."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from iopaint import errors
from iopaint.client import IOPaintClient
from iopaint.command import batch, clean, look, marks
from iopaint.version import __version__

DONE, FAILED, USAGE, REFUSED, UNREACHABLE, QUOTA, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

EPILOG = """environment:
  IOPAINT_API_KEY    the key, from the service's dashboard
  IOPAINT_BASE_URL   the service's address, if not the public one

exit codes:
  0 all done   1 some pictures failed   2 wrong arguments   3 no key, or a wrong one
  4 the service cannot be reached   5 the quota is used up   130 stopped by Ctrl-C
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files go out as they are, text or not
    try:
        if asked.command == "mcp":
            return _serve_tools(parser)
        with _client() as client:
            return DONE if asked.run(client, asked) else FAILED
    except clean.Unusable as error:
        parser.exit(USAGE, f"iopaint: {error}\n")
    except KeyboardInterrupt:
        print("\niopaint: stopped. What is done is saved; the same command goes on from there.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `iopaint … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (errors.IOPaintError, OSError) as error:
        print(f"iopaint: {error}", file=sys.stderr)
        return _exit_code(error)


def _client() -> IOPaintClient:
    try:
        return IOPaintClient()
    except ValueError as error:  # IOPAINT_BASE_URL
        raise clean.Unusable(str(error)) from error


def _exit_code(error: Exception) -> int:
    if isinstance(error, errors.AuthenticationFailed):
        return REFUSED
    if isinstance(error, errors.ConnectionFailed):
        return UNREACHABLE
    return QUOTA if isinstance(error, errors.QuotaExceeded) else FAILED


def _serve_tools(parser: argparse.ArgumentParser) -> int:
    try:
        from iopaint.command import mcp_server
    except ImportError:
        parser.exit(USAGE, "iopaint: mcp needs more packages: pip install 'iopaint-sdk[mcp]'\n")
    mcp_server.serve()
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="iopaint",
        description="Removes watermarks and objects from pictures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    cleans = commands.add_parser("clean", help="clean a picture, or each picture in a folder, one after the other")
    cleans.add_argument("path", type=Path, help="a picture, or a folder of them")
    cleans.add_argument(
        "-o", "--output", type=Path, help="a file, or a folder if path is one; by default beside it, with -clean"
    )
    _add_removal(cleans)
    cleans.set_defaults(run=clean.run)

    batches = commands.add_parser("batch", help="send many pictures at once and fetch the results")
    batches.add_argument("paths", type=Path, nargs="*", metavar="path", help="pictures, or folders of them")
    batches.add_argument("-o", "--output", type=Path, required=True, help="a folder for the results")
    batches.add_argument("--id", help="instead of paths: fetch the results of a batch that was sent before")
    batches.add_argument("--retry", action="store_true", help="with --id: have what failed done again first")
    batches.add_argument(
        "--expires-in", type=int, metavar="SECONDS", help="keep the results that long; 0: until they are here"
    )
    batches.add_argument("--shared-mark", action="store_true", help="all pictures, 8 or more, have the same mark")
    _add_removal(batches)
    batches.set_defaults(run=batch.run)

    detects = commands.add_parser("detect", help="show where a watermark is, or lettering")
    detects.add_argument("path", type=Path, help="a picture")
    _add_targets(detects)
    detects.add_argument("--marked", action="store_true", help="there is one: show the likeliest")
    detects.add_argument("--save-mask", type=Path, metavar="FILE", help="write a PNG, white where it is")
    detects.add_argument("--json", action="store_true", help="for programs")
    detects.set_defaults(run=look.detect)

    stats = commands.add_parser("stats", help="show the account's requests and quota")
    stats.add_argument("--json", action="store_true", help="for programs")
    stats.set_defaults(run=look.stats)

    _add_marks(commands.add_parser("marks", help="list, add and delete the account's saved marks"))

    commands.add_parser("mcp", help="serve clean, detect and stats to language models (Model Context Protocol, stdio)")
    return parser


def _add_marks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="list them for programs")
    parser.set_defaults(run=marks.show)
    actions = parser.add_subparsers(dest="action", metavar="{add,delete}")

    adds = actions.add_parser("add", help="keep a logo or a mask; its id is printed, for --mark")
    adds.add_argument("path", type=Path, help="a logo as PNG or WebP with alpha, or a mask")
    adds.add_argument("--name", help="by default the file's")
    adds.add_argument("--kind", choices=("logo", "mask"), default="logo", help="logo by default")
    adds.add_argument("--anchor", help="where pictures have it: bottom-right, top-left, centre, whole, …")
    adds.add_argument("--scaling", choices=("picture", "pixels"), help="picture: it grows with the picture (default)")
    adds.add_argument("--opacity", type=float, help="of a logo, 0.01 to 1; estimated by default")
    adds.set_defaults(run=marks.add)

    deletes = actions.add_parser("delete", help="delete one")
    deletes.add_argument("id")
    deletes.set_defaults(run=marks.delete)


def _add_targets(parser: argparse._ActionsContainer) -> None:
    text = "what is looked for without a mask: watermark (the default), text (any lettering), or watermark,text"
    parser.add_argument("--targets", type=lambda named: named.split(","), metavar="NAMES", help=text)


def _add_removal(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--mask", type=Path, help="white is removed; without one, the watermark that is found")
    _add_targets(what)
    what.add_argument("--mark", metavar="ID", help="a saved mark of the account, instead of a mask")
    parser.add_argument("--mode", choices=("auto", "repaint", "restore"), help="how; see the service's documentation")
    parser.add_argument("--grow", type=_pixels, metavar="PIXELS", help="0 to 64: widen what is repainted")
    parser.add_argument("--format", choices=("png", "jpeg", "webp", "avif"), help="of the results; png by default")
    parser.add_argument("--model", help="one of GET /api/v1/models")


def _pixels(text: str) -> int:
    """Raises ValueError, ArgumentTypeError."""
    if not 0 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("0 to 64 pixels")
    return int(text)
