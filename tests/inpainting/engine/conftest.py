import pytest
import torch

from inpainting.engine.lama import Lama, LamaConfig


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
