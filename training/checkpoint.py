"""What training leaves on disk: the weights, ready for the service, and small notes to go on from, on any machine.

A compact LaMa's notes are about 8 bytes a parameter: weights as float16 differences from their average, Adam's state
in 8 bits. Both files are replaced whole or not at all, and hold tensors and numbers only.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from inpainting.engine.weights import WeightsError
from training.lama.trainer import Trainer

State = dict[str, Tensor]
# Adam's step is the ratio of its first moment to the root of the second. The ratio is near 1 and needs precision; the
# root differs by powers of ten from weight to weight and needs range.
RATIO, ROOT = torch.float8_e4m3fn, torch.float8_e5m2


def save_weights(trainer: Trainer, path: Path) -> None:
    """The averaged generator as safetensors in half precision: what LAMA_WEIGHTS may name."""
    written(path, lambda part: save_file(_halved(trainer.average), part))


def save_notes(trainer: Trainer, path: Path, about: dict[str, Any]) -> None:
    """Everything that `restore` needs. `about`: numbers and names of the run."""
    average = _halved(trainer.average)
    current = trainer.generator.state_dict()
    notes = {
        "about": about,
        "steps": (trainer.steps, trainer.adversarial_steps),
        "average": average,
        "difference": {name: _half(value.cpu() - average[name].to(value.dtype)) for name, value in current.items()},
        "discriminator": _halved(trainer.discriminator),
        "generator_adam": _moments(trainer.optimiser.adam),
        "generator_muon": _momenta(trainer.optimiser.muon),
        "discriminator_adam": _moments(trainer.discriminator_adam),
        "scaler": trainer.scaler.state_dict(),
    }
    written(path, lambda part: torch.save(notes, part))


def read_notes(path: Path) -> dict[str, Any]:
    """WeightsError: they are no notes of a training."""
    try:
        notes: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        notes["about"], notes["steps"], notes["average"]
    except Exception as error:  # the reader has errors of its own; all mean that this is not its kind of file
        raise WeightsError(f"{path} cannot be read as notes of a training: {error}") from error
    return notes


@torch.no_grad()
def restore(trainer: Trainer, notes: dict[str, Any]) -> None:
    """Go on from the notes of a trainer of the same form."""
    average: State = notes["average"]
    trainer.steps, trainer.adversarial_steps = notes["steps"]
    trainer.average.load_state_dict(average)
    difference: State = notes["difference"]
    trainer.generator.load_state_dict({name: average[name] + value.float() for name, value in difference.items()})
    trainer.discriminator.load_state_dict(notes["discriminator"])
    _restore_moments(trainer.optimiser.adam, notes["generator_adam"])
    _restore_momenta(trainer.optimiser.muon, notes["generator_muon"])
    _restore_moments(trainer.discriminator_adam, notes["discriminator_adam"])
    trainer.scaler.load_state_dict(notes["scaler"])


def written(path: Path, write: Callable[[Path], object]) -> None:
    """Whole or not at all: a machine that is switched off leaves the file before it."""
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


def _halved(module: nn.Module) -> State:
    return {name: _half(value.cpu()) for name, value in module.state_dict().items()}


def _half(value: Tensor) -> Tensor:
    """Kernels in half precision; BatchNorm's few numbers, which may be large, as they are."""
    return (value.half() if value.ndim == 4 else value.clone()).contiguous()


def _moments(adam: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """Adam's state for each parameter in order; empty for what it has not seen yet."""
    return [_moment(adam.state[parameter]) if parameter in adam.state else {} for parameter in _parameters(adam)]


def _moment(state: State) -> dict[str, Any]:
    root = state["exp_avg_sq"].sqrt()
    scale = float(root.max()) / torch.finfo(ROOT).max or 1.0
    root = (root / scale).to(ROOT)
    # The ratio to the root as it will be read, so that its rounding changes no step.
    ratio = state["exp_avg"] / (root.float() * scale).clamp_min(torch.finfo(torch.float32).tiny)
    ratio = ratio.clamp(-torch.finfo(RATIO).max, torch.finfo(RATIO).max).to(RATIO)
    return {"step": float(state["step"]), "ratio": ratio.cpu(), "root": root.cpu(), "scale": scale}


def _restore_moments(adam: torch.optim.Optimizer, moments: list[dict[str, Any]]) -> None:
    for parameter, saved in zip(_parameters(adam), moments, strict=True):
        if saved:
            root = saved["root"].float() * saved["scale"]
            adam.state[parameter] = {
                "step": torch.tensor(saved["step"], device=parameter.device),
                "exp_avg": torch.empty_like(parameter).copy_(saved["ratio"].float() * root),
                "exp_avg_sq": torch.empty_like(parameter).copy_(root.square()),
            }


def _momenta(muon: torch.optim.Muon) -> list[State]:
    """Muon's state for each matrix in order: bfloat16, whose range holds what float16's would lose."""
    return [
        {"momentum_buffer": muon.state[matrix]["momentum_buffer"].to("cpu", torch.bfloat16)}
        if matrix in muon.state
        else {}
        for matrix in _parameters(muon)
    ]


def _restore_momenta(muon: torch.optim.Muon, momenta: list[State]) -> None:
    for matrix, saved in zip(_parameters(muon), momenta, strict=True):
        if saved:
            buffer = torch.empty_like(matrix).copy_(saved["momentum_buffer"])
            muon.state[matrix] = {"momentum_buffer": buffer}


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
