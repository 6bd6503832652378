"""sd over HTTP: its options on every call that repaints, and what is said where it is not there."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from inpainting.batches.models import Item
from inpainting.batches.work import Worker
from inpainting.engine import door
from tests import pictures
from tests.conftest import Account

URL = "/api/v1/remove-watermark"
PHOTO, MASK = pictures.photo(), pictures.box_mask()
SAMPLING = {"prompt": "a meadow", "negative_prompt": "trees", "steps": 2, "guidance": 3.5, "seed": 7}
ASKED: dict[str, Any] = {"model": "sd", **SAMPLING}


@pytest.fixture(autouse=True)
def _tiny(settings: Settings, tiny_sd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SD_WEIGHTS, settings.SDXL_WEIGHTS = str(tiny_sd), ""
    monkeypatch.setattr(door, "_desks", door.Desks())


def send(client: Client, url: str = URL, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
    return client.post(url, {**files, **fields}, headers=headers)


def test_it_works(alice: Account) -> None:
    first, again, other = (send(alice.client, **{**ASKED, "seed": seed}) for seed in (7, 7, 8))

    assert first.status_code == 200
    made = pictures.pixels(first.content)
    np.testing.assert_array_equal(made[MASK == 0], PHOTO[MASK == 0])
    assert (made[MASK > 0] != PHOTO[MASK > 0]).any(1).mean() > 0.9
    assert again.content == first.content != other.content
    assert first["X-Credits-Charged"] == "4"
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 12


def test_without_a_seed_a_repeat_gives_the_same(alice: Account) -> None:
    first, again = (send(alice.client, model="sd", prompt="a meadow", steps=1).content for _ in range(2))

    assert first == again


def test_object_remover(alice: Account) -> None:
    answer = send(alice.client, "/inpaint-multipart", **ASKED).json()

    made = pictures.pixels(b"".join(alice.client.get(answer["url"]).streaming_content))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(made, pictures.pixels(send(alice.client, **ASKED).content))


def test_a_batch(alice: Account) -> None:
    files = {"images": [pictures.file(PHOTO)], "mask": pictures.file(MASK)}
    batch = alice.client.post("/api/v1/batch", {**files, **ASKED}).json()

    assert Worker().work_next()
    (item,) = alice.client.get(batch["links"]["items"]).json()["results"]
    made = pictures.pixels(alice.client.get(item["result"]["url"]).getvalue())
    np.testing.assert_array_equal(made, pictures.pixels(send(alice.client, **ASKED).content))


def test_opacity_is_filled_by_another_model(alice: Account) -> None:
    """A shadow, half transparent, runs through the hole."""
    alpha = np.tile(np.linspace(0, 255, PHOTO.shape[1]).astype(np.uint8), (PHOTO.shape[0], 1))
    picture = np.dstack([PHOTO, alpha])

    made = [
        pictures.pixels(send(alice.client, image=pictures.file(picture), **asked).content)
        for asked in (ASKED, {"model": "hybrid"})
    ]

    np.testing.assert_array_equal(made[0][..., 3], made[1][..., 3])
    np.testing.assert_array_equal(made[0][MASK == 0], made[1][MASK == 0])
    assert (made[0] != made[1]).any()


@pytest.mark.parametrize("option", SAMPLING)
@pytest.mark.parametrize("url", [URL, "/inpaint-multipart"])
def test_other_models_refuse_each_option(option: str, url: str, alice: Account) -> None:
    response = send(alice.client, url, model="hybrid", **{option: ASKED[option]})

    assert (response.status_code, response.json()["code"]) == (400, "option_not_taken")
    assert response.json()["detail"] == f"The model hybrid takes no {option}; sd and sdxl do."
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 0


def test_the_default_model_refuses_them_too(alice: Account) -> None:
    assert send(alice.client, prompt="a meadow").json()["code"] == "option_not_taken"


def test_restoring_takes_no_prompt(alice: Account) -> None:
    response = send(alice.client, mode="restore", **ASKED)

    assert response.json()["code"] == "option_not_taken"
    assert "mode=restore" in response.json()["detail"]


def test_a_batch_refuses_them_before_anything_is_stored(alice: Account) -> None:
    files = {"images": [pictures.file(PHOTO)], "mask": pictures.file(MASK)}
    response = alice.client.post("/api/v1/batch", {**files, **ASKED, "model": "patchmatch"})

    assert (response.status_code, response.json()["code"]) == (400, "option_not_taken")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("steps", "0"), ("steps", "101"), ("guidance", "-1"), ("guidance", "31"), ("guidance", "nan")),
        *(("seed", "-1"), ("seed", str(2**32)), ("prompt", "x" * 1001), ("prompt", "")),
    ],
)
def test_values_out_of_range(field: str, value: str, alice: Account) -> None:
    response = send(alice.client, **{**ASKED, field: value})

    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert response.json()["detail"].startswith(f"{field}: ")


def test_a_model_that_is_not_there(alice: Account) -> None:
    response = send(alice.client, model="sdxl", prompt="a meadow")

    assert (response.status_code, response.json()["code"]) == (503, "engine_unavailable")
    assert "Set SDXL_WEIGHTS to a diffusers folder" in response.json()["detail"]
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 0
    assert not {each["name"]: each["available"] for each in alice.client.get("/api/v1/models").json()["models"]}["sdxl"]


def test_a_plan_without_it(bob: Account, public: Client) -> None:
    response = send(bob.client, **ASKED)

    assert (response.status_code, response.json()["code"]) == (403, "model_not_in_plan")
    assert response.json()["detail"] == "The model sd is not on the plan Free. GET /api/v1/models says which are."
    later = send(bob.client, headers={"Prefer": "respond-async"}, **ASKED)
    assert (later.status_code, later.json()["code"]) == (403, "model_not_in_plan")
    assert bob.client.get("/api/v1/stats").json()["quota"]["used"] == 0
    assert send(public, "/inpaint-multipart", **ASKED).json()["code"] == "model_not_in_plan"


def test_models_says_what_the_plan_of_the_key_has(alice: Account, bob: Account, public: Client) -> None:
    said = [
        {each["name"]: (each["units"], each["available"]) for each in client.get("/api/v1/models").json()["models"]}
        for client in (alice.client, bob.client, public)
    ]

    assert [each["sd"] for each in said] == [(4, True), (None, False), (None, False)]
    assert [each["sdxl"] for each in said] == [(8, False), (None, False), (None, False)]
    assert [each["hybrid"] for each in said] == [(1, True)] * 3


def batch(account: Account, count: int, **fields: Any) -> Any:
    files = {"images": [pictures.file(PHOTO) for _ in range(count)], "mask": pictures.file(MASK)}
    return account.client.post("/api/v1/batch", {**files, **ASKED, **fields})


def test_a_batch_costs_four_a_picture(alice: Account) -> None:
    alice.limit(quota=7)
    refused = batch(alice, 2)
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert "a picture costs 4 units with this model, and this month's quota has 7 left" in refused.json()["detail"]

    made = batch(alice, 2, partial="true").json()
    assert (made["queued"], made["failed"]) == (1, 1)
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 4
    assert Worker().work_next()
    alice.limit(quota=8)
    again = alice.client.post(f"{made['links']['self']}/retry").json()

    assert (again["succeeded"], again["queued"]) == (1, 1)
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 8


def test_a_batch_that_is_cancelled_gives_all_back(alice: Account) -> None:
    alice.limit(quota=8)
    batch(alice, 2)
    alice.client.delete("/api/v1/batch/" + str(Item.objects.values_list("batch", flat=True)[0]))

    assert alice.client.get("/api/v1/stats").json()["quota"]["remaining"] == 8


@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_the_command_says_how_to_get_a_folder(name: str) -> None:
    with pytest.raises(CommandError, match=rf"hf download .* and set {name.upper()}_WEIGHTS=".replace(" and", "\nand")):
        call_command("fetch_weights", name, stdout=io.StringIO())
