"""Reads checkpoints of others: safetensors, TorchScript, what torch.save wrote. Runs no code found in them."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from inpainting.engine.weights import WeightsError


class Ignored:
    """Stands for whatever class a training checkpoint names besides tensors: it keeps nothing and does nothing."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


def generator(path: Path, first: str, what: str) -> dict[str, Tensor]:
    """The tensors of a generator by its own names. `first`: one of those; what stands before it is the file's prefix.

    WeightsError: the file is no checkpoint, or holds none.
    """
    try:
        tensors = read(path)
    except Exception as error:  # every reader has errors of its own; all mean that this is not its kind of file
        raise WeightsError(f"{path.name} cannot be read as a checkpoint: {error}") from error
    prefix = next((key.removesuffix(first) for key in tensors if key.endswith(first)), None)
    if prefix is None:
        raise WeightsError(f"{path.name} holds no {what}: no key ends in {first}.")
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


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
