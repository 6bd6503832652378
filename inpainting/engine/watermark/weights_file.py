"""The weights file of a watermark network: its convolutions, and the thresholds that were chosen for it."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from inpainting.engine.watermark.components import LogisticModel, Thresholds
from inpainting.engine.watermark.network import Unblend, UnblendConfig
from inpainting.engine.weights import WeightsError


def thresholds(about: dict[str, str]) -> Thresholds:
    """What a weights file says of them."""
    kept = json.loads(about["thresholds"])
    return Thresholds(
        extent=kept["extent"],
        sure=kept["sure"],
        likely=kept["likely"],
        extent_in_mask=kept["asked"],
        component=logistic(**kept["evidence"]),
        mask_part=logistic(**kept["masked"]),
    )


def logistic(constant: float, **coefficients: float) -> LogisticModel:
    return LogisticModel(constant, coefficients)


def as_json(thresholds: Thresholds) -> str:
    """The inverse of `thresholds`: files keep the names that they have always had."""
    component, mask_part = thresholds.component, thresholds.mask_part
    kept = {
        "extent": thresholds.extent,
        "sure": thresholds.sure,
        "likely": thresholds.likely,
        "asked": thresholds.extent_in_mask,
        "evidence": {"constant": component.constant, **component.coefficients},
        "masked": {"constant": mask_part.constant, **mask_part.coefficients},
    }
    return json.dumps(kept)


def read(path: Path) -> tuple[Unblend, dict[str, str]]:
    """The network in evaluation mode and fp32, and what the file says about it. WeightsError: it is no such file."""
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        config = UnblendConfig(**{name: tuple(sizes) for name, sizes in json.loads(about["config"]).items()})
        thresholds(about)
        net = Unblend(config)
        net.load_state_dict({name: state[name].to(value.dtype) for name, value in net.state_dict().items()})
    except Exception as error:  # a missing file, another format, other keys or shapes: all mean the same to the caller
        raise WeightsError(f"{path.name} cannot be read as a watermark network: {error}") from error
    return net.eval().requires_grad_(False), about


def write(path: Path, net: Unblend, thresholds: Thresholds, about: dict[str, str]) -> None:
    """Convolutions in half precision, statistics in single: half the size, and no difference that shows in uint8."""
    state = {
        name: value.detach().cpu().to(torch.float16 if value.dim() == 4 else value.dtype).contiguous()
        for name, value in net.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"config": json.dumps(asdict(net.config)), "thresholds": as_json(thresholds)}
    save_file(state, path, kept | about)
