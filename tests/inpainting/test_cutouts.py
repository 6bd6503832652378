"""Cut-outs: holes are filled in opacity and colour, hidden colours stay hidden, and everything else stays as it is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from numpy.typing import NDArray
from PIL import Image

from inpainting import cutouts, engine, removal
from inpainting.engine import Detection
from inpainting.images import Picture
from inpainting.options import Mode, Options
from inpainting.removal import Job
from tests import pictures
from tests.conftest import Account

HIDDEN = (255, 0, 255)
SIDE = 160
Y, X = np.mgrid[:SIDE, :SIDE]
DISC = np.hypot(Y - 80, X - 80) < 50


def disc(opacity: int = 255) -> NDArray[np.uint8]:
    """(160, 160, 4): a greenish disc; all around it a colour that nobody is to see."""
    rgba = np.dstack([pictures.photo(SIDE, SIDE), np.where(DISC, opacity, 0)]).astype(np.uint8)
    rgba[..., 0] //= 4
    rgba[~DISC, :3] = HIDDEN
    return rgba


def box(top: int, left: int, bottom: int, right: int, weight: int = 255) -> NDArray[np.uint8]:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[top:bottom, left:right] = weight
    return mask


def filled(rgba: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """With what is outside the hole compared already."""
    made, _ = cutouts.inpaint(Picture(rgba[..., :3].copy(), rgba[..., 3].copy()), mask, "hybrid")
    assert made.alpha is not None
    result = np.dstack([made.rgb, made.alpha])
    np.testing.assert_array_equal(result[mask == 0], rgba[mask == 0])
    return result


def shows_hidden(rgba: NDArray[np.uint8]) -> bool:
    """Whether any pixel that is to be seen is redder than the disc ever is."""
    return bool((rgba[rgba[..., 3] > 0][:, 0] > 100).any())


def test_it_works() -> None:
    """A mark over the edge of the disc: the outline goes on, and nothing of the mark or of hidden colours is left."""
    rgba, mask = disc(), box(70, 10, 90, 60)
    rgba[mask > 0] = 250, 250, 250, 255

    made = filled(rgba, mask)

    hole = mask > 0
    wrong = np.abs(made[..., 3].astype(int) - 255 * DISC) > 128
    assert wrong[hole].sum() <= 20  # a pixel along the outline
    assert set(np.unique(made[hole & (X < 25), 3])) == {0}
    assert set(np.unique(made[hole & (X > 36), 3])) == {255}
    assert not shows_hidden(made)
    assert made[hole, 0].max() < 100  # nor are they below what is transparent


def test_a_mark_on_nothing_leaves_nothing() -> None:
    rgba, mask = disc(), box(4, 4, 20, 60)
    rgba[6:18, 6:58] = 250, 250, 250, 128

    made = filled(rgba, mask)

    assert not made[mask > 0][:, 3].any()
    assert (made[mask > 0][:, :3] != HIDDEN).any(axis=1).all()


def test_where_all_around_is_transparent_nothing_is_asked_of_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inpainting.engine.inpaint", lambda *_, **__: pytest.fail("A model is asked."))
    rgba = np.zeros((SIDE, SIDE, 4), np.uint8)
    rgba[50:70, 50:90] = 255

    assert not filled(rgba, box(45, 45, 75, 95)).any()


def test_inside_an_object_it_is_filled_as_in_an_opaque_picture() -> None:
    rgba, mask = disc(), box(75, 70, 85, 90)
    solid = rgba.copy()
    solid[..., 3] = 255
    solid[~DISC, :3] = disc()[80, 80, :3]

    made, opaque = filled(rgba, mask), filled(solid, mask)

    np.testing.assert_array_equal(made[mask > 0][:, 3], 255)
    assert np.abs(made[mask > 0].astype(int) - opaque[mask > 0]).mean() < 8


def test_half_transparent_ground_goes_on() -> None:
    made = filled(disc(opacity=90), box(75, 70, 85, 90))

    np.testing.assert_array_equal(made[75:85, 70:90, 3], 90)


def test_a_shade_that_grows_goes_on() -> None:
    rgba = disc()
    rgba[..., 3] = 40 + X

    made = filled(rgba, box(60, 60, 80, 100))

    assert np.abs(made[60:80, 60:100, 3].astype(int) - rgba[60:80, 60:100, 3]).max() <= 12


def test_parts_far_from_each_other_are_filled_each_by_itself() -> None:
    """As if the other were not there; each on the edge of a disc of its own."""
    near = np.concatenate([disc(), np.zeros((SIDE, 400, 4), np.uint8)], axis=1)
    far = near[:, ::-1]
    both = np.concatenate([near, far], axis=1)
    mask = np.zeros(both.shape[:2], np.uint8)
    mask[70:90, 10:60] = mask[70:90, -60:-10] = 255

    made = filled(both, mask)

    np.testing.assert_array_equal(made[:, :560], filled(near, mask[:, :560]))
    np.testing.assert_array_equal(made[:, 560:], filled(far, mask[:, 560:]))


def test_soft_weights_mix_by_what_is_seen() -> None:
    """Half of a white mark on nothing: half as opaque, and still white. Half of nothing has no colour to give."""
    rgba = disc()
    rgba[6:18, 6:58] = 250, 250, 250, 200

    made = filled(rgba, box(4, 4, 20, 60, weight=128))

    assert {tuple(pixel) for pixel in made[6:18, 6:58].reshape(-1, 4)} == {(250, 250, 250, 100)}
    assert not made[4:6, 4:60, 3].any()


def test_an_alpha_channel_that_is_full_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rgba, mask = disc(), box(70, 70, 80, 90, weight=128)
    rgba[..., 3] = 255
    rgb = np.ascontiguousarray(rgba[..., :3])
    calls = []
    whole = engine.inpaint

    def count(*arguments: Any) -> engine.Inpainted:
        calls.append(arguments)
        return whole(*arguments)

    monkeypatch.setattr("inpainting.engine.inpaint", count)
    made = filled(rgba, mask)

    assert len(calls) == 1
    assert calls[0][0].shape == rgb.shape
    np.testing.assert_array_equal(made[..., :3], whole(rgb, mask, "hybrid").picture)


def test_a_detector_sees_no_hidden_colour() -> None:
    rgba = disc(opacity=128)
    picture = Picture(rgba[..., :3], rgba[..., 3])

    seen = cutouts.shown(picture)

    assert (seen[~DISC] == cutouts.GROUND).all()
    np.testing.assert_allclose(seen[DISC], (rgba[DISC][:, :3] + 128.0) / 2, atol=1.5)


@pytest.mark.parametrize("mode", ["auto", "restore"])
def test_a_found_mark_is_restored_on_the_object_and_goes_elsewhere(mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half transparent white letters over the edge: what shines through them is kept, what lay on nothing is gone."""
    clean, mark = disc(), box(70, 15, 90, 60) > 0
    rgba = clean.copy()
    rgba[mark & DISC, :3] = (rgba[mark & DISC, :3].astype(int) + 255) // 2
    rgba[mark & ~DISC] = 255, 255, 255, 128
    opacity = mark * np.float32(0.5)
    restored = np.where(mark[..., None], clean[..., :3], rgba[..., :3])
    found = Detection(opacity * 2, opacity, mark, restored, mark, [], copies=mark)
    monkeypatch.setattr("inpainting.engine.detect", lambda *_, **__: found)

    removed = removal.remove(Job(Picture(rgba[..., :3], rgba[..., 3]), None, Options("hybrid", mode))).picture

    assert removed.alpha is not None
    np.testing.assert_array_equal(removed.rgb[mark & DISC], clean[mark & DISC, :3])
    np.testing.assert_array_equal(removed.alpha[mark & DISC], 255)
    assert (removed.alpha[mark & ~DISC] > 128).sum() <= 40  # two pixels along the outline
    assert not removed.alpha[mark & (X < 24)].any()


def test_every_surface(alice: Account, public: Client, tmp_path: Path) -> None:
    """v1, object remover and command give the same pixels."""
    rgba, mask = disc(), box(70, 10, 90, 60)
    rgba[mask > 0] = 250, 250, 250, 255
    files = tmp_path / "picture.png", tmp_path / "mask.png", tmp_path / "clean.png"
    Image.fromarray(rgba).save(files[0])
    Image.fromarray((mask * 255).astype(np.uint8)).save(files[1])
    sent = [pictures.file(Image.open(file)) for file in files[:2]]

    v1 = alice.client.post("/api/v1/remove-watermark", {"image": sent[0], "mask": sent[1], "model": "hybrid"})
    for file in sent:
        file.seek(0)
    stored = public.post("/inpaint-multipart", {"image": sent[0], "mask": sent[1]}).json()
    call_command("inpaint", str(files[0]), str(files[1]), "-o", str(files[2]), model="hybrid")

    expected = filled(rgba, mask)
    downloaded = b"".join(public.get(f"/download/{stored['result']}").streaming_content)  # type: ignore[attr-defined]
    for result in (pictures.pixels(v1.content), pictures.pixels(downloaded), np.asarray(Image.open(files[2]))):
        np.testing.assert_array_equal(result, expected)
