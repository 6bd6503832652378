"""Saved marks that are large: no memory is taken for what cannot be seen, and work does not grow with the rest.

Whoever asks for them a lot is let in like anybody who sends a picture.
"""

import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from django.test import Client
from pytest_django import Settings

from inpainting import admission, images, storage, thumbnails
from inpainting.admission import DETECTED, Room
from inpainting.engine.crops.boxes import Box
from inpainting.engine.logo import Logo
from inpainting.engine.watermark.shared import fitting
from inpainting.models import SavedMark
from inpainting.saved_marks import editor
from tests import pictures
from tests.conftest import Account
from tests.inpainting.saved_marks.logos import decibels, laid, logo, photo
from tests.inpainting.saved_marks.test_api import save
from tests.inpainting.saved_marks.test_editor import keep
from tests.inpainting.test_editor import Visitor

HEIGHT, WIDTH = 240, 320


# Of the larger one the soft edge alone, one pixel of the file, is wider than the picture.
@pytest.mark.parametrize(("side", "is_seen"), [(4000, False), (1_000_000, True)])
def test_a_logo_larger_than_the_picture(side: int, is_seen: bool) -> None:
    pixels = np.full((400, 400, 4), 255, np.uint8)
    pixels[:, 200:, 3] = 0  # its right half, which lies on the picture, is not seen
    huge = Logo(pixels, Box(-side // 2, -side // 2, side // 2, side // 2), 0.5, 24)

    tracemalloc.start()
    lifted = fitting.lift(photo(HEIGHT, WIDTH), huge)
    shape = huge.shape(HEIGHT, WIDTH)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lifted is None
    assert shape[:, -1].any() == is_seen
    assert peak < 10e6


def test_a_logo_over_most_of_a_large_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    mark, clean, work = logo(12), photo(1140, 2030), list[int]()
    marked, sums = laid(clean, mark, 260, 120, 0.5), fitting._sums
    known = Logo(mark, Box(250, 111, 250 + 576, 111 + 1440), None, 68)

    def count(view: fitting.View, *others: Any) -> Any:
        work.append(view.crop[..., 0].size)
        return sums(view, *others)

    monkeypatch.setattr(fitting, "_sums", count)
    tracemalloc.start()
    found = fitting.lift(marked, known)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found is not None
    assert decibels(found.restored, clean, 260, 120, mark) > 35
    assert peak < DETECTED * clean[..., 0].size
    assert sum(work) <= fitting.ROUNDS * fitting.FEW + fitting.LATER * (fitting.WINDOWS * fitting.WINDOW) ** 2


def test_a_file_that_is_larger_than_the_picture(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is let in for both."""
    taken, take = list[int](), admission.Room.take

    def note(room: admission.Room, size: int) -> Any:
        taken.append(size if room is admission.memory else 0)
        return take(room, size)

    huge = logo(8)
    id = alice.client.post(
        "/api/v1/marks", {"name": "huge", "kind": "logo", "image": pictures.file(huge), "anchor": "whole"}
    ).json()["id"]
    monkeypatch.setattr(admission.Room, "take", note)
    alice.client.post("/api/v1/remove-watermark", {"image": pictures.file(photo(48, 64)), "mark": id})

    assert max(taken) > 0.8 * DETECTED * huge[..., 0].size  # what is transparent around it is not kept


def test_a_shape_is_that_of_the_planes() -> None:
    small = Logo(logo(), Box(30, 40, 30 + 48, 40 + 120), None, 24)
    seen = np.zeros((HEIGHT, WIDTH), bool)
    seen[small.box.slices] = small.planes()[..., 3] > 8 / 255

    shape = small.shape(HEIGHT, WIDTH)

    assert (shape | ~seen).all()
    assert shape.sum() < 1.6 * seen.sum()


def test_it_is_answered(alice: Account) -> None:
    """A logo drawn on a picture of one pixel, in one of 320 x 240: 240 times as large, and all over it."""
    place = {"anchor": "top-left", "x": -60, "y": -24, "picture_width": 1, "picture_height": 1}
    id = save(alice.client, **place).json()["id"]

    response = alice.client.post("/api/v1/remove-watermark", {"image": pictures.file(photo(HEIGHT, WIDTH)), "mark": id})

    assert response.status_code in (200, 400), response.content
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == (response.status_code == 200)


@contextmanager
def busy(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As while one of the account's is made, and as many wait as may."""
    room = Room(1, most_waiting=0, wait=0)
    monkeypatch.setattr(admission, "_turns", {account.user.pk: room})
    with room.take(1):
        yield


def test_a_thumbnail_is_made_once(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask for it at once, and in no room of the calls'."""
    save(alice.client)
    mark = SavedMark.objects.get()
    read = MagicMock(side_effect=storage.read)
    monkeypatch.setattr(storage, "read", read)
    monkeypatch.setattr(admission, "decoders", Room(0, most_waiting=0, wait=0))
    address = f"/dashboard/marks/{mark.name}/thumbnail"

    browser = Visitor(alice)
    assert browser.get(address).content == browser.get(address).content
    with ThreadPoolExecutor(8) as visitors:
        assert len(set(visitors.map(thumbnails.of, [mark] * 8))) == 1
    read.assert_called_once()


def test_who_asks_for_too_many_thumbnails(
    alice: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    id, browser = save(alice.client).json()["id"], Visitor(alice)

    with busy(alice, monkeypatch):
        response = browser.get(f"/dashboard/marks/{id}/thumbnail")

    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert not any(record.exc_info for record in caplog.records)


def by_form(account: Account) -> Any:
    client = Client()
    client.force_login(account.user)
    mask = pictures.file(pictures.box_mask())
    return client.post("/dashboard/marks/new", {"name": "a", "kind": "mask", "image": mask, "scaling": "picture"})


SURFACES = [lambda account: keep(Visitor(account)), by_form, lambda account: save(account.client)]


@pytest.mark.parametrize("surface", SURFACES)
def test_who_has_too_many_has_none_decoded(
    surface: Any, alice: Account, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_SAVED_MARKS = 0
    read = MagicMock(side_effect=images._loaded)
    monkeypatch.setattr(images, "_loaded", read)

    assert b"may keep 0 marks" in surface(alice).content
    read.assert_not_called()


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("room", ["turn", "memory"])
def test_without_room_none_is_kept(surface: Any, room: str, alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Room(1, most_waiting=0, wait=0)
    monkeypatch.setattr(admission, "_turns", {alice.user.pk: full if room == "turn" else Room(1, 0, 0)})
    monkeypatch.setattr(admission, "memory", full if room == "memory" else admission.memory)

    with full.take(1):
        assert b"busy" in surface(alice).content
    assert not SavedMark.objects.exists()


@pytest.mark.parametrize("surface", SURFACES)
def test_keeping_costs_the_account_s_rate(surface: Any, alice: Account) -> None:
    alice.limit(requests_per_minute=1, burst=1)

    surface(alice)
    assert b"Rate limit exceeded" in surface(alice).content
    assert SavedMark.objects.count() == 1


def test_masks_are_laid_one_after_another(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """And are let in for the picture and the mask's file, which may be larger."""
    visitor, taken, take = Visitor(alice), list[int](), Room.take
    address = f"/editor/marks/{keep(visitor, anchor='whole').json()['id']}/mask?width=3&height=2&account"

    def note(room: Room, size: int) -> Any:
        taken.append(size if room is admission.memory else 0)
        return take(room, size)

    with monkeypatch.context() as patch:
        patch.setattr(Room, "take", note)
        visitor.get(address)
    assert max(taken) > admission.REPAINTED * 96 * 64
    with busy(alice, monkeypatch):
        refused = visitor.get(address)
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (503, "busy", "2")


def test_masks_are_laid_at_a_rate_of_their_own(bob: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Free, which has 2 calls a minute, whoever lays one on many pictures notices nothing."""
    monkeypatch.setattr(editor, "LAYING_RATE", "12/m")
    visitor = Visitor(bob)
    mask = keep(visitor, anchor="whole").json()["id"]
    sizes = [f"/editor/marks/{mask}/mask?width={width}&height=64&account" for width in range(90, 103)]

    answers = [visitor.get(size) for size in sizes]

    assert [answer.status_code for answer in answers] == [200] * 12 + [429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert visitor.clean().status_code == 200


def test_accounts_do_not_wait_for_each_other() -> None:
    with admission.turn(1), admission.turn(65):
        pass
    assert not admission._turns
