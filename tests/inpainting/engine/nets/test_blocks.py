"""The files of the small networks."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inpainting.engine.inpainters import hybrid
from inpainting.engine.watermark import mending as refinement
from inpainting.engine.weights import WeightsError


@pytest.mark.parametrize("load", [hybrid.load, refinement.load])
def test_another_file_is_refused(load: Callable[[Path], object], tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")

    with pytest.raises(WeightsError, match=r"other\.safetensors"):
        load(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"missing\.safetensors"):
        load(tmp_path / "missing.safetensors")
