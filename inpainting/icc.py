"""ICC colour profiles (ICC.1:2022): built where a file format has no other words for colours, and made smaller.

Built are matrix profiles: a curve makes a channel linear, a matrix of three colourants makes XYZ of it. What readers
make of them can be held against Chromium; see `colour.py` for what they are built from.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

HEADER = 128  # bytes; a count and entries of 12 bytes follow
VERSION = 0x0440_0000  # the first with the tag cicp
MOST_TAGS = 100  # that LittleCMS reads; real profiles have up to 30
OVERLAP = 2  # bytes of all tags for one of the profile: tags may share data, and real ones share it whole
LAST_MAJOR = 4  # version that browsers know; 5 is iccMAX
D50 = (0.9642, 1.0, 0.8249)  # XYZ, of the profile connection space
# Takes the cones' answers to one white to those to another (Bradford; ICC.1:2022, annex E).
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
# Tags that say which colours a picture's numbers are. All others serve the way back, other intents, or a program alone.
TOWARDS_XYZ = {
    *(b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"A2B0", b"D2B0", b"cicp"),
    *(b"desc", b"cprt", b"wtpt", b"bkpt", b"chad"),
}
# Tags by which LittleCMS converts. Not D2B0: its elements may all be the same bytes, each of which costs a
# millisecond, and browsers do not read it either.
CONVERTED_BY = {
    *(b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC", b"A2B0"),
    b"A2B1",  # for the black of a profile of version 4 that has a matrix as well
}

Tags = Mapping[bytes, bytes | memoryview]
Chromaticities = tuple[float, ...]  # CIE x and y of white, red, green and blue


def space(profile: bytes) -> bytes:
    """The colour space of the numbers, such as b"RGB " or b"GRAY"; b"" where this is no profile."""
    return profile[16:20] if profile[36:40] == b"acsp" else b""


def is_usable(profile: bytes) -> bool:
    """Whether it leads from the picture's numbers to colours, as browsers judge it (skcms_Parse).

    They show pictures without one that is damaged, and open no AVIF with it.
    """
    if len(profile) < HEADER + 4 or space(profile) == b"" or profile[20:24] not in (b"XYZ ", b"Lab "):
        return False
    size, count = int.from_bytes(profile[:4]), int.from_bytes(profile[HEADER : HEADER + 4])
    white = np.array(struct.unpack(">3i", profile[68:80])) / 65536
    if profile[8] > LAST_MAJOR or not HEADER + 4 + 12 * count <= size <= len(profile) or abs(white - D50).max() > 0.01:
        return False
    if any(length < 4 or start + length > size for _, start, length in struct.iter_unpack(">4sII", _table(profile))):
        return False
    tags = _tags(profile)

    def are_there(names: Iterable[bytes], *kinds: bytes) -> bool:
        return all(tags.get(name, b"")[:4] in kinds and len(tags[name]) >= 12 for name in names)

    if any(are_there([name], b"mft1", b"mft2", b"mAB ") for name in (b"A2B0", b"A2B1", b"A2B2")):
        return True
    channels = (b"k",) if space(profile) == b"GRAY" else (b"r", b"g", b"b")
    curves = are_there([channel + b"TRC" for channel in channels], b"curv", b"para")
    return curves and (len(channels) == 1 or are_there([channel + b"XYZ" for channel in channels], b"XYZ "))


def matrix_profile(chromaticities: Chromaticities, curve: bytes | memoryview, cicp: bytes | None = None) -> bytes:
    """For display, of RGB. `curve`: `power`, `parametric` or `sampled`. `cicp`: the tag's four bytes, for who reads it.

    ValueError: the chromaticities span no colours.
    """
    matrix, adaptation = _to_d50(chromaticities)
    tags: dict[bytes, bytes | memoryview] = {
        b"desc": _text("RGB"),
        b"cprt": _text("CC0"),
        b"wtpt": _xyz(D50),
        b"chad": b"sf32\0\0\0\0" + _fixed(*adaptation.flat),
        **{channel + b"XYZ": _xyz(column) for channel, column in zip((b"r", b"g", b"b"), matrix.T, strict=True)},
        **{channel + b"TRC": curve for channel in (b"r", b"g", b"b")},
    }
    if cicp:
        tags[b"cicp"] = b"cicp\0\0\0\0" + cicp
    return _profile(_header(b"mntr"), tags)


def power(exponent: float) -> bytes:
    """The curve y = x ** exponent."""
    return parametric(exponent)


def parametric(g: float, *others: float) -> bytes:
    """The curve y = x ** g; or by a, b, c, d: y = (a * x + b) ** g where x >= d, below it c * x."""
    return b"para\0\0\0\0" + struct.pack(">HH", 3 if others else 0, 0) + _fixed(g, *others)


def sampled(values: NDArray[np.float64]) -> bytes:
    """The curve through `values` in 0..1, equally spaced."""
    return b"curv\0\0\0\0" + struct.pack(">I", len(values)) + np.rint(values * 65535).astype(">u2").tobytes()


def rgb_of_grey(profile: bytes, chromaticities: Chromaticities) -> bytes | None:
    """A profile by which equal channels look as grey did by this one; None where it has no curve to XYZ."""
    tags = _tags(profile)
    if b"kTRC" not in tags or profile[20:24] != b"XYZ ":
        return None
    return matrix_profile(chromaticities, tags[b"kTRC"])


def slim(profile: bytes) -> bytes:
    """The same colours in fewer bytes: only what leads from the picture's numbers to them."""
    tags = {name: data for name, data in _tags(profile).items() if name in TOWARDS_XYZ}
    # Only a profile of an input device may do without the way back from colours to numbers.
    device = b"scnr" if b"A2B0" in tags else profile[12:16]
    return _profile(profile[:12] + device + profile[16:84] + bytes(44), tags)


def for_conversion(profile: bytes) -> bytes:
    """What LittleCMS needs of it, none of which takes more time or memory than its bytes justify."""
    tags = _tags(profile).items()
    return _profile(
        profile[:HEADER], {name: data for name, data in tags if name in CONVERTED_BY and _holds_its_table(data)}
    )


def _holds_its_table(data: memoryview) -> bool:
    """Whether the table of colours, if a tag has one, can lie within it: its memory is taken before it is read."""
    kind, inputs, outputs = bytes(data[:4]), *bytes(data[8:10]).ljust(2, b"\0")
    if kind in (b"mft1", b"mft2"):
        return len(data) >= 48 and data[10] ** inputs * outputs * int(kind[3:]) <= len(data)
    if kind != b"mAB ":
        return True
    start = int.from_bytes(data[24:28])
    if start == 0 or start + 20 > len(data):
        return start == 0 and len(data) >= 32
    return math.prod(data[start : start + 16][:inputs]) * outputs * data[start + 16] <= len(data)


def _to_d50(chromaticities: Chromaticities) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(3, 3): linear RGB to XYZ, adapted to D50; (3, 3): the adaptation alone."""
    try:
        (x, y), *colourants = np.reshape(chromaticities, (4, 2)).tolist()
        white = (x / y, 1.0, (1 - x - y) / y)
        colours = np.transpose([(x, y, 1 - x - y) for x, y in colourants])
        matrix = colours * np.linalg.solve(colours, white)
        cones = BRADFORD @ np.transpose([white, D50])
        adaptation = np.linalg.solve(BRADFORD, (cones[:, 1] / cones[:, 0])[:, None] * BRADFORD)
    except (ZeroDivisionError, np.linalg.LinAlgError) as error:
        raise ValueError("These chromaticities span no colours.") from error
    return adaptation @ matrix, adaptation


def _header(device: bytes) -> bytes:
    made = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)  # fixed: the same picture gives the same file
    start = struct.pack(">III4s4s4s", 0, 0, VERSION, device, b"RGB ", b"XYZ ")
    return (start + made + b"acsp" + bytes(28) + _fixed(*D50)).ljust(HEADER, b"\0")


def _profile(header: bytes, tags: Tags) -> bytes:
    """Header, table and data; data that several tags share is there once."""
    offsets: dict[bytes | memoryview, int] = {}
    end, body = HEADER + 4 + 12 * len(tags), list[bytes | memoryview]()
    for data in tags.values():
        if data not in offsets:
            offsets[data] = end
            body += [data, bytes(-len(data) % 4)]
            end += len(data) + -len(data) % 4
    table = b"".join(name + struct.pack(">II", offsets[data], len(data)) for name, data in tags.items())
    whole = b"".join([header[4:], struct.pack(">I", len(tags)), table, *body])
    return struct.pack(">I", 4 + len(whole)) + whole


def _tags(profile: bytes) -> dict[bytes, memoryview]:
    """What is in a profile, by the tags' names; of a damaged one, what lies within it.

    Nothing, where its tags are more, or overlap more, than those of any real one.
    """
    view, entries = memoryview(profile), list(struct.iter_unpack(">4sII", _table(profile)))
    parts = {(start, size): view[start : start + size] for _, start, size in entries}
    if len(entries) > MOST_TAGS or sum(map(len, parts.values())) > OVERLAP * len(profile):
        return {}
    return {name: parts[start, size] for name, start, size in entries}


def _table(profile: bytes) -> bytes:
    """Entries of 12 bytes, no more than tell that they are too many; of a damaged profile, those that fit."""
    count = min(int.from_bytes(profile[HEADER : HEADER + 4]), MOST_TAGS + 1)
    entries = profile[HEADER + 4 : HEADER + 4 + 12 * count]
    return entries[: len(entries) // 12 * 12]


def _text(words: str) -> bytes:
    encoded = words.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II4sII", 1, 12, b"enUS", len(encoded), 28) + encoded


def _xyz(values: tuple[float, ...] | NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _fixed(*values: float) -> bytes:
    """s15Fixed16Number."""
    try:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
    except (OverflowError, ValueError, struct.error) as error:
        raise ValueError("A number does not fit a profile.") from error
