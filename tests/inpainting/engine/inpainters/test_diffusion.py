"""Stable Diffusion of the real classes, tiny, with random weights: its folders, and its way through the door."""

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_django import Settings

from inpainting import engine
from inpainting.engine import EngineUnavailable, OptionNotTaken, Sampling, door
from inpainting.engine.crops.plan import plan
from inpainting.engine.inpainters.diffusion import folder
from inpainting.engine.registry import INPAINTERS
from inpainting.engine.weights import WeightsError

PICTURE = np.random.default_rng(0).integers(0, 256, (90, 140, 3)).astype(np.uint8)
BLEND_MASK = np.zeros((90, 140), np.uint8)
BLEND_MASK[20:60, 30:90] = 255
FAST: dict[str, Any] = {"prompt": "a meadow", "steps": 2}


@pytest.fixture
def chosen(nothing_loaded: Settings, tiny_sd: Path, tiny_sdxl: Path) -> Settings:
    nothing_loaded.SD_WEIGHTS, nothing_loaded.SDXL_WEIGHTS = str(tiny_sd), str(tiny_sdxl)
    return nothing_loaded


@pytest.fixture
def copied(tiny_sd: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_sd, tmp_path / "copied"))


def filled(model: str = "sd", picture: np.ndarray = PICTURE, **asked: Any) -> np.ndarray:
    return engine.inpaint(picture, BLEND_MASK, model, Sampling(**{**FAST, **asked})).picture


def differs(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the hole's pixels."""
    return float((one != other)[BLEND_MASK > 0].any(1).mean())


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_it_works(model: str, chosen: Settings) -> None:
    made = filled(model)

    np.testing.assert_array_equal(made[BLEND_MASK == 0], PICTURE[BLEND_MASK == 0])
    assert differs(made, PICTURE) > 0.9
    np.testing.assert_array_equal(filled(model), made)
    assert differs(filled(model, seed=7), made) > 0.5
    np.testing.assert_array_equal(filled(model, seed=7), filled(model, seed=7))


def test_what_is_in_the_hole_does_not_matter(chosen: Settings) -> None:
    other = PICTURE.copy()
    other[BLEND_MASK > 0] = 255, 0, 0

    assert differs(filled("sd", other), filled()) == 0


@pytest.mark.parametrize(
    "asked",
    [{"prompt": "a sea"}, {"negative_prompt": "trees"}, {"steps": 3}, {"guidance": 1.5}, {"prompt": "a" * 1000}],
)
def test_each_option_changes_the_result(asked: dict[str, Any], chosen: Settings) -> None:
    assert differs(filled(seed=1, **asked), filled(seed=1)) > 0


@pytest.mark.parametrize("model", ["sd", "sdxl"])
def test_one_step_is_enough(model: str, chosen: Settings) -> None:
    assert differs(filled(model, steps=1), PICTURE) > 0.9


@pytest.mark.parametrize("size", [(1, 2), (700, 3), (15, 17), (513, 520)])
def test_takes_odd_sizes(size: tuple[int, int], chosen: Settings) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    blend_mask = np.full(size, 255, np.uint8)
    blend_mask[0, 0] = 0
    blend_mask[-1, -1] = 128

    made = engine.inpaint(picture, blend_mask, "sd", Sampling("a meadow", steps=1)).picture

    assert (made.shape, made.dtype) == (picture.shape, np.dtype(np.uint8))
    np.testing.assert_array_equal(made[0, 0], picture[0, 0])


def test_without_a_prompt_what_repeats_goes_on(chosen: Settings) -> None:
    y, x = np.mgrid[:300, :400]
    tiles = np.repeat((((x // 8 + y // 8) % 2) * 200)[..., None], 3, 2).astype(np.uint8)
    blend_mask = np.zeros((300, 400), np.uint8)
    blend_mask[130:160, 150:220] = 255

    alone, asked = (
        engine.inpaint(tiles, blend_mask, "sd", Sampling(prompt, steps=1)).picture for prompt in (None, "a meadow")
    )

    np.testing.assert_array_equal(alone, tiles)
    assert (asked != tiles)[blend_mask > 0].any(1).mean() > 0.9


def test_the_default_asks_for_nothing(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inpainting.engine.inpainters.diffusion.inpainter.STEPS", 2)

    made = engine.inpaint(PICTURE, BLEND_MASK, "sd").picture

    np.testing.assert_array_equal(made[BLEND_MASK == 0], PICTURE[BLEND_MASK == 0])
    assert differs(made, PICTURE) > 0.9


def test_nothing_is_asked_of_the_network(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("It opens a connection.")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    filled()


def test_other_models_take_no_prompt() -> None:
    with pytest.raises(OptionNotTaken, match="The model patchmatch takes no prompt; sd and sdxl do"):
        filled("patchmatch")


def test_opacity_is_never_invented(chosen: Settings) -> None:
    assert (door.plain_model("sd"), door.plain_model("patchmatch")) == ("hybrid", "patchmatch")
    chosen.INPAINT_MODEL = "sdxl"
    assert (door.plain_model(None), door.plain_model("sd")) == ("hybrid", "hybrid")
    chosen.INPAINT_MODEL = "patchmatch"
    assert door.plain_model("sd") == "patchmatch"


@pytest.mark.parametrize(("name", "side"), [("sd", 512), ("sdxl", 1024)])
def test_crops_are_squares_of_its_size_and_three_at_most(name: str, side: int) -> None:
    hole = np.zeros((3000, 4000), bool)
    hole[200:230, 100:3900] = hole[900:1500, 1000:1700] = hole[2500:2520, 30:60] = True

    regions = plan(hole, INPAINTERS[name].limits)

    assert 1 <= len(regions) <= 3
    assert all(max(r.crop.height // r.scale, r.crop.width // r.scale) <= side for r in regions)


# --- folders ----------------------------------------------------------------------------------------------------------


def test_without_a_folder_it_says_what_to_do(nothing_loaded: Settings) -> None:
    with pytest.raises(EngineUnavailable, match=r"Set SDXL_WEIGHTS to .*; manage\.py fetch_weights sdxl"):
        engine.load("sdxl")
    nothing_loaded.SD_WEIGHTS = "/nowhere/sd"
    with pytest.raises(EngineUnavailable, match="there is no diffusers folder at /nowhere/sd"):
        engine.load("sd")


def test_without_diffusers_it_says_what_to_do(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder.importlib.util, "find_spec", lambda _: None)  # type: ignore[attr-defined]

    assert not INPAINTERS["sd"].available()
    with pytest.raises(EngineUnavailable, match=r"pip install -r requirements-diffusion\.txt"):
        engine.load("sd")


def test_each_wants_its_own_kind(tiny_sd: Path, tiny_sdxl: Path) -> None:
    with pytest.raises(WeightsError, match="holds no Stable Diffusion XL for inpainting"):
        folder.check(tiny_sd, folder.SDXL)
    with pytest.raises(WeightsError, match="holds no Stable Diffusion for inpainting"):
        folder.check(tiny_sdxl, folder.SD)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("_class_name", ["mine", "StableDiffusionInpaintPipeline"], "names .'mine'"),
        ("_class_name", "FluxFillPipeline", "names 'FluxFillPipeline'"),
        ("unet", ["mine", "UNet2DConditionModel"], "as its unet, which is not let through"),
        ("unet", ["os", "system"], "as its unet, which is not let through"),
        ("scheduler", ["diffusers", "MyScheduler"], "as its scheduler, which is not let through"),
        ("another", ["diffusers", "AutoencoderKL"], "as its another, which is not let through"),
        ("vae", [["diffusers"], "AutoencoderKL"], "as its vae, which is not let through"),
        ("vae", None, "has no vae"),
    ],
)
def test_only_classes_on_the_list_are_let_through(name: str, value: object, said: str, copied: Path) -> None:
    (copied / "mine.py").write_text("raise SystemExit('It was run.')")
    index = json.loads((copied / "model_index.json").read_text())
    (copied / "model_index.json").write_text(json.dumps({**index, name: value}))

    with pytest.raises(WeightsError, match=said):
        folder.check(copied, folder.SD)


@pytest.mark.parametrize("text", ["no JSON", "[]"])
def test_an_index_that_is_none(text: str, copied: Path) -> None:
    (copied / "model_index.json").write_text(text)
    with pytest.raises(WeightsError, match="is no JSON"):
        folder.check(copied, folder.SD)


def test_pickles_are_not_read(chosen: Settings, copied: Path) -> None:
    weights = copied / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    chosen.SD_WEIGHTS = str(copied)

    assert not INPAINTERS["sd"].available()
    with pytest.raises(EngineUnavailable, match="unet has no weights in safetensors; other files are not read"):
        engine.load("sd")


def test_torn_weights_are_told(chosen: Settings, copied: Path) -> None:
    (copied / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"torn")
    chosen.SD_WEIGHTS = str(copied)
    with pytest.raises(EngineUnavailable, match="cannot be read by diffusers"):
        engine.load("sd")


def test_half_precision_files_alone(chosen: Settings, copied: Path) -> None:
    expected = filled()
    for file in copied.glob("*/*.safetensors"):
        file.rename(file.with_suffix(".fp16.safetensors"))
    door._desks = door.Desks()
    chosen.SD_WEIGHTS = str(copied)

    assert folder.check(copied, folder.SD).variant == "fp16"
    np.testing.assert_array_equal(filled(), expected)


def test_the_safety_checker_is_left_out(chosen: Settings, copied: Path) -> None:
    index = json.loads((copied / "model_index.json").read_text())
    checker = {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"], "requires_safety_checker": True}
    (copied / "model_index.json").write_text(json.dumps({**index, **checker}))
    chosen.SD_WEIGHTS = str(copied)

    assert differs(filled(), PICTURE) > 0.9
