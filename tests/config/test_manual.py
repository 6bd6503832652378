"""The manual: docs/*.md as pages of the site, as Markdown, and searched."""

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from config import exceptions, manual


def test_it_works(client: Client) -> None:
    page = client.get("/docs").content.decode()

    assert "<h1" in page
    assert "X-API-Key" in page  # an example, in its tabs
    assert f"{settings.SITE_URL}/api/v1/remove-watermark" in page


@pytest.mark.parametrize("slug", manual.PAGES)
def test_links_lead_to_pages_and_their_headings(client: Client, slug: str) -> None:
    answer = client.get(f"/docs/{slug}")
    assert answer.status_code == 200
    for target, anchor in re.findall(r'href="/docs/([\w-]+)(?:#([^"]+))?"', manual.rendered(slug).html):
        assert target in manual.PAGES
        assert not anchor or f'id="{anchor}"' in manual.rendered(target).html, f"{slug}: {target}#{anchor}"


@pytest.mark.parametrize("slug", manual.PAGES)
def test_pictures_are_there_and_in_words(slug: str) -> None:
    for tag in re.findall(r"<img [^>]+>", manual.rendered(slug).html):
        [source], [words] = re.findall(r'src="/static/([^"]+)"', tag), re.findall(r'alt="([^"]+)"', tag)
        assert finders.find(source), source
        assert len(words) > 20


def test_the_page_of_masks_shows_pictures() -> None:
    assert manual.rendered("masks").html.count("<img ") == 4


def test_each_code_of_an_error_is_explained() -> None:
    explained = manual.PAGES["errors"].markdown
    codes = {code for status in range(400, 600) for code in exceptions.codes(status)}

    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in explained] == []


def test_search_finds_sections(client: Client) -> None:
    found = client.get("/docs/search", {"q": "faint_mask"}).content.decode()
    assert "/docs/errors#the-picture-and-the-mask" in found
    assert "<mark>faint_mask</mark>" in found

    assert "Nothing in the manual" in client.get("/docs/search", {"q": "xyzzy"}).content.decode()
    assert "<script>alert" not in client.get("/docs/search", {"q": "<script>alert(1)</script>"}).content.decode()


def test_programs_read_markdown(client: Client) -> None:
    index = client.get("/llms.txt").content.decode()
    [address] = re.findall(r"\((\S+/docs/errors\.md)\)", index)
    page = client.get(address.removeprefix(settings.SITE_URL))

    assert page["Content-Type"] == "text/markdown; charset=utf-8"
    assert page.content.decode().startswith("# Errors")


def test_what_is_no_page_is_not_found(client: Client) -> None:
    assert client.get("/docs/nothing").status_code == 404
    assert client.get("/docs/nothing.md").status_code == 404
