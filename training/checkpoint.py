"""The files of a training. Each is replaced whole or not at all, and holds tensors, numbers and names only."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from inpainting.engine.weights import WeightsError


def save(state: dict[str, Any], path: Path) -> None:
    """What `read` gives back."""
    write_whole(path, lambda part: torch.save(state, part))


def read(path: Path) -> dict[str, Any]:
    """A trainer's state, on the CPU. WeightsError: the file holds none."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state["origin"], state["step"], state["net"]
    except Exception as error:  # the reader has errors of its own; all mean that this is not its kind of file
        raise WeightsError(f"{path} cannot be read as a checkpoint of a training: {error}") from error
    return state


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside it, then put that in its place: a machine that is switched off loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
