"""One step of LaMa's training: losses, two optimisers, and the average of the weights that is kept.

Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions", WACV 2022, scaled down: the
losses look at the composite, which is what users see, and the discriminator joins late.
"""

import math
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inpainting.engine.hardware import has_fast_bf16
from inpainting.engine.inpainters.lama.network import Lama, masked_input
from training import losses
from training.features import Features
from training.lama.discriminator import Discriminator
from training.lama.generator import trainable
from training.optimiser import BETAS, Optimiser

L1_HOLE, L1_KNOWN, PERCEPTUAL, ADVERSARIAL, FEATURE_MATCHING, R1 = 4.0, 1.5, 1.5, 0.15, 2.0, 0.001
BLOCKS = 3  # of the features; deeper ones cost more than they tell of texture
DISCRIMINATOR_RATE = 1e-4
AVERAGED = 0.997  # of the averaged weights is kept at each step
PENALISED = 16  # the gradient penalty is taken every so many steps, so many times as strong
JOINING = 500  # steps in which a new discriminator gains its full say
LEAST_RATE = 0.02  # of the peak, at the end

Losses = dict[str, Tensor]  # detached scalars
Judged = tuple[Tensor, list[Tensor]]  # a discriminator's score and features


@dataclass(frozen=True)
class Recipe:
    """What differs between training from nothing and going on from good weights."""

    rate: float = 1.5e-3  # peak learning rate
    warm_up: int = 200  # steps
    adversarial_from: float = 2 / 3  # share of the run after which the discriminator joins
    statistics: bool = True  # BatchNorm learns; where the batch is small, good weights' own statistics are better

    @classmethod
    def fine_tuning(cls) -> "Recipe":
        # Weights that were trained against a discriminator blur when they are trained without one.
        return cls(rate=1e-4, adversarial_from=0.0, statistics=False)


class Trainer:
    """Holds everything that a step changes. `checkpoint.py` writes it down."""

    def __init__(self, lama: Lama, features: Features, recipe: Recipe, device: torch.device) -> None:
        self.recipe, self.device, self.dtype = recipe, device, half_precision(device)
        self.generator = trainable(lama).to(device)
        self.average = deepcopy(self.generator).eval().requires_grad_(False)
        self.discriminator = Discriminator(lama.config.ngf).to(device)
        self.features = features.to(device)
        if not recipe.statistics:
            for module in self.generator.modules():
                module.train(not isinstance(module, nn.BatchNorm2d))
        self.optimiser = Optimiser(self.generator, recipe.rate)
        self.discriminator_adam = torch.optim.Adam(
            self.discriminator.parameters(), DISCRIMINATOR_RATE, BETAS, fused=True
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.dtype == torch.float16)
        self.steps = self.adversarial_steps = 0

    def step(self, image: Tensor, hole: Tensor, progress: float) -> Losses:
        """Learn from a batch: (B, 3, H, W) RGB in 0..1 and (B, 1, H, W) of 0 and 1; `progress`: 0..1 of the run."""
        real = self._discriminated(image) if progress >= self.recipe.adversarial_from else None
        made, found = self._generator_step(image, hole, real, self.rate(progress))
        if real:
            found |= self._discriminator_step(image, made, hole, real)
            self.adversarial_steps += 1
        self.steps += 1
        self._average()
        return found

    def rate(self, progress: float) -> float:
        """Warm-up, then a cosine."""
        cosine = (1 + math.cos(math.pi * min(1.0, progress))) / 2
        return self.recipe.rate * min(1.0, (self.steps + 1) / self.recipe.warm_up) * max(LEAST_RATE, cosine)

    def _generator_step(self, image: Tensor, hole: Tensor, real: Judged | None, rate: float) -> tuple[Tensor, Losses]:
        """`real`: what the discriminator says of the real pictures, once it has joined."""
        with self._autocast():
            made = self.generator(masked_input(image, hole)).float()
            composite = hole * made + (1 - hole) * image
            parts = {
                "hole": losses.l1(made, image, hole) * L1_HOLE,
                "known": losses.l1(made, image, 1 - hole) * L1_KNOWN,
                "perceptual": self._perceptual(composite, image, hole) * PERCEPTUAL,
            }
        if real:
            joined = min(1.0, self.adversarial_steps / JOINING)
            self.discriminator.requires_grad_(False)
            score, features = self._discriminated(composite)
            parts["adversarial"] = losses.generator_adversarial(score, hole) * ADVERSARIAL * joined
            parts["matching"] = losses.feature_matching(features, real[1]) * FEATURE_MATCHING * joined
            self.discriminator.requires_grad_(True)
        self.optimiser.zero_grad()
        self.scaler.scale(torch.stack(list(parts.values())).sum()).backward()
        self.optimiser.step(rate, self.scaler)
        self.scaler.update()
        return composite.detach(), {name: value.detach() for name, value in parts.items()}

    def _perceptual(self, composite: Tensor, image: Tensor, hole: Tensor) -> Tensor:
        half = max(1, len(image) // 2)  # the features cost more than the generator: half a batch says enough
        with torch.no_grad():
            real = self.features(image[:half], BLOCKS)
        return losses.perceptual(self.features(composite[:half], BLOCKS), real, hole[:half])

    def _discriminator_step(self, image: Tensor, made: Tensor, hole: Tensor, real: Judged) -> Losses:
        loss = losses.discriminator_adversarial(real[0], self._discriminated(made)[0], hole)
        found = {"discriminator": loss.detach()}
        if self.adversarial_steps % PENALISED == 0:
            some = image[: max(1, len(image) // 2)].detach().requires_grad_()
            # In full precision: it is a gradient of a gradient.
            loss = loss + losses.gradient_penalty(self.discriminator(some)[0], some) * R1 * PENALISED
        self.discriminator_adam.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.discriminator_adam)
        self.scaler.update()
        return found

    def _discriminated(self, picture: Tensor) -> Judged:
        with self._autocast():
            return self.discriminator(picture)

    @torch.no_grad()
    def _average(self) -> None:
        # Early on the average is of few steps, so that it does not remember how training began.
        kept = min(AVERAGED, (1 + self.steps) / (10 + self.steps))
        averaged, current = _floats(self.average), _floats(self.generator)
        torch._foreach_lerp_(averaged, current, 1 - kept)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def half_precision(device: torch.device) -> torch.dtype:
    """What the hardware multiplies fastest: bfloat16, float16 on older GPUs, float32 on CPUs that have neither."""
    if has_fast_bf16(device.type):
        return torch.bfloat16
    return torch.float16 if device.type == "cuda" else torch.float32


def _floats(module: nn.Module) -> list[Tensor]:
    """Parameters and statistics; not the counters."""
    return [value for value in module.state_dict().values() if value.is_floating_point()]
