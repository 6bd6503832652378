"""What the editor's script asks of saved marks, with the session of whoever is signed in."""

from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from inpainting.models import SavedMark
from tests import pictures
from tests.conftest import Account
from tests.inpainting.saved_marks.logos import decibels, logo
from tests.inpainting.saved_marks.test_api import LOGO, MARKED, PHOTO, PLACE, save
from tests.inpainting.test_editor import Visitor

URL = "/editor/marks"


@pytest.fixture
def visitor(alice: Account) -> Visitor:
    return Visitor(alice)


def keep(visitor: Visitor, **fields: Any) -> Any:
    mask = pictures.file(pictures.box_mask(96, 64, (70, 40, 90, 60)))
    return visitor.send(URL, **{"name": "Corner", "kind": "mask", "image": mask, "anchor": "bottom-right", **fields})


def test_it_works(visitor: Visitor) -> None:
    assert keep(visitor).status_code == 201

    [mark] = visitor.get(URL).json()["marks"]
    assert mark["name"] == "Corner"
    assert visitor.get(mark["thumbnail"]).status_code == 200
    laid = pictures.pixels(visitor.get(f"{mark['mask']}&width=192&height=128").content)
    rows, columns = np.flatnonzero(laid.any(1)), np.flatnonzero(laid.any(0))
    assert [rows[0], rows[-1] + 1, columns[0], columns[-1] + 1] == [80, 120, 140, 180]


def test_a_logo_comes_off_and_is_no_mask(visitor: Visitor, alice: Account) -> None:
    id = save(alice.client, **PLACE).json()["id"]

    [mark] = visitor.get(URL).json()["marks"]
    assert "mask" not in mark
    assert visitor.get(f"{URL}/{id}/mask", {"width": 9, "height": 9}).status_code == 404
    cleaned = visitor.send(image=pictures.file(MARKED), mark=id)
    assert cleaned["X-Mark-Repair"] == "restored"
    assert decibels(pictures.pixels(cleaned.content), PHOTO, 180, 190, LOGO) > 36


def test_looking_costs_no_rate(visitor: Visitor, alice: Account) -> None:
    alice.limit(requests_per_minute=1, burst=1)

    assert {visitor.get(URL).status_code for _ in range(5)} == {200}


@pytest.mark.parametrize("size", [{}, {"width": 9}, {"width": 0, "height": 9}, {"width": 9, "height": 99999}])
def test_a_size_that_no_picture_has(visitor: Visitor, size: dict[str, int]) -> None:
    id = keep(visitor).json()["id"]

    assert visitor.get(f"{URL}/{id}/mask", size).json()["code"] == "invalid_request"


def test_anothers_marks_are_not_there(visitor: Visitor, bob: Account) -> None:
    id = keep(visitor).json()["id"]
    other = Visitor(bob)

    assert other.get(URL).json()["marks"] == []
    assert other.get(f"{URL}/{id}/mask", {"width": 9, "height": 9}).status_code == 404
    assert other.send(mark=id).json()["code"] == "not_found"


def test_a_stranger_keeps_none_and_sees_nothing_of_it(client: Client, alice: Account) -> None:
    stranger = Visitor(None)

    assert keep(stranger).status_code == 401
    assert stranger.get(URL).status_code == 401
    assert not SavedMark.objects.exists()
    page = client.get("/editor").content.decode()
    assert "Saved" not in page
    assert "Save marks" not in page


def test_without_its_token_nothing_is_kept(visitor: Visitor) -> None:
    refused = visitor.post(URL, {"name": "Logo", "kind": "logo", "image": pictures.file(Image.fromarray(logo()))})

    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert not SavedMark.objects.exists()
