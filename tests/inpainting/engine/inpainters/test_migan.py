"""MI-GAN of the real architecture with random weights: its files, its shapes, and its way through the door."""

from pathlib import Path

import numpy as np
import pytest
import torch
from pytest_django import Settings
from safetensors.torch import save_file

from inpainting import engine
from inpainting.engine import EngineUnavailable
from inpainting.engine.crops.plan import plan
from inpainting.engine.inpainters.migan.inpainter import load
from inpainting.engine.inpainters.migan.network import Migan, masked_input
from inpainting.engine.registry import INPAINTERS
from inpainting.engine.weights import WeightsError
from tests.pictures import photo


@pytest.fixture(scope="module")
def network() -> Migan:
    torch.manual_seed(0)
    return Migan().eval().requires_grad_(False)


@pytest.fixture
def file(network: Migan, tmp_path: Path) -> Path:
    save_file(network.state_dict(), tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def test_it_works(nothing_loaded: Settings, file: Path) -> None:
    nothing_loaded.MIGAN_WEIGHTS = str(file)
    picture, blend_mask = photo(700, 300), np.zeros((300, 700), np.uint8)
    blend_mask[100:140, 30:650] = 255

    first, again = (engine.inpaint(picture, blend_mask, "migan").picture for _ in range(2))

    np.testing.assert_array_equal(first[blend_mask == 0], picture[blend_mask == 0])
    assert (first[blend_mask > 0] != picture[blend_mask > 0]).any(1).mean() > 0.9
    np.testing.assert_array_equal(first, again)


def test_what_is_in_the_hole_does_not_matter(network: Migan) -> None:
    image, hole = torch.rand(1, 3, 512, 512), torch.zeros(1, 1, 512, 512)
    hole[..., 200:300, 200:300] = 1
    other = image.clone()
    other[..., 200:300, 200:300] = 0

    assert torch.equal(network(masked_input(image, hole)), network(masked_input(other, hole)))


@pytest.mark.parametrize("kind", ["traced", "checkpoint"])
def test_reads_what_is_published(kind: str, network: Migan, tmp_path: Path) -> None:
    path = tmp_path / "published.pt"
    if kind == "traced":
        torch.jit.save(torch.jit.trace(network, torch.zeros(1, 4, 512, 512), check_trace=False), path)
    else:
        torch.save(network.state_dict(), path)

    made = load(path).state_dict()

    assert all(torch.equal(value, made[name]) for name, value in network.state_dict().items())


def test_refuses_other_files(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="no MI-GAN of 512 pixels"):
        load(tmp_path / "other.safetensors")
    (tmp_path / "torn.pt").write_bytes(b"torn")
    with pytest.raises(WeightsError, match="cannot be read"):
        load(tmp_path / "torn.pt")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("", "Run manage.py fetch_weights migan, or set MIGAN_WEIGHTS"), ("/nowhere/m.pt", "no weights at /nowhere/m.pt")],
)
def test_without_weights_it_says_what_to_do(wanted: str, said: str, nothing_loaded: Settings) -> None:
    nothing_loaded.MIGAN_WEIGHTS = wanted
    with pytest.raises(EngineUnavailable, match=said):
        engine.load("migan")


def test_what_lies_in_its_place_is_checked(nothing_loaded: Settings) -> None:
    nothing_loaded.WEIGHTS_DIR.mkdir()
    (nothing_loaded.WEIGHTS_DIR / "migan_traced.pt").write_bytes(b"another")
    with pytest.raises(EngineUnavailable, match=r"has the MD5 .* instead of 76eb3b1a"):
        engine.load("migan")


def test_crops_are_squares_of_its_size() -> None:
    hole = np.zeros((2000, 3000), bool)
    hole[50:60, 100:2900] = hole[900:1500, 1000:1700] = True

    regions = plan(hole, INPAINTERS["migan"].limits)

    assert regions
    assert {(r.crop.height // r.scale, r.crop.width // r.scale) for r in regions} == {(512, 512)}
