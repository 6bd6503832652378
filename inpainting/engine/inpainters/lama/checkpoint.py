"""Reads LaMa checkpoints: safetensors, the TorchScript release, the training checkpoint. Runs no code found in them."""

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from inpainting.engine.weights import WeightsError

FIRST = "model.1.ffc.convl2l.weight"  # (ngf, 4, 7, 7); what stands before it is the file's prefix
BLOCK = re.compile(r"model\.\d+\.conv1\.ffc\.convl2l\.weight")


class Ignored:
    """Stands for whatever class a training checkpoint names besides tensors: it keeps nothing and does nothing."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


def load(path: Path) -> Lama:
    """The generator in a file, in evaluation mode and fp32; its width and depth are told from the shapes.

    WeightsError: the file is no checkpoint of this network.
    """
    try:
        tensors = read(path)
    except Exception as error:  # every reader has errors of its own; all mean that this is not its kind of file
        raise WeightsError(f"{path.name} cannot be read as a checkpoint: {error}") from error
    prefix = next((key.removesuffix(FIRST) for key in tensors if key.endswith(FIRST)), None)
    if prefix is None:
        raise WeightsError(f"{path.name} holds no LaMa generator: no key ends in {FIRST}.")
    state = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    blocks = sum(bool(BLOCK.fullmatch(key)) for key in state)
    with torch.device("meta"):
        lama = Lama(LamaConfig(ngf=len(state[FIRST]), n_blocks=blocks))
    expected = lama.state_dict()
    wrong = [key for key, value in expected.items() if key in state and state[key].shape != value.shape]
    wrong += [key for key in expected if key not in state and not key.endswith("num_batches_tracked")]
    if wrong:
        raise WeightsError(f"{path.name} is no LaMa generator of this form: {wrong[0]} is missing or of another shape.")
    lama.to_empty(device="cpu").load_state_dict({key: state.get(key, torch.tensor(0)) for key in expected})
    return lama.eval().requires_grad_(False)


def read(path: Path) -> Mapping[str, Tensor]:
    """A file's tensors by name. Raises whatever its reader raises."""
    if path.suffix == ".safetensors":
        return load_file(path)
    if zipfile.is_zipfile(path) and _is_torchscript(path):
        return torch.jit.load(path, map_location="cpu").state_dict()
    names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    with torch.serialization.safe_globals([(Ignored, name) for name in names]):
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint.get("state_dict", checkpoint)


def _is_torchscript(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())
