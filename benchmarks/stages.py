"""Where a request's time goes: `python -m benchmarks.stages [--sizes 512 1024] [--photos FOLDER] [--keep]`.

Whole POST /api/v1/remove-watermark and /inpaint-multipart requests pass through the real views on a database and files
of the run's own. Each stage counts its own time, without that of the stages it calls: the processor's, so that what
else the machine does is not counted. `--keep`: see `page`.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from benchmarks import machine, page, photographs

if TYPE_CHECKING:
    from django.test import Client

SIZES = (512, 1024, 2048, 4096)
REPEATS = 5
# The functions of a stage; what is in none of them is Django's own: parsing, authentication, limits, headers.
STAGES = {
    "decode": ["inpainting.images.decode"],
    "mask": ["inpainting.masks.blend", "inpainting.masks.hole", "inpainting.masks.grow"],
    "plan": ["inpainting.engine.crops.paint.plan"],
    "net": [
        "inpainting.engine.inpainters.patchmatch.PatchMatch.fill",
        "inpainting.engine.inpainters.hybrid.HybridInpainter.fill",
        "inpainting.engine.inpainters.lama.inpainter.LamaInpainter.fill",
    ],
    "composite": ["inpainting.engine.door.paint"],
    "encode": ["inpainting.encoding.encode"],
    "storage": ["inpainting.storage._put"],
    "database": [
        "django.db.backends.utils.CursorWrapper.execute",
        "django.db.backends.base.base.BaseDatabaseWrapper._commit",
    ],
}
ENGINE = ("plan", "net", "composite")
Seconds = dict[str, float]  # by stage; of the processor's time


class Clock:
    """Gives every moment to the innermost stage that runs; what is in none is Django's."""

    def __init__(self) -> None:
        self.seconds: Seconds = defaultdict(float)
        self._running = ["django"]
        self._since = time.process_time()

    def lap(self) -> None:
        now = time.process_time()
        self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            self.lap()
            self._running.append(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self.lap()
                self._running.pop()

        return call


def measure(send: Callable[[], Any]) -> Seconds:
    """The stages of the one request that `send` makes, the whole, and the share of it that is not the engine's."""
    clock = Clock()
    with ExitStack() as patches:
        for stage, functions in STAGES.items():
            for path in functions:
                patches.enter_context(patch(path, clock.timed(stage, resolve_name(path))))
        clock.lap()
        clock.seconds.clear()  # what preparing took
        response = send()
        clock.lap()
    assert response.status_code == 200, response.content  # noqa: S101 - a refusal is not what is measured
    whole, engine = sum(clock.seconds.values()), sum(clock.seconds[stage] for stage in ENGINE)
    return {**clock.seconds, "whole": whole, "share": 1 - engine / whole}


def sender(client: Client, path: str, image: bytes, mask: bytes, **fields: str) -> Callable[[], Any]:
    """A function that sends one request, its body made beforehand: making it is the client's work."""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    files = {"image": SimpleUploadedFile("image", image), "mask": SimpleUploadedFile("mask.png", mask)}
    body = encode_multipart(BOUNDARY, {**files, **fields})
    return lambda: client.generic("POST", path, body, MULTIPART_CONTENT)


def median(measured: list[Seconds]) -> Seconds:
    """Stage by stage. The first request, which loads and warms up, is left out."""
    keys = (*page.MILLISECONDS, "share")
    return {key: statistics.median(one.get(key, 0.0) for one in measured[1:]) for key in keys}


def row(name: str, seconds: Seconds) -> page.Row:
    """Of the table, in milliseconds."""
    stages = {stage: round(1000 * seconds[stage], 2) for stage in page.MILLISECONDS}
    return {"request": name, **stages, "share": round(seconds["share"], 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--photos", type=Path, help="A folder of photographs to use instead of made ones.")
    parser.add_argument("--keep", action="store_true", help="Put the table on the page.")
    options = parser.parse_args()
    machine.as_served()
    about, rows = machine.describe(), list[page.Row]()
    print(about, page.header("stages"), sep="\n\n")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        client = _service(Path(folder))
        for size in options.sizes:
            rows += _measure_size(client, size, options)
    if options.keep:
        page.keep("stages", about, rows)


def _service(folder: Path) -> Client:
    """The service in this process, on data of its own, with big-lama's shape; a client with an unlimited key."""
    from benchmarks import networks

    weights = networks.save(networks.calibrated(networks.BIG), folder / "big-lama-shaped.safetensors")
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings", DATA_DIR=str(folder), LAMA_WEIGHTS=str(weights), LOG_LEVEL="ERROR"
    )
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    (folder / "static").mkdir()
    call_command("migrate", verbosity=0)
    key = io.StringIO()
    call_command("create_api_key", email="benchmark@localhost", plan="enterprise", stdout=key)
    return Client(headers={"Host": "localhost", "X-API-Key": key.getvalue().strip()})


def _measure_size(client: Client, size: int, options: argparse.Namespace) -> list[page.Row]:
    from django.conf import settings

    measured = []
    photo = photographs.photograph(size, size, folder=options.photos)
    files = {"png": photographs.file(photo), "jpeg": photographs.file(photo, "JPEG")}
    mask = photographs.file(photographs.corner_watermark(size, size))
    for model in ("patchmatch", "hybrid", "lama"):
        sends = {
            format: sender(client, "/api/v1/remove-watermark", image, mask, model=model, format=format)
            for format, image in files.items()
            if len(image) <= settings.MAX_FILE_BYTES  # a PNG of 4096x4096 is refused
        }
        sends["jpeg, stored as png"] = sender(client, "/inpaint-multipart", files["jpeg"], mask, model=model)
        rounds = [{name: measure(send) for name, send in sends.items()} for _ in range(options.repeats + 1)]
        for name in sends:
            measured.append(row(f"{size}, {model}, {name}", median([one[name] for one in rounds])))
            print(page.line("stages", measured[-1]), flush=True)
    return measured


if __name__ == "__main__":
    main()
