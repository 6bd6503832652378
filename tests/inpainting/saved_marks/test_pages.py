"""/dashboard/marks: an account's saved marks in its browser, without a script."""

import io
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from inpainting.models import SavedMark
from tests import pictures
from tests.conftest import Account
from tests.inpainting.saved_marks.logos import logo, photo

URL = "/dashboard/marks"


def browser(account: Account) -> Client:
    client = Client()
    client.force_login(account.user)
    return client


def add(visitor: Client, image: io.BytesIO, **fields: str) -> str:
    asked = {"name": "Our logo", "kind": "logo", "image": image, "scaling": "picture", **fields}
    return visitor.post(f"{URL}/new", asked, follow=True).content.decode()


def test_it_works(alice: Account) -> None:
    visitor = browser(alice)
    assert "No saved marks" in visitor.get(URL).content.decode()

    page = add(visitor, pictures.file(Image.fromarray(logo())), opacity="50")

    mark = SavedMark.objects.get()
    assert mark.opacity == 0.5
    assert "Our logo" in page
    assert mark.name in page
    thumbnail = visitor.get(f"{URL}/{mark.name}/thumbnail")
    assert Image.open(io.BytesIO(thumbnail.content)).mode == "RGBA"


def test_renaming_and_deleting(alice: Account) -> None:
    visitor = browser(alice)
    add(visitor, pictures.file(Image.fromarray(logo())))
    name = SavedMark.objects.get().name

    assert "A new name" in visitor.post(f"{URL}/{name}/rename", {"name": "A new name"}, follow=True).content.decode()
    assert "Delete “A new name”?" in visitor.get(f"{URL}/{name}/delete").content.decode()
    assert SavedMark.objects.exists()
    assert "No saved marks" in visitor.post(f"{URL}/{name}/delete", follow=True).content.decode()
    assert not SavedMark.objects.exists()


def test_a_file_without_alpha_is_refused(alice: Account) -> None:
    assert "needs an alpha channel" in add(browser(alice), pictures.file(photo()))
    assert not SavedMark.objects.exists()


def test_anothers_is_not_there(alice: Account, bob: Account) -> None:
    add(browser(alice), pictures.file(Image.fromarray(logo())))
    name = SavedMark.objects.get().name

    for page in ("rename", "delete", "thumbnail"):
        assert browser(bob).get(f"{URL}/{name}/{page}").status_code == 404
    assert browser(bob).post(f"{URL}/{name}/delete").status_code == 404
    assert "Our logo" not in browser(bob).get(URL).content.decode()


def test_a_mask_with_its_place(alice: Account) -> None:
    mask = pictures.file(pictures.box_mask(96, 64, (70, 10, 90, 20)))
    add(browser(alice), mask, kind="mask", anchor="top-right", scaling="pixels")

    mark = SavedMark.objects.get()
    assert (mark.kind, mark.opacity) == ("mask", None)
    assert {name: mark.place[name] for name in ("anchor", "scaling", "width", "height", "down", "right")} == {
        **{"anchor": "top-right", "scaling": "pixels", "width": 20, "height": 10},
        **{"down": 10, "right": -6},
    }


@pytest.mark.parametrize(("kind", "anchor"), [("mask", "whole"), ("logo", "bottom-right")])
def test_the_usual_place(alice: Account, kind: str, anchor: str) -> None:
    image = pictures.box_mask() if kind == "mask" else Image.fromarray(logo())
    add(browser(alice), pictures.file(image), kind=kind, anchor="")

    assert SavedMark.objects.get().place["anchor"] == anchor


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "mask", "opacity": "50"}, "opacity is for logos"),
        ({"kind": "mask", "image": pictures.file(np.zeros((9, 9), np.uint8))}, "marks nothing to remove"),
        ({"kind": "mask", "image": io.BytesIO(b"no picture")}, "errorlist"),
        ({"anchor": "elsewhere"}, "Select a valid choice"),
    ],
)
def test_what_is_refused_is_said(alice: Account, fields: dict[str, Any], says: str) -> None:
    page = add(browser(alice), **{"image": pictures.file(pictures.box_mask()), **fields})

    assert says in page
    assert not SavedMark.objects.exists()


def test_the_page_for_many_pictures(alice: Account, bob: Account) -> None:
    add(browser(alice), pictures.file(Image.fromarray(logo())))
    url = f"{URL}/{SavedMark.objects.get().name}/many"

    assert "Take “Our logo” off many pictures" in browser(alice).get(url).content.decode()
    assert browser(bob).get(url).status_code == 404
