"""The manual: docs/*.md and the SDKs' own pages, shown at /docs, searched, and given as Markdown and as /llms.txt."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from posixpath import normpath
from xml.etree.ElementTree import Element

from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

ROOT: Path = settings.BASE_DIR
# By section: the address below /docs/, the file, and what the menu calls it.
SECTIONS: dict[str, list[tuple[str, str, str]]] = {
    "Use it": [
        ("quickstart", "docs/quickstart.md", "Quick start"),
        ("masks", "docs/masks.md", "Masks and modes"),
        ("api", "docs/api.md", "The API"),
        ("errors", "docs/errors.md", "Errors"),
        ("webhooks", "docs/webhooks.md", "Webhooks"),
        ("python", "clients/python/README.md", "Python SDK"),
        ("javascript", "clients/javascript/README.md", "JavaScript SDK"),
        ("accounts", "docs/accounts.md", "Accounts and keys"),
    ],
    "Run it": [
        ("configuration", "docs/configuration.md", "Settings"),
        ("deployment", "docs/deployment.md", "Deployment"),
        ("operations", "docs/operations.md", "Operations"),
        ("billing", "docs/billing.md", "Plans and billing"),
        ("security", "docs/security.md", "Security"),
        ("performance", "docs/performance.md", "Performance"),
        ("capacity", "docs/capacity.md", "Capacity"),
    ],
    "Models": [
        ("watermark", "docs/models/watermark.md", "Finding watermarks"),
        ("hybrid", "docs/models/hybrid.md", "Filling holes"),
        ("migan", "docs/models/migan.md", "MI-GAN"),
        ("sd", "docs/models/sd.md", "Stable Diffusion"),
        ("sdxl", "docs/models/sdxl.md", "Stable Diffusion XL"),
        ("refinement", "docs/models/refinement.md", "Mending"),
        ("training", "docs/training.md", "Training"),
    ],
    "The project": [
        ("architecture", "docs/architecture.md", "Architecture"),
        ("changelog", "CHANGELOG.md", "Changelog"),
    ],
}
# The languages of examples, in the order of their tabs: a file's ending, the tab's name, how it is coloured.
LANGUAGES = {
    "sh": ("cURL", "bash"),
    "py": ("Python", "python"),
    "mjs": ("JavaScript", "javascript"),
    "php": ("PHP", "php"),
    "go": ("Go", "go"),
}
EXAMPLE = re.compile(r"^\[[^\]]+\]\(examples/(\w+)/?\)$", re.MULTILINE)
LOCAL = "http://localhost:8080"  # where the service is, as examples have it


@dataclass(frozen=True)
class Page:
    slug: str
    file: str  # from the project's root
    name: str  # as the menu has it

    @property
    def path(self) -> Path:
        return ROOT / self.file

    @property
    def markdown(self) -> str:
        """As it is in the project, with this service's address."""
        return self.path.read_text().replace(LOCAL, settings.SITE_URL)


MENU = {section: [Page(*each) for each in pages] for section, pages in SECTIONS.items()}
PAGES = {page.slug: page for pages in MENU.values() for page in pages}
_SLUGS = {page.file: page.slug for page in PAGES.values()}


@dataclass(frozen=True)
class Rendered:
    title: str
    html: str


@cache
def rendered(slug: str) -> Rendered:
    """KeyError: there is no such page. A page is rendered once a process."""
    page = PAGES[slug]
    converter = Markdown(
        extensions=["tables", "fenced_code", "sane_lists", "toc", "codehilite", _Links(page.file)],
        extension_configs={
            "codehilite": {"guess_lang": False, "css_class": "code"},
            "tables": {"use_align_attribute": True},
        },
    )
    body = converter.convert(EXAMPLE.sub(_tabs, page.markdown))
    title = re.search(r"<h1[^>]*>(.*?)</h1>", body)
    # Wide code and tables scroll by themselves, by keyboard too.
    body = body.replace("<pre>", '<pre tabindex="0">').replace("<table>", '<div class="scroll" tabindex="0"><table>')
    body = re.sub(r"<thead>\s*<tr>(\s*<th></th>)+\s*</tr>\s*</thead>", "", body).replace("<th></th>", "<td></td>")
    return Rendered(
        html.unescape(re.sub("<[^>]+>", "", title[1])) if title else page.name,
        body.replace("</table>", "</table></div>"),
    )


def example(name: str) -> dict[str, str]:
    """An example's text by ending of its file: docs/examples/NAME/*, which a test runs."""
    files = {path.suffix[1:]: path for path in (ROOT / "docs" / "examples" / name).iterdir()}
    return {ending: files[ending].read_text() for ending in LANGUAGES if ending in files}


def _tabs(match: re.Match[str]) -> str:
    """One example in all its languages: a tab each, which needs no script."""
    texts = example(match[1])
    tabs = [
        {
            "ending": ending,
            "language": LANGUAGES[ending][0],
            "code": _coloured(text.replace(LOCAL, settings.SITE_URL), LANGUAGES[ending][1]),
        }
        for ending, text in texts.items()
    ]
    # One line, or Markdown would look for its own marks in it.
    shown = render_to_string("manual/tabs.html", {"name": match[1], "tabs": tabs})
    return "\n" + re.sub(r"\n\s*\n", "\n&#10;", shown) + "\n"


def _coloured(text: str, language: str) -> str:
    return str(highlight(text.rstrip(), get_lexer_by_name(language), HtmlFormatter(cssclass="code")))


class _Links(Extension):
    """Links between files become links between pages, pictures static files; what is no page loses its link."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._folder = str(Path(file).parent)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name
        md.treeprocessors.register(_LinksOf(md, self._folder), "pages", 5)


class _LinksOf(Treeprocessor):
    def __init__(self, md: Markdown, folder: str) -> None:
        super().__init__(md)
        self._folder = folder

    def run(self, root: Element) -> None:
        for picture in root.iter("img"):
            picture.set("src", static(normpath(f"{self._folder}/{picture.get('src')}").removeprefix("static/")))
        for link in list(root.iter("a")):
            target, _, anchor = link.get("href", "").partition("#")
            if not target or ":" in target or target.startswith("/"):
                continue
            slug = _SLUGS.get(normpath(f"{self._folder}/{target}"))
            if slug:
                link.set("href", f"/docs/{slug}" + (f"#{anchor}" if anchor else ""))
            else:
                link.tag = "span"
                del link.attrib["href"]


@dataclass(frozen=True)
class Hit:
    page: Page
    anchor: str
    heading: str
    excerpt: str  # HTML, with what was looked for marked


def search(words: str) -> list[Hit]:
    """The sections that hold every word, those first whose heading does; at most 20."""
    wanted = words.casefold().split()[:8]
    found = [hit for hit in _sections() if wanted and all(word in hit[3].casefold() for word in wanted)]
    found.sort(key=lambda hit: -sum(word in hit[2].casefold() for word in wanted))
    return [Hit(page, anchor, heading, _excerpt(text, wanted)) for page, anchor, heading, text in found[:20]]


@cache
def _sections() -> list[tuple[Page, str, str, str]]:
    """(page, anchor, heading, heading and text) of every section of every page."""
    sections = []
    for page in PAGES.values():
        parts = re.split(r'<h[12] id="([^"]*)">(.*?)</h[12]>', rendered(page.slug).html)
        for anchor, heading, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            name, text = (html.unescape(re.sub(r"<[^>]+>", " ", each)) for each in (heading, body))
            sections.append((page, anchor, name.strip(), re.sub(r"\s+", " ", f"{name.strip()}. {text}")))
    return sections


def _excerpt(text: str, wanted: list[str]) -> str:
    at = max(0, text.casefold().find(wanted[0]) - 80)
    shown = ("…" if at else "") + text[at : at + 240] + ("…" if at + 240 < len(text) else "")
    marks = re.compile("|".join(re.escape(html.escape(word)) for word in wanted), re.IGNORECASE)
    return marks.sub(lambda match: f"<mark>{match[0]}</mark>", html.escape(shown))
