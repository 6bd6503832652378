"""The generator against an independent implementation of the same paper (litelama, on PyPI)."""

import importlib
import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from inpainting.engine.inpainters.lama.network import Lama, LamaConfig, masked_input
from tests.inpainting.engine.conftest import random_lama


@pytest.fixture(scope="session")
def ffc() -> ModuleType:
    """litelama.ffc, without the package's own __init__ (it wants a downloader, OpenCV and a YAML reader)."""
    spec = importlib.util.find_spec("litelama")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("litelama is not installed: pip install --no-deps -r requirements-reference.txt")
    package = ModuleType("litelama")
    package.__path__ = list(spec.submodule_search_locations)
    # Only a layer that big-lama does not use rotates pictures.
    kornia = {"kornia": ModuleType("kornia"), "kornia.geometry": ModuleType("kornia.geometry")}
    transform = SimpleNamespace(rotate=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "litelama", package)
        for name, module in (kornia | {"kornia.geometry.transform": transform}).items():
            patch.setitem(sys.modules, name, module)
        return importlib.import_module("litelama.ffc")


def reference(ffc: ModuleType, config: LamaConfig) -> nn.Module:
    """The official configuration of big-lama, at another width and depth."""
    local = {"ratio_gin": 0, "ratio_gout": 0, "enable_lfu": False}
    generator: nn.Module = ffc.FFCResNetGenerator(
        4,
        3,
        ngf=config.ngf,
        n_downsampling=3,
        n_blocks=config.n_blocks,
        init_conv_kwargs=local,
        downsample_conv_kwargs=local,
        resnet_conv_kwargs={"ratio_gin": 0.75, "ratio_gout": 0.75, "enable_lfu": False},
        add_out_act="sigmoid",
    )
    return generator.eval()


@pytest.mark.parametrize("size", [(16, 16), (64, 48), (72, 120)])
@pytest.mark.parametrize("config", [LamaConfig(8, 2), LamaConfig(32, 6)])
def test_it_works(ffc: ModuleType, config: LamaConfig, size: tuple[int, int]) -> None:
    ours, theirs = random_lama(config), reference(ffc, config)
    theirs.load_state_dict(ours.state_dict())
    x = masked_input(torch.rand(2, 3, *size), (torch.rand(2, 1, *size) > 0.5).float())
    with torch.inference_mode():
        assert (ours(x) - theirs(x)).abs().max() <= 1e-4


def test_has_the_official_keys_and_shapes_at_the_size_of_big_lama(ffc: ModuleType) -> None:
    with torch.device("meta"):
        ours, theirs = Lama(LamaConfig()).state_dict(), reference(ffc, LamaConfig()).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
    assert next(iter(ours)) == "model.1.ffc.convl2l.weight"


def test_learns_as_the_reference_does(ffc: ModuleType) -> None:
    config = LamaConfig(8, 1)
    ours, theirs = random_lama(config).train(), reference(ffc, config).train()
    theirs.load_state_dict(ours.state_dict())
    x = torch.rand(2, 4, 32, 32)
    for net in (ours, theirs):
        net(x).square().mean().backward()
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name].grad, rtol=1e-3, atol=1e-5, msg=name)


def test_runs_under_bfloat16_autocast() -> None:
    x = torch.rand(1, 4, 32, 32)
    lama = random_lama(LamaConfig(8, 1))
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        assert lama(x).isfinite().all()


def test_hides_what_lies_in_the_hole() -> None:
    hole = torch.zeros(1, 1, 8, 8)
    hole[..., 2:5, 2:5] = 1
    x = masked_input(torch.ones(1, 3, 8, 8), hole)
    assert torch.equal(x[:, 3:], hole)
    assert torch.equal(x[:, :3], (1 - hole).expand(-1, 3, -1, -1))
