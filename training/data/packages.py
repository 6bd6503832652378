"""Debian packages as a source of pictures, fonts and logos: fetched by name, unpacked, never installed."""

import fnmatch
import re
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from debian.copyright import Copyright

from training import TrainingError

DIRECTORY, COMPRESSED = 2, 1  # flags of a file in a Qt resource


class PackageError(TrainingError):
    """A package that cannot be fetched or unpacked."""


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    root: Path  # where it is unpacked

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of every regular file; archives of games and Qt resources are looked into."""
        for path in sorted(self.root.rglob("*")):
            if not path.is_file() or path.is_symlink():
                continue
            name = str(path.relative_to(self.root))
            if path.suffix == ".rcc":
                yield from ((f"{name}/{inner}", data) for inner, data in qt_resource(path.read_bytes()))
            elif path.suffix == ".pk3":
                with zipfile.ZipFile(path) as archive:
                    yield from ((f"{name}/{inner}", archive.read(inner)) for inner in sorted(archive.namelist()))
            else:
                yield name, path.read_bytes()

    def licences(self) -> "Licences":
        return Licences(self.root / "usr/share/doc" / self.name / "copyright")


def fetch(name: str, folder: Path) -> Package:
    """The package, downloaded and unpacked in the folder unless it is there. PackageError: apt or dpkg say why."""
    folder = folder.resolve()  # what unpacks them runs there
    folder.mkdir(parents=True, exist_ok=True)
    if not (found := sorted(folder.glob(f"{name}_*.deb"))):
        _run("apt-get", "download", name, cwd=folder)
        found = sorted(folder.glob(f"{name}_*.deb"))
    root = folder / "unpacked" / name
    if not root.exists():
        root.parent.mkdir(exist_ok=True)
        partial = root.with_name(f"{name}.partial")
        _run("dpkg", "-x", str(found[-1]), str(partial), cwd=folder)
        partial.rename(root)
    return Package(name, found[-1].stem.split("_")[1].replace("%3a", ":"), root)


def _run(*command: str, cwd: Path) -> None:
    # The package's name is a name of our own list or of whoever runs the command; no shell reads it.
    done = subprocess.run(["nice", *command], cwd=cwd, capture_output=True, text=True, timeout=1800, check=False)  # noqa: S603, S607
    if done.returncode:
        raise PackageError(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1:]}")


class Licences:
    """Which licence a file of a package has, after the package's own copyright file."""

    def __init__(self, path: Path) -> None:
        text = path.read_text(errors="replace") if path.exists() else ""
        self._patterns: list[tuple[str, str]] = []  # (pattern, licence); the last that matches counts
        if text.startswith("Format:") and "\nLicense:" in text:
            for paragraph in Copyright(text.splitlines(), strict=False).all_files_paragraphs():
                licence = getattr(paragraph.license, "synopsis", "")
                self._patterns += [(pattern, licence) for pattern in paragraph.files]
        words = re.findall(r"\b(GPL-?[23]?\+?|LGPL[-0-9.+]*|CC[- ]BY[-A-Z0-9. ]*|CC0|public domain|MIT|OFL)", text)
        self._otherwise = " or ".join(sorted({word.strip() for word in words})) or "see the package's copyright file"

    def of(self, file: str) -> str:
        """The licence's short name. Source and installed paths differ, so paths are compared from their ends."""
        licence = ""
        for pattern, name in self._patterns:
            last = pattern.rsplit("/", 1)[-1]
            if fnmatch.fnmatch(file, f"*{pattern}") or (last != "*" and fnmatch.fnmatch(file.rsplit("/", 1)[-1], last)):
                licence = name
        return licence or self._otherwise


def qt_resource(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each file in a Qt resource collection (.rcc, versions 1 to 3; zstd members are left out)."""
    magic, version, tree, contents, names = struct.unpack_from(">4sIIII", data)
    if magic != b"qres":
        return
    node = 14 if version == 1 else 22

    def walk(index: int, prefix: str) -> Iterator[tuple[str, bytes]]:
        name, flags, first, second = struct.unpack_from(">IHII", data, tree + index * node)
        length = struct.unpack_from(">H", data, names + name)[0] if index else 0  # the root has no name
        path = prefix + data[names + name + 6 :][: 2 * length].decode("utf-16-be")
        if flags & DIRECTORY:
            for child in range(second, second + first):
                yield from walk(child, f"{path}/" if index else "")
            return
        at = contents + struct.unpack_from(">I", data, tree + index * node + 10)[0]
        found = data[at + 4 : at + 4 + struct.unpack_from(">I", data, at)[0]]
        if flags & COMPRESSED:
            found = zlib.decompress(found[4:])
        if flags & ~(DIRECTORY | COMPRESSED) == 0:
            yield path, found

    yield from walk(0, "")
