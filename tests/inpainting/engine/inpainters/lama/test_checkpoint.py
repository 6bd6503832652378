"""Every layout in which LaMa's weights are found, and what is no such file."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.networks import Release
from inpainting.engine.inpainters.lama.checkpoint import load
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from inpainting.engine.weights import WeightsError
from tests.inpainting.engine.conftest import random_lama


class Callback:
    """What a training checkpoint carries besides tensors."""


def assert_same(lama: Lama, expected: Lama) -> None:
    assert lama.config == expected.config
    assert not lama.training
    state = expected.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in lama.state_dict().items())
    assert all(value.dtype == state[key].dtype for key, value in lama.state_dict().items())


def test_it_works(small_weights: Path, small_lama: Lama) -> None:
    assert_same(load(small_weights), small_lama)


@pytest.mark.slow
@pytest.mark.parametrize("config", [LamaConfig(8, 1), LamaConfig(16, 3)])
def test_reads_the_torchscript_release(config: LamaConfig, tmp_path: Path) -> None:
    lama, path = random_lama(config), tmp_path / "big-lama.pt"
    script = torch.jit.trace(Release(lama), (torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32)))
    assert "model.generator.model.1.ffc.convl2l.weight" in script.state_dict()
    script.save(path)
    assert_same(load(path), lama)


def test_reads_the_training_checkpoint_and_runs_none_of_its_classes(small_lama: Lama, tmp_path: Path) -> None:
    path = tmp_path / "best.ckpt"
    state = {f"generator.{key}": value for key, value in small_lama.state_dict().items()}
    state["discriminator.model0.0.weight"] = torch.zeros(3)
    torch.save({"epoch": 40, "state_dict": OrderedDict(state), "callbacks": {Callback: Callback()}}, path)
    assert_same(load(path), small_lama)


def test_reads_half_precision_as_single(small_lama: Lama, tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    save_file({key: value.half() for key, value in small_lama.state_dict().items()}, path)
    assert {value.dtype for value in load(path).parameters()} == {torch.float32}


def test_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "owned",)  # type: ignore[return-value]

    torch.save({"state_dict": Evil()}, tmp_path / "evil.ckpt")
    with pytest.raises(WeightsError):
        load(tmp_path / "evil.ckpt")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("name", ["a.pt", "a.ckpt", "a.safetensors"])
@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 torn"])
def test_refuses_what_is_no_checkpoint(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name} cannot be read"):
        load(tmp_path / name)


def test_refuses_another_network(tmp_path: Path) -> None:
    save_file({"conv.weight": torch.zeros(3)}, tmp_path / "unet.safetensors")
    with pytest.raises(WeightsError, match="holds no LaMa generator"):
        load(tmp_path / "unet.safetensors")


def test_refuses_a_checkpoint_that_lacks_a_layer(small_lama: Lama, tmp_path: Path) -> None:
    state = small_lama.state_dict()
    del state["model.5.conv1.bn_g.bias"]
    save_file(state, tmp_path / "torn.safetensors")
    with pytest.raises(WeightsError, match=r"model\.5\.conv1\.bn_g\.bias is missing"):
        load(tmp_path / "torn.safetensors")
