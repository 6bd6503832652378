"""The documents: links lead somewhere, commands exist, the README's sentences are short."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from training.__main__ import VERBS

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "clients").rglob("*.md")]

# The changelog and the lab book name what there was in their time.
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md" and page.parent.name != "research"]

LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:manage\.py|python -m training) (\w+)|python -m (benchmarks\.\w+)|(?<![\w/])(script/\w+)")
MODULE = re.compile(r"[\w/]+\.py\b")
ROOMS = ("accounts", "benchmarks", "clients", "config", "docs", "inpainting", "tests", "training")
MODULES = {f"/{path.relative_to(ROOT)}" for room in ROOMS for path in (ROOT / room).rglob("*.py")} | {"/manage.py"}
LONGEST = 240  # characters of a sentence: two lines


def prose(page: Path) -> list[str]:
    """The paragraphs of a page, without code, tables, pictures and headings; a link counts as its text."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    blocks = (block.strip() for block in text.split("\n\n"))
    return [re.sub(r"\[(.*?)\]\(.*?\)", r"\1", block) for block in blocks if not block.startswith(("|", "#", "!"))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_it_works() -> None:
    assert README in PAGES
    assert COMMAND.findall(README.read_text())


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_lead_to_something(page: Path) -> None:
    links = [link.partition("#")[0] for link in LINK.findall(page.read_text()) if ":" not in link]

    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", CURRENT, ids=name)
def test_commands_exist(page: Path) -> None:
    commands = get_commands()
    for command, benchmark, script in COMMAND.findall(page.read_text()):
        assert not command or command in commands or command in VERBS
        assert not benchmark or (ROOT / f"{benchmark.replace('.', '/')}.py").exists()
        assert not script or (ROOT / script).exists()


@pytest.mark.parametrize("page", CURRENT, ids=name)
def test_modules_exist(page: Path) -> None:
    modules = MODULE.findall(page.read_text())

    assert not [module for module in modules if not any(path.endswith(f"/{module}") for path in MODULES)]


def test_the_readme_has_no_sentence_longer_than_two_lines() -> None:
    sentences = re.split(r"(?<=[.:?!])\s+", "\n\n".join(prose(README)))

    assert not [sentence for sentence in sentences if len(sentence) > LONGEST]


def test_every_variable_of_the_settings_is_documented() -> None:
    variables = re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "config" / "settings.py").read_text())
    documented = (ROOT / "docs" / "configuration.md").read_text()

    assert "SITE_URL" in variables
    assert not [variable for variable in variables if f"`{variable}`" not in documented]
