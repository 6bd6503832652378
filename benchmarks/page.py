"""The tables of docs/performance.md that benchmarks fill, from docs/performance.json: `python -m benchmarks.page`.

A benchmark with `--keep` puts its rows into the JSON, and its table into the page.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS, PAGE = DOCS / "performance.json", DOCS / "performance.md"

Row = dict[str, Any]  # by the columns' keys; None where there is nothing to say


class Column(NamedTuple):
    key: str
    title: str
    form: str = ""  # how Python writes its figures; empty: it holds words

    def cell(self, row: Row) -> str:
        value = row.get(self.key)
        return "" if value is None else format(value, self.form)


MILLISECONDS = ("decode", "mask", "plan", "net", "composite", "encode", "storage", "database", "django", "whole")
TABLES = {
    "peers": (
        Column("job", "job"),
        Column("who", "who"),
        Column("cpu", "CPU s", ".2f"),
        Column("ratio", "times ours", ".2f"),
        Column("memory", "peak MiB", ",.0f"),
        Column("difference", "levels of 255 between it and ours at equal crops", "d"),
    ),
    "stages": (
        Column("request", "request, CPU ms"),
        *(Column(stage, stage, ",.1f") for stage in MILLISECONDS),
        Column("share", "outside the engine", ".1%"),
    ),
    "gpu": (
        Column("model", "model"),
        Column("side", "picture's side", "d"),
        Column("precision", "precision"),
        Column("batch", "requests at once", "d"),
        Column("rate", "pictures a second", ".1f"),
        Column("p50", "p50 ms", ",.0f"),
        Column("memory", "peak GPU MiB", ",.0f"),
    ),
}


def header(name: str) -> str:
    columns = TABLES[name]
    rule = "|".join("---:" if column.form else "---" for column in columns)
    return f"| {' | '.join(column.title for column in columns)} |\n|{rule}|"


def line(name: str, row: Row) -> str:
    return f"| {' | '.join(column.cell(row) for column in TABLES[name])} |"


def keep(name: str, machine: str, rows: list[Row]) -> None:
    """Put a benchmark's rows in the place of its last ones, in the JSON and on the page."""
    results = json.loads(RESULTS.read_text())
    results[name] = {"date": datetime.now(UTC).date().isoformat(), "machine": machine, "rows": rows}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PAGE.write_text(rendered(PAGE.read_text(), results))


def rendered(text: str, results: dict[str, Any]) -> str:
    """The page's text, with a table between each pair of marks `<!-- name -->` and `<!-- /name -->`."""
    for name in TABLES:
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(f"{PAGE.name} must have one place for {name}, from {start.strip()} to {end.strip()}.")
        before, after = text.split(start, maxsplit=1)[0], text.split(end)[1]
        text = before + start + _filled(name, results.get(name)) + end + after
    return text


def _filled(name: str, result: dict[str, Any] | None) -> str:
    if result is None:
        return f"\nNot measured yet: `python -m benchmarks.{name} --keep` fills this in.\n\n"
    rows = "\n".join(line(name, row) for row in result["rows"])
    return f"\n{result['date']}, {result['machine']}:\n\n{header(name)}\n{rows}\n\n"


def main() -> None:
    PAGE.write_text(rendered(PAGE.read_text(), json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
