from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pytest_django import Settings
from safetensors.torch import save_file

from inpainting.engine import door
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig


def random_lama(config: LamaConfig, seed: int = 0) -> Lama:
    """A generator with random weights whose every BatchNorm differs from the identity, so that no layer is idle."""
    generator = torch.Generator().manual_seed(seed)
    lama = Lama(config).eval()
    for name, value in lama.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2, generator=generator)
        elif name.endswith(("running_mean", "bias")):
            value.normal_(0, 0.3, generator=generator)
        elif value.ndim == 1:
            value.uniform_(0.5, 1, generator=generator)  # BatchNorm's weight
        elif value.ndim == 4:
            value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=generator)
    return lama


@pytest.fixture(scope="session")
def small_lama() -> Lama:
    """Random weights: for tests of the path, never for users."""
    return random_lama(LamaConfig(ngf=8, n_blocks=2))


@pytest.fixture(scope="session")
def calibrated_lama() -> Lama:
    """Random weights, batch normalisation as training leaves it, so that every layer's features are of size 1."""
    lama = random_lama(LamaConfig(ngf=8, n_blocks=3))
    for module in lama.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train()
            module.momentum = 1.0
    with torch.inference_mode():
        lama(torch.rand(1, 4, 128, 128, generator=torch.Generator().manual_seed(0)))
    return lama.eval().requires_grad_(False)


@pytest.fixture
def small_weights(small_lama: Lama, tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    save_file(small_lama.state_dict(), path)
    return path


@pytest.fixture
def nothing_loaded(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An engine as a new process has it, without weights; gives the settings to change."""
    monkeypatch.setattr(door, "_desks", door.Desks())
    settings.INPAINT_MODEL, settings.LAMA_WEIGHTS, settings.WEIGHTS_DIR = "auto", "", tmp_path / "weights"
    settings.DATA_DIR, settings.MIGAN_WEIGHTS = tmp_path, ""
    settings.SD_WEIGHTS = settings.SDXL_WEIGHTS = ""
    settings.ENGINE_QUEUE, settings.ENGINE_WAIT, settings.PRECISION = 16, 60.0, "auto"
    return settings


@pytest.fixture(scope="session")
def scene() -> Callable[[int, int], np.ndarray]:
    """A picture with edges, gradients and grain, (height, width) -> (H, W, 3)."""

    def make(height: int, width: int) -> np.ndarray:
        y, x = np.mgrid[:height, :width]
        stripes = (x // 9 + y // 14) % 2 * 90
        grain = np.random.default_rng(0).integers(0, 30, (height, width))
        return np.stack([stripes + x % 120, 200 - stripes + grain, y % 200 + grain], axis=2).astype(np.uint8)

    return make
