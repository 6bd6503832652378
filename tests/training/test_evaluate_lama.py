"""manage.py evaluate: LaMa's table and contact sheets."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from inpainting.engine.interface import Hole, Picture
from tests.inpainting.engine import conftest as engines
from tests.training.small_set import small_set
from training.data.folder import Folder
from training.evaluate import fills as evaluate_lama
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


def test_the_fills_without_weights_beat_black(some: list[Case], features: Features) -> None:
    methods = evaluate_lama.methods({}) | {"black": lambda picture, hole: np.zeros_like(picture)}
    *rows, black = evaluate(methods, some, features, None, lambda: None)
    assert [row["method"] for row in rows] == WITHOUT_LAMA
    for row in rows:
        assert all(float(row[f"{kind}: dB"]) > float(black[f"{kind}: dB"]) + 3 for kind in KINDS)


@pytest.mark.usefixtures("_small_features")
class TestCommand:
    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cases, "__defaults__", (96,))

    def test_it_works(self, folder: Path, small_weights: Path, tmp_path: Path) -> None:
        call_command(
            *("evaluate", "--data", str(folder), "--weights", str(small_weights), "--out", str(tmp_path / "sheets")),
            stdout=(out := StringIO()),
        )
        lines = out.getvalue().splitlines()
        assert lines[0].startswith("1 pictures, holes of text ")  # one of the eight is held out
        table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
        assert [line[0] for line in table] == [
            "method",
            *WITHOUT_LAMA,
            "small",
        ]
        assert table[0][1:4] == ["text: dB", "text: dist", "text: detail"]
        assert {path.name for path in (tmp_path / "sheets").iterdir()} == {f"{kind}.png" for kind in KINDS}

    def test_all_pictures_of_a_folder(self, folder: Path) -> None:
        call_command("evaluate", "--data", str(folder), "--all", "--pictures", "3", stdout=(out := StringIO()))
        assert out.getvalue().startswith("3 pictures, ")

    def test_unknown_weights(self, folder: Path) -> None:
        with pytest.raises(CommandError, match="there are no weights '/nowhere'"):
            call_command("evaluate", "--data", str(folder), "--weights", "/nowhere")

    def test_no_pictures(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="0 usable pictures"):
            call_command("evaluate", "--data", str(tmp_path))

    def test_none_large_enough(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cases, "__defaults__", (512,))
        with pytest.raises(CommandError, match="has 512 pixels a side"):
            call_command("evaluate", "--data", str(folder))

    def test_the_watermark_network_needs_a_packed_set(self, folder: Path) -> None:
        with pytest.raises(CommandError, match="is judged on a set of build_training_set"):
            call_command("evaluate", "--data", str(folder), "--watermark")

    def test_a_packed_set_is_never_judged_whole(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="only its held-out pictures count"):
            call_command("evaluate", "--all", data=small_set(tmp_path / "set"))
