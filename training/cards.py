"""`python -m training card`: a model's card, docs/models/NAME.md, from its figures, inpainting/weights/NAME.json.

The figures' `rows` are rows of the table.json that `python -m training evaluate --out` writes. Imports no torch.
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FIGURES, CARDS = ROOT / "inpainting" / "weights", ROOT / "docs" / "models"
description = "Write the models' cards, docs/models/*.md, from the figures beside their weights."

Row = Mapping[str, str | float]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="The models; all of them by default.")


def run(options: dict[str, Any], say: Callable[[str], None]) -> None:
    """FileNotFoundError: a model has no figures."""
    for name in options["names"] or names():
        card = CARDS / f"{name}.md"
        card.write_text(render(name))
        say(f"{card.relative_to(ROOT)} is written")


def names() -> list[str]:
    """The models that have figures."""
    return sorted(path.stem for path in FIGURES.glob("*.json"))


def render(name: str) -> str:
    """The card: what the model does, its facts, one table, and notes a line each. KeyError: figures lack a member."""
    figures = json.loads((FIGURES / f"{name}.json").read_text())
    facts = (f"- {fact}: {value}" for fact, value in figures["facts"].items())
    notes = (f"- {note}" for note in figures["notes"])
    blocks = [f"# {name}", figures["summary"], lines(facts), figures["measured"], lines(table(figures["rows"]))]
    made = (
        f"Written by `python -m training card` from `inpainting/weights/{name}.json`: change that file, not this one."
    )
    return "\n\n".join([*blocks, lines(notes), made]) + "\n"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown, a line each; a column for whatever any row has."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [columns, *([str(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for number, line in enumerate(cells):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"


def lines(parts: Iterator[str]) -> str:
    return "\n".join(parts)
