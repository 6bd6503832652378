"""Muon for a convolutional network, which learns two to four times as much from a step as Adam (docs/training.md)."""

from typing import Any

import torch
from torch import Tensor, nn

BETAS = (0.9, 0.99)  # of Adam
LONGEST = 1.0  # norm of all gradients together; longer ones are shortened to it


class Optimiser:
    """Muon for the inner convolutions, as matrices; AdamW for the first, the last, and everything that is no matrix.

    Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, with Liu et al.'s scale ("Muon is
    Scalable for LLM Training", 2025), by which one rate suits both. The network lies channels last.
    """

    def __init__(self, net: nn.Module, rate: float, decay: float) -> None:
        """`net` names its layers in the order in which they compute; what needs no gradient stays as it is."""
        trained = [p for p in net.parameters() if p.requires_grad]
        first, *self._weights, last = (p for p in trained if p.dim() == 4)
        rest = [first, last, *(p for p in trained if p.dim() != 4)]
        # Matrices share their memory with the weights: a step on one is a step on the other.
        self._matrices = [nn.Parameter(_matrix(p.detach())) for p in self._weights]
        self.muon = torch.optim.Muon(self._matrices, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        self.adam = torch.optim.AdamW(rest, rate, betas=BETAS, weight_decay=decay, fused=True)

    def zero_grad(self) -> None:
        for weight in self._weights:
            weight.grad = None
        self.adam.zero_grad(set_to_none=True)

    def step(self, rate: float, scaler: torch.amp.GradScaler) -> None:
        """`scaler`: what the loss was scaled by before its gradients were taken. It is to be updated afterwards."""
        for weight, matrix in zip(self._weights, self._matrices, strict=True):
            matrix.grad = _matrix(weight.grad) if weight.grad is not None else None
        both = (self.muon, self.adam)
        groups = [group for one in both for group in one.param_groups]
        for one in both:
            scaler.unscale_(one)
        nn.utils.clip_grad_norm_([parameter for group in groups for parameter in group["params"]], LONGEST)
        for group in groups:
            group["lr"] = rate
        for one in both:
            scaler.step(one)

    def state_dict(self) -> dict[str, Any]:
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])


def _matrix(weight: Tensor) -> Tensor:
    """A convolution's weight (out, in, h, w) as (out, h * w * in)."""
    return weight.permute(0, 2, 3, 1).flatten(1)
