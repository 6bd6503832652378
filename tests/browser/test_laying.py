"""The arithmetic of laying a small result over a large picture, in Node."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests import pictures

MODULE = Path(__file__).parents[2] / "static" / "editor" / "laying.js"
SMALL, FULL = (40, 30), (101, 75)  # width, height: not a whole number of times as large
SCRIPT = """
import { readFileSync } from "node:fs";
const [module, folder, strip] = process.argv.slice(1);
const { holeOf, lay } = await import("data:text/javascript," + encodeURIComponent(readFileSync(module, "utf8")));
const read = (name) => new Uint8ClampedArray(readFileSync(`${folder}/${name}`));
const [before, data, full] = ["before", "after", "full"].map(read);
const [width, height, fullWidth, fullHeight] = JSON.parse(readFileSync(`${folder}/sizes`, "utf8"));
const small = { data, width, height, hole: holeOf(before, data, width, height) };
for (let top = 0; top < fullHeight; top += Number(strip)) {
  const count = Math.min(Number(strip), fullHeight - top);
  const rows = full.subarray(4 * top * fullWidth, 4 * (top + count) * fullWidth);
  lay({ data: rows, top, count }, { width: fullWidth, height: fullHeight }, small);
}
process.stdout.write(full);
"""


def opaque(size: tuple[int, int]) -> np.ndarray:
    return np.dstack([pictures.photo(*size), np.full(size[::-1], 255, np.uint8)])


def laid(folder: Path, before: np.ndarray, after: np.ndarray, full: np.ndarray, strip: int = 75) -> np.ndarray:
    node = shutil.which("node") or pytest.skip("no node")
    for name, data in {"before": before, "after": after, "full": full}.items():
        (folder / name).write_bytes(data.tobytes())
    (folder / "sizes").write_text(json.dumps([*SMALL, *FULL]))
    command = [node, "--input-type=module", "-e", SCRIPT, str(MODULE), str(folder), str(strip)]
    out = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return np.frombuffer(out.stdout, np.uint8).reshape(full.shape)


@pytest.mark.parametrize("box", [(10, 10, 20, 15), (0, 0, 5, 5), (35, 25, 40, 30), (20, 12, 21, 13)])
def test_only_what_changed_and_a_pixel_around_it_differs(tmp_path: Path, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    before, full = opaque(SMALL), opaque(FULL)
    after = before.copy()
    after[top:bottom, left:right, :3] = 0, 200, 100
    result = laid(tmp_path, before, after, full)

    y, x = (np.arange(side) + 0.5 for side in FULL[::-1])
    down, across = (y * SMALL[1] / FULL[1])[:, None], (x * SMALL[0] / FULL[0])[None]
    outside = (across < left - 1) | (across > right + 1) | (down < top - 1) | (down > bottom + 1)
    assert np.array_equal(result[outside], full[outside])
    core = (across > left + 2) & (across < right - 2) & (down > top + 2) & (down < bottom - 2)
    assert (result[core] == (0, 200, 100, 255)).all()
    middle = (across > left) & (across < right) & (down > top) & (down < bottom)
    assert (result[middle] != full[middle]).any(axis=1).all()


def test_nothing_changed_is_the_picture(tmp_path: Path) -> None:
    before, full = opaque(SMALL), opaque(FULL)

    assert np.array_equal(laid(tmp_path, before, before, full), full)


def test_strips_are_the_same_as_the_whole(tmp_path: Path) -> None:
    before, full = opaque(SMALL), opaque(FULL)
    after = 255 - before
    after[..., 3] = 255

    assert np.array_equal(laid(tmp_path, before, after, full, strip=7), laid(tmp_path, before, after, full))
