"""The table and contact sheets of fills."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpainting.engine.interface import Hole, Picture
from tests.inpainting.engine import conftest as engines
from tests.training.conftest import Training
from training.data.folder import Folder
from training.evaluate import fills
from training.evaluate.fills import KINDS, Case, cases, evaluate
from training.features import Features

small_lama, small_weights = engines.small_lama, engines.small_weights  # fixtures

WITHOUT_LAMA = ["Telea", "Navier-Stokes", "push-pull", "harmonic", "biharmonic", "PatchMatch", "hybrid"]


@pytest.fixture
def some(folder: Path) -> list[Case]:
    return cases(Folder(folder, None), count=2, side=96)


def test_it_works(some: list[Case], features: Features, tmp_path: Path) -> None:
    truth = {case.picture.tobytes(): case.picture for case in some}

    def cheats(picture: Picture, hole: Hole) -> Picture:
        return np.where(hole[..., None], np.clip(truth[picture.tobytes()].astype(int) + 10, 0, 255), 0).astype(np.uint8)

    def black(picture: Picture, hole: Hole) -> Picture:
        return np.zeros_like(picture)

    seen: list[int] = []
    rows = evaluate({"cheats": cheats, "black": black}, some, features, tmp_path / "out", lambda: seen.append(1))
    assert len(seen) == len(some) == 2 * len(KINDS)
    for kind in KINDS:
        # What it does outside the hole does not count; inside it is 10 levels off, or a little less where white ends.
        assert float(rows[0][f"{kind}: dB"]) == pytest.approx(20 * np.log10(255 / 10), abs=0.3)
        assert float(rows[0][f"{kind}: dB"]) > float(rows[1][f"{kind}: dB"])
        assert float(rows[0][f"{kind}: dist"]) < float(rows[1][f"{kind}: dist"])
        assert float(rows[0][f"{kind}: detail"]) > float(rows[1][f"{kind}: detail"]) == 0  # of black
        sheet = Image.open(tmp_path / "out" / f"{kind}.png")
        assert sheet.size == (4 * 98, 16 + 2 * 98)


def test_everybody_gets_the_same_pictures_and_holes_every_time(folder: Path) -> None:
    first, second = (cases(Folder(folder, None), count=2, side=96) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.kind == other.kind
        np.testing.assert_array_equal(one.picture, other.picture)
        np.testing.assert_array_equal(one.hole, other.hole)


@pytest.mark.slow
def test_the_fills_without_weights_beat_black(some: list[Case], features: Features) -> None:
    methods = fills.methods({}) | {"black": lambda picture, hole: np.zeros_like(picture)}
    *rows, black = evaluate(methods, some, features, None, lambda: None)
    assert [row["method"] for row in rows] == WITHOUT_LAMA
    for row in rows:
        assert all(float(row[f"{kind}: dB"]) > float(black[f"{kind}: dB"]) + 3 for kind in KINDS)


@pytest.mark.usefixtures("_small_features")
class TestCommand:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cases, "__defaults__", (96,))

    def test_it_works(self, folder: Path, small_weights: Path, tmp_path: Path, training: Training) -> None:
        out = tmp_path / "sheets"

        ran = training("evaluate", "--data", folder, "--weights", small_weights, "--out", out)

        lines = ran.said.splitlines()
        assert lines[0].startswith("1 pictures, holes of text ")  # one of the eight is held out
        table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
        assert [line[0] for line in table] == ["method", *WITHOUT_LAMA, "small"]
        assert table[0][1:4] == ["text: dB", "text: dist", "text: detail"]
        assert {path.name for path in out.iterdir()} == {"table.json", *(f"{kind}.png" for kind in KINDS)}
        written = json.loads((out / "table.json").read_text())
        assert [[str(row[column]) for column in table[0]] for row in written] == table[1:]

    @pytest.mark.slow
    def test_all_pictures_of_a_folder(self, folder: Path, training: Training) -> None:
        assert training("evaluate", "--data", folder, "--all", "--pictures", 3).said.startswith("3 pictures, ")

    def test_none_large_enough(self, folder: Path, training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cases, "__defaults__", (512,))
        assert "has 512 pixels a side" in training("evaluate", "--data", folder).error

    def test_a_packed_set_is_never_judged_whole(self, data: Path, training: Training) -> None:
        assert "only its held-out pictures count" in training("evaluate", "--all", "--data", data).error

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--weights", "/nowhere"), "there are no weights '/nowhere'"),
            (("--watermark",), "is judged on a packed set"),
            (("--side", "63", "--watermark"), "--side: 64 or more"),
            (("--pictures", "0"), "--pictures: 1 or more"),
        ],
    )
    def test_refusals_are_one_line(
        self, folder: Path, training: Training, arguments: tuple[str, ...], message: str
    ) -> None:
        ran = training("evaluate", "--data", folder, *arguments)

        assert (ran.status, ran.said, ran.error.count("\n")) == (1, "", 1)
        assert message in ran.error

    def test_no_pictures(self, tmp_path: Path, training: Training) -> None:
        assert "0 usable pictures" in training("evaluate", "--data", tmp_path).error
