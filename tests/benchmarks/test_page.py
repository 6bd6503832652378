"""The page of figures says what the file of figures holds, and those are what it promises."""

import json
from pathlib import Path

import pytest

from benchmarks import page

RESULTS = json.loads(page.RESULTS.read_text())


def test_the_page_agrees_with_its_figures() -> None:
    assert page.PAGE.read_text() == page.rendered(page.PAGE.read_text(), RESULTS), "run python -m benchmarks.page"


def test_others_are_compared_with_ours_at_the_same_job() -> None:
    rows = RESULTS["peers"]["rows"]
    ours = {row["job"]: row["cpu"] for row in rows if row["who"] == "ours"}
    assert ours.keys() == {row["job"] for row in rows if row["who"] == "iopaint"}
    assert all(row["ratio"] == pytest.approx(row["cpu"] / ours[row["job"]], rel=0.01) for row in rows)


@pytest.mark.parametrize(("model", "most"), [("hybrid", 0.05), ("lama", 0.10)])
def test_the_service_adds_little(model: str, most: float) -> None:
    rows = [row for row in RESULTS["stages"]["rows"] if row["request"].startswith(f"1024, {model}, ")]
    assert len(rows) == 3
    assert all(row["share"] <= most for row in rows)


def test_results_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in [("RESULTS", "{}"), ("PAGE", page.PAGE.read_text())]:
        monkeypatch.setattr(page, name, tmp_path / name)
        (tmp_path / name).write_text(text)
    row = {"job": "512", "who": "ours", "cpu": 1.234, "ratio": 1.0, "memory": 1234, "difference": None}
    page.keep("peers", "a machine", [row])

    assert json.loads((tmp_path / "RESULTS").read_text())["peers"]["rows"] == [row]
    text = (tmp_path / "PAGE").read_text()
    assert "a machine:\n\n| job | who |" in text
    assert "\n| 512 | ours | 1.23 | 1.00 | 1,234 |  |\n" in text
    assert "Not measured yet: `python -m benchmarks.stages --keep` fills this in." in text


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="one place for peers"):
        page.rendered("# Performance\n", {})
