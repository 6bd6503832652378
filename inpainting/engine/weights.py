"""Where weights come from, and whether they are genuine. Imports no torch; `checkpoint.py` reads the files."""

import fcntl
import hashlib
import os
import urllib.request
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

SHIPPED = Path(__file__).resolve().parent.parent / "weights"
WATERMARK = SHIPPED / "watermark.safetensors"
HYBRID = SHIPPED / "hybrid.safetensors"
REFINEMENT = SHIPPED / "refinement.safetensors"
BLOCK = 1 << 20  # bytes
MOST = 1 << 26  # bytes of a release whose size is not known


class WeightsError(RuntimeError):
    """Weights that are missing, cannot be fetched, are not what they should be, or cannot be read. Says which."""


@dataclass(frozen=True)
class Release:
    """A published file that can be fetched and told from any other."""

    file_name: str
    url: str
    size: int | None  # bytes; None where its publisher does not say: MOST at most
    digest: str  # hexadecimal: SHA-256, or MD5 where its publisher gives no other

    def at(self, mirror: str) -> "Release":
        """The same file, fetched from another URL, if one is given."""
        return replace(self, url=mirror) if mirror else self


BIG_LAMA = Release(
    "big-lama.pt",
    "https://github.com/Sanster/models/releases/download/add_big_lama/big-lama.pt",
    205_669_692,
    "344c77bbcb158f17dd143070d1e789f38a66c04202311ae3a258ef66667a9ea9",
)
# IOPaint's trace of the official model, told by MD5 alone there (iopaint/model/mi_gan.py). That is enough to tell it
# from a file that others put in its place: for one with the same MD5 they would have to find a second preimage.
MIGAN = Release(
    "migan_traced.pt",
    "https://github.com/Sanster/models/releases/download/migan/migan_traced.pt",
    None,
    "76eb3b1a71c400ee3290524f7a11b89c",
)


def fetch(release: Release, folder: Path, timeout: float = 30, progress: bool = True) -> Path:
    """The release's file in the folder, downloaded unless it is there; resumed where an earlier attempt stopped.

    `timeout`: seconds without an answer or a byte. Safe for several processes at once. WeightsError: the server cannot
    be reached, or what it sent is not the release; in that case nothing of it is kept.
    """
    path = folder / release.file_name
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if path.exists():  # another process fetched it while this one waited
            part.unlink(missing_ok=True)
            return path
        try:
            _download(release, file, timeout, progress)
        except (OSError, HTTPException) as error:  # URLError is an OSError
            reason = getattr(error, "reason", None) or error
            raise WeightsError(f"{release.url} could not be fetched: {reason}.") from error
        try:
            check(part, release)
        except WeightsError:
            part.unlink()
            raise
        part.replace(path)
    return path


def _download(release: Release, file: BinaryIO, timeout: float, progress: bool) -> None:
    """Append to the file what it lacks of the release."""
    have = file.seek(0, os.SEEK_END)
    if release.size is None:
        have = file.truncate(0)
    elif have >= release.size:
        return
    request = urllib.request.Request(release.url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310 - the URL is a setting, not input
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            have = 0
            file.truncate(0)
        told = have + int(response.headers["Content-Length"] or MOST)
        name, size = release.file_name, release.size or min(MOST, told)
        with tqdm(desc=name, total=size, initial=have, unit="B", unit_scale=True, disable=not progress) as bar:
            # One byte more than it should have, so that too much is noticed and yet never fills the disk.
            while have <= size and (block := response.read(min(BLOCK, size + 1 - have))):
                file.write(block)
                have += len(block)
                bar.update(len(block))
    file.flush()
    if have < size:
        raise OSError(f"the connection ended after {have:,} of {size:,} bytes")


def check(path: Path, release: Release) -> None:
    """WeightsError unless the file is the release, by size and digest."""
    size = path.stat().st_size
    if release.size is not None and size != release.size:
        raise WeightsError(f"{release.file_name} has {size:,} bytes instead of {release.size:,}.")
    with path.open("rb") as file:
        name = "SHA-256" if len(release.digest) == 64 else "MD5"
        digest = hashlib.file_digest(file, name.replace("-", "").lower()).hexdigest()
    if digest != release.digest:
        raise WeightsError(f"{release.file_name} has the {name} {digest} instead of {release.digest}.")


def locate(name: str, folder: Path) -> tuple[str, Path] | None:
    """Label and path of the weights that a name stands for, None where they are not there. Fetches nothing.

    `name`: big-lama, a path, or empty for big-lama.
    """
    named = not name or name == "big-lama"
    path = folder / BIG_LAMA.file_name if named else Path(name)
    return ("big-lama" if named else path.stem, path) if path.is_file() else None
