"""Random weights behave like trained ones, and one file says what the other says."""

from pathlib import Path

import pytest
import torch

from benchmarks import networks
from inpainting.engine.inpainters.lama.checkpoint import load
from inpainting.engine.inpainters.lama.network import LamaConfig, masked_input


@pytest.mark.slow
def test_it_works(tmp_path: Path) -> None:
    lama = networks.calibrated(LamaConfig(ngf=8, n_blocks=2), side=64)
    image, hole = networks.tensors(64)
    made = lama(masked_input(image, hole))

    assert 0.1 < made.std() < 0.5
    for path in (networks.save(lama, tmp_path / "a.safetensors"), networks.save_release(lama, tmp_path / "a.pt")):
        torch.testing.assert_close(load(path)(masked_input(image, hole)), made)


@pytest.mark.slow
def test_the_release_takes_other_sizes_than_it_was_traced_with(tmp_path: Path) -> None:
    lama = networks.calibrated(LamaConfig(ngf=8, n_blocks=1), side=64)
    release = torch.jit.load(networks.save_release(lama, tmp_path / "a.pt"))
    image, hole = networks.tensors(96)
    expected = torch.where(hole > 0, lama(masked_input(image, hole)), image)

    torch.testing.assert_close(release(image, hole), expected)
