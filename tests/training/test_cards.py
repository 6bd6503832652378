"""The models' cards are what their figures render to."""

from pathlib import Path

import pytest

from training import cards


def test_it_works() -> None:
    assert set(cards.names()) == {path.stem for path in cards.FIGURES.glob("*.safetensors")}


@pytest.mark.parametrize("name", cards.names())
def test_the_committed_card_is_what_the_figures_render_to(name: str) -> None:
    card = cards.CARDS / f"{name}.md"

    assert card.read_text() == cards.render(name), "run python -m training card"


@pytest.mark.parametrize("name", cards.names())
def test_a_card_is_one_table_and_at_most_ten_notes(name: str) -> None:
    lines = cards.render(name).splitlines()
    notes = lines[max(number for number, line in enumerate(lines) if line.startswith("|")) + 1 :]

    assert sum(line.startswith("|---") for line in lines) == 1
    assert sum(line.startswith("- ") for line in notes) <= 10


def test_a_row_without_a_column_has_an_empty_cell() -> None:
    head, rule, first, second = cards.table([{"marks": "faint", "F1": 0.5}, {"marks": "opaque"}])

    assert (head, rule) == ("| marks  | F1  |", "|--------|-----|")
    assert (first, second) == ("| faint  | 0.5 |", "| opaque |     |")


def test_run_writes_the_cards_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(cards, "ROOT", tmp_path)
    monkeypatch.setattr(cards, "CARDS", tmp_path)

    cards.run({"names": ["hybrid"]}, said.append)

    assert said == ["hybrid.md is written"]
    assert (tmp_path / "hybrid.md").read_text() == cards.render("hybrid")
