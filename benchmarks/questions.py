"""What customers ask for, mixed: pictures of several sizes and formats, both surfaces, with and without a mask."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

import numpy as np
from urllib3 import encode_multipart_formdata

from benchmarks import photographs

TIMEOUT = 120  # seconds
SIZES = ((160, 120), (320, 240), (640, 480), (1024, 768))
CLEAN, DETECT, INPAINT = "/api/v1/remove-watermark", "/api/v1/detect", "/inpaint-multipart"
# What v1 is asked beside its picture; `mask` stands for the picture's own.
WAYS: tuple[tuple[str, dict[str, str]], ...] = (
    (CLEAN, {"mask": "", "mode": "repaint"}),
    (CLEAN, {"mask": "", "mode": "repaint", "format": "jpeg", "model": "patchmatch"}),
    (CLEAN, {"mask": "", "mode": "auto", "format": "webp"}),
    (CLEAN, {"mode": "auto"}),
    (DETECT, {}),
    (INPAINT, {"mask": ""}),
)


@dataclass(frozen=True)
class Answer:
    """`status` 0: there was none. `seconds`: until it was whole. `digest`: SHA-256 of the picture, or of the JSON."""

    status: int
    seconds: float
    digest: str = ""
    retry_after: str = ""
    refused: bool = False  # nobody listened: it was never sent


@dataclass(frozen=True)
class Question:
    name: str
    path: str
    body: bytes
    headers: dict[str, str]

    def ask(self, url: str) -> Answer:
        """Raises nothing: no answer is one, too."""
        started = time.monotonic()
        try:
            response, content = send(url, self.path, self.body, self.headers)
            took = time.monotonic() - started
            if response.status == 200 and self.path == INPAINT:  # the answer is an address, another one each time
                stored, content = _patiently(url, urlsplit(json.loads(content)["url"]).path)
                if stored.status != 200:
                    return Answer(stored.status, took)
        except ConnectionRefusedError:
            return Answer(0, time.monotonic() - started, refused=True)
        except (OSError, HTTPException):
            return Answer(0, time.monotonic() - started)
        digest = hashlib.sha256(content).hexdigest()
        return Answer(response.status, took, digest, response.headers.get("Retry-After", ""))


def send(
    url: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[HTTPResponse, bytes]:
    """One request on a connection of its own, and the answer's body."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        connection.request("POST" if body is not None else "GET", path, body, headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def _patiently(url: str, path: str) -> tuple[HTTPResponse, bytes]:
    """A result is still there when a server that was stopped is back."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return send(url, path)
        except ConnectionRefusedError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(path) from error
            time.sleep(0.2)


def mixed(key: str, sizes: tuple[tuple[int, int], ...] = SIZES) -> list[Question]:
    """Every way, with every size; files are PNG and JPEG by turns."""
    made = []
    for number, (width, height) in enumerate(sizes):
        photo = photographs.photograph(width, height, number)
        mark = photographs.corner_watermark(width, height)
        photo = np.where(mark[..., None] > 0, 255 - (255 - photo) // 2, photo).astype(np.uint8)  # something to find
        for way, (path, options) in enumerate(WAYS):
            format = "JPEG" if (number + way) % 2 else "PNG"
            fields: dict[str, str | tuple[str, str | bytes]] = {
                **options,
                "image": ("image", photographs.file(photo, format)),
            }
            if "mask" in fields:
                fields["mask"] = ("mask.png", photographs.file(mark))
            body, content_type = encode_multipart_formdata(fields)
            told = " ".join(f"{name}={value}" for name, value in options.items() if value)
            name = f"{path} {width}x{height} {format} {'masked ' * ('mask' in fields)}{told}".strip()
            made.append(Question(name, path, body, {"X-API-Key": key, "Content-Type": content_type}))
    return made
