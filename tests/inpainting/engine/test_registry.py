"""What is said of a model agrees with what it is once it is loaded."""

from pathlib import Path

import pytest
from pytest_django import Settings
from safetensors.torch import save_file

from inpainting.engine import hardware
from inpainting.engine.inpainters.migan.network import Migan
from inpainting.engine.registry import DETECTOR, INPAINTERS


@pytest.fixture
def everything(nothing_loaded: Settings, small_weights: Path, tiny_sd: Path, tiny_sdxl: Path) -> None:
    """Weights of every model."""
    nothing_loaded.LAMA_WEIGHTS, nothing_loaded.PRECISION = str(small_weights), "fp32"
    migan = small_weights.with_name("migan.safetensors")
    save_file(Migan().state_dict(), migan)
    nothing_loaded.MIGAN_WEIGHTS = str(migan)
    nothing_loaded.SD_WEIGHTS, nothing_loaded.SDXL_WEIGHTS = str(tiny_sd), str(tiny_sdxl)


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("name", INPAINTERS)
def test_it_works(name: str) -> None:
    entry = INPAINTERS[name]

    model = entry.load()

    assert entry.name == name
    assert entry.available()
    assert (model.weights, model.precision) == (entry.weights(), entry.precision)
    assert 1 <= entry.slots(model) <= max(8, hardware.cores())
    assert entry.licence in ("MIT", "Apache-2.0") or (entry.samples and "OpenRAIL" in entry.licence)
    assert hasattr(model, "sample") == entry.samples


def test_memory_is_told_before_weights_are_fetched(nothing_loaded: Settings, small_weights: Path) -> None:
    assert INPAINTERS["lama"].megabytes() == pytest.approx(411, abs=1)  # big-lama, which would be fetched
    nothing_loaded.LAMA_WEIGHTS = str(small_weights)
    assert INPAINTERS["lama"].megabytes() == pytest.approx(2 * small_weights.stat().st_size / 1e6)
    assert 0 < INPAINTERS["hybrid"].megabytes() < 50
    assert 0 < DETECTOR.megabytes() < 100
    assert INPAINTERS["patchmatch"].megabytes() == 0
