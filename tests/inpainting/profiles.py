"""Colour profiles that pictures of tests have, and what lies beside the pixels of their PNG files."""

import io
import struct
import zlib
from collections.abc import Mapping

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
D50 = struct.pack(">3i", 63190, 65536, 54061)


def assembled(
    space: bytes, tags: Mapping[bytes, bytes | memoryview], connection: bytes = b"XYZ ", device: bytes = b"mntr"
) -> bytes:
    """A profile of the tags, each as it is in one (ICC.1:2022, 7)."""
    table, body, place = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        padded = bytes(data) + bytes(-len(data) % 4)
        table += name + struct.pack(">II", place + len(body), len(data))
        body += padded
    header = struct.pack(">8x4s4s4s4s12x4s", b"\2\x10\0\0", device, space, connection, b"acsp")
    header = (header + bytes(28) + D50).ljust(128, b"\0")
    whole = header[4:] + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", 4 + len(whole)) + whole


def grey(gamma: float, connection: bytes = b"XYZ ") -> bytes:
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    return assembled(b"GRAY", {b"wtpt": b"XYZ \0\0\0\0" + D50, b"kTRC": curve}, connection)


def table(side: int) -> bytes:
    """Of RGB, by a table of side ** 3 colours (lut16Type): as sRGB, but red and green change places."""
    steps = np.rint(np.linspace(0, 255, side)).astype(np.uint8)
    red, green, blue = np.meshgrid(steps, steps, steps, indexing="ij")
    colours = _lab(np.stack([green, red, blue], 3).reshape(-1, 3)).astype(">u2").tobytes()
    matrix = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    line = struct.pack(">2H", 0, 65535) * 3
    head = b"mft2\0\0\0\0" + struct.pack(">4B", 3, 3, side, 0) + matrix + struct.pack(">2H", 2, 2)
    tags = {b"wtpt": b"XYZ \0\0\0\0" + D50, b"A2B0": head + line + colours + line}
    return assembled(b"RGB ", tags, b"Lab ")


def _lab(rgb: np.ndarray) -> np.ndarray:
    """(n, 3) sRGB to CIELAB as 16 bits hold it (ICC.1:2022, 10.12)."""
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
    xyz = linear @ matrix.T / np.array([0.9642, 1, 0.8249])
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lightness, a, b = 116 * root[:, 1] - 16, 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])
    return np.asarray(np.rint(np.stack([lightness * 652.8, (a + 128) * 256, (b + 128) * 256], 1).clip(0, 65535)))


def png(pixels: np.ndarray | Image.Image, chunks: Mapping[bytes, bytes]) -> bytes:
    """A PNG file with these chunks before its pixels."""
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, "PNG")
    data = buffer.getvalue()
    said = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks.items()
    ]
    return b"".join([data[:33], *said, data[33:]])


def chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG file by name, the pixels apart."""
    found, place = {}, len(SIGNATURE)
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        found[kind] = data[place + 8 : place + 8 + size]
        place += 12 + size
    del found[b"IDAT"]
    return found
