"""One step of LaMa's training: a generator against a discriminator that joins late.

Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions", WACV 2022, scaled down: the
losses look at the composite, which is what users see.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from inpainting.engine.inpainters.lama.network import Lama, masked_input
from training import losses
from training.checkpoint import write_whole
from training.data.batches import Batch, Batches, Crops
from training.features import Features
from training.lama.comparison import Comparison
from training.lama.discriminator import Discriminator
from training.lama.generator import trainable
from training.optimiser import BETAS
from training.trainer import Losses, Recipe, Trainer

L1_HOLE, L1_KNOWN, PERCEPTUAL, ADVERSARIAL, FEATURE_MATCHING, R1 = 4.0, 1.5, 1.5, 0.15, 2.0, 0.001
BLOCKS = 3  # of the features; deeper ones cost more than they tell of texture
DISCRIMINATOR_RATE = 1e-4
PENALISED = 16  # the gradient penalty is taken every so many steps, so many times as strong
JOINING = 500  # steps in which a new discriminator gains its full say

Judged = tuple[Tensor, list[Tensor]]  # a discriminator's score and features


@dataclass(frozen=True)
class Stage:
    """What differs between training from nothing and going on from good weights."""

    rate: float = 1.5e-3  # the learning rate at its highest
    adversarial_from: float = 2 / 3  # share of the run after which the discriminator joins
    statistics: bool = True  # BatchNorm learns; where the batch is small, good weights' own statistics are better


FROM_NOTHING = Stage()
# Weights that were trained against a discriminator blur when they are trained without one.
FINE_TUNING = Stage(rate=1e-4, adversarial_from=0.0, statistics=False)


class LamaTrainer(Trainer[Lama, Batch]):
    PARTS: ClassVar = (*Trainer.PARTS, "discriminator", "discriminator_adam")
    COUNTS: ClassVar = (*Trainer.COUNTS, "adversarial_steps")
    DECAY: ClassVar = 0.0

    def __init__(self, lama: Lama, recipe: Recipe, stage: Stage, pictures: tuple[Crops, Crops], origin: str) -> None:
        """`pictures`: to learn from, and to be judged by."""
        super().__init__(trainable(lama), recipe, origin)
        self.stage, (self.crops, self.held_out) = stage, pictures
        self.features = Features().to(self.device)
        self.discriminator = Discriminator(lama.config.ngf).to(self.device)
        self.discriminator_adam = torch.optim.Adam(
            self.discriminator.parameters(), DISCRIMINATOR_RATE, BETAS, fused=True
        )
        self.adversarial_steps = 0
        if not stage.statistics:
            for module in self.net.modules():
                module.train(not isinstance(module, nn.BatchNorm2d))

    def batches(self, progress: Tensor) -> Generator[Batch]:
        recipe = self.recipe
        return Batches(self.crops, recipe.side, recipe.batch, recipe.workers).start(self.step, self.device)

    def learn(self, batch: Batch) -> Losses:
        """From (B, 3, H, W) RGB in 0..1 and (B, 1, H, W) of 0 and 1."""
        image, hole = batch
        real = self._discriminated(image) if self.progress >= self.stage.adversarial_from else None
        composite, found = self._teach_generator(image, hole, real)
        if real:
            found["discriminator"] = self._teach_discriminator(image, composite, hole, real)
            self.adversarial_steps += 1
        return found

    @cached_property
    def comparison(self) -> Comparison:
        return Comparison.of(self.held_out, self.recipe.side, self.features)

    def check(self) -> dict[str, float]:
        """Of the network and of a smooth fill, in the holes; and the share of channels that do nothing."""
        score, smooth = self.comparison.score(self.average), self.comparison.smooth
        return {
            "hole": score.hole,
            "distance": score.distance,
            "push_pull_hole": smooth.hole,
            "push_pull_distance": smooth.distance,
            "dead": self.comparison.dead(self.average),
        }

    def write(self, out: Path, say: Callable[[str], None]) -> None:
        self.preview(out)

    def preview(self, out: Path) -> None:
        """What LAMA_WEIGHTS may name: kernels in half precision; BatchNorm's few, maybe large numbers as they are."""
        state = {
            name: (value.half() if value.ndim == 4 else value.clone()).cpu().contiguous()
            for name, value in self.average.state_dict().items()
        }
        write_whole(out, lambda part: save_file(state, part))

    def _teach_generator(self, image: Tensor, hole: Tensor, real: Judged | None) -> tuple[Tensor, Losses]:
        """The composite, detached. `real`: what the discriminator says of the real pictures, once it has joined."""
        with self.autocast():
            made = self.net(masked_input(image, hole)).float()
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
        self.descend(torch.stack(list(parts.values())).sum())
        return composite.detach(), {name: value.detach() for name, value in parts.items()}

    def _perceptual(self, composite: Tensor, image: Tensor, hole: Tensor) -> Tensor:
        half = max(1, len(image) // 2)  # the features cost more than the generator: half a batch says enough
        with torch.no_grad():
            real = self.features(image[:half], BLOCKS)
        return losses.perceptual(self.features(composite[:half], BLOCKS), real, hole[:half])

    def _teach_discriminator(self, image: Tensor, made: Tensor, hole: Tensor, real: Judged) -> Tensor:
        loss = losses.discriminator_adversarial(real[0], self._discriminated(made)[0], hole)
        plain = loss.detach()
        if self.adversarial_steps % PENALISED == 0:
            some = image[: max(1, len(image) // 2)].detach().requires_grad_()
            # In full precision: it is a gradient of a gradient.
            loss = loss + losses.gradient_penalty(self.discriminator(some)[0], some) * R1 * PENALISED
        self.discriminator_adam.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.discriminator_adam)
        self.scaler.update()
        return plain

    def _discriminated(self, picture: Tensor) -> Judged:
        with self.autocast():
            return self.discriminator(picture)
