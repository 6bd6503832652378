"""Trains the watermark network."""

import json
from collections.abc import Callable, Generator
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.watermark.network import OPAQUE, NetworkOutput, Unblend
from inpainting.engine.watermark.weights_file import read, write
from training.data.examples import FULL, Batch, Examples, Maker
from training.data.stream import stream
from training.trainer import Losses, Recipe, Trainer, origin
from training.watermark.calibration import calibrate
from training.watermark.verdict import learn

HARDEST = 0.01  # share of a clean picture's pixels, the likeliest ones, that count once more


def loss(output: NetworkOutput, given: Batch) -> Tensor:
    """Cross-entropy and dice for where, L1 for opacity and colour, L1 for the picture below where it can be known.

    And false alarms once more, by their strongest pixels.
    """
    is_marked, counts = given.truth[:, :1], given.truth[:, 1:]
    area = is_marked.sum() + 1
    entropy = F.binary_cross_entropy_with_logits(output.logit, is_marked, counts)
    probability = output.logit.sigmoid()
    overlap = (probability * is_marked).sum((1, 2, 3))
    dice = 1 - (2 * overlap + 50) / ((probability * counts + is_marked).sum((1, 2, 3)) + 50)
    off = (output.opacity - given.opacity).abs()
    opacity = 2 * (off * is_marked).sum() / area + off.mean()
    colour = ((output.colour - given.colour).abs() * given.opacity * is_marked).sum() / (3 * area)
    known = (given.opacity < OPAQUE) * (1 - given.opacity)  # what shines through weakly, JPEG has spoilt
    restored = output.below(given.marked)
    below = ((restored - given.clean).abs() * known * is_marked).sum() / (3 * (known * is_marked).sum() + 1)
    whole = (torch.lerp(given.marked, restored, probability) - given.clean).abs() * (given.opacity < OPAQUE)
    where = 2 * entropy + dice.mean() + 0.5 * alarm(output, is_marked)
    return where + opacity + 2 * colour + 6 * below + 10 * whole.mean()


def alarm(output: NetworkOutput, is_marked: Tensor) -> Tensor:
    """Cross-entropy of the likeliest pixels of pictures without a mark, of all pixels by which a picture is judged.

    (Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example Mining", CVPR 2016.)
    """
    hardest = output.logit.flatten(1).topk(max(1, int(HARDEST * output.logit[0].numel())), sorted=False).values
    return (F.softplus(hardest).mean(1) * (is_marked.amax((1, 2, 3)) == 0)).mean()


class UnblendTrainer(Trainer[Unblend, Batch]):
    def __init__(self, recipe: Recipe, data: Path, start: Path | None = None, verdict: int = 6000) -> None:
        """`verdict`: pictures from which that is learned, once all else is."""
        torch.manual_seed(0)
        net = Unblend()
        if start:
            begun = read(start)[0].state_dict()
            net.load_state_dict(net.state_dict() | begun)  # blocks that it lacks begin as the identity
        super().__init__(net, recipe, origin(start))
        self.data, self.verdict = data, verdict

    def batches(self, progress: Tensor) -> Generator[Batch]:
        recipe = self.recipe
        return stream(Examples(self.data, "train", recipe.side, recipe.batch, self.step, progress), recipe.workers)

    def learn(self, batch: Batch) -> Losses:
        given = Batch(*(column.to(self.device, non_blocking=True) for column in batch))
        with self.autocast():
            output = self.net(given.marked.contiguous(memory_format=torch.channels_last), given.told)
        value = loss(output, given)
        self.descend(value)
        return {"loss": value.detach()}

    @cached_property
    def held_out(self) -> Batch:
        return check_set(self.data, self.recipe.side)

    def check(self) -> dict[str, float]:
        return check(self.average, self.held_out)

    def write(self, out: Path, say: Callable[[str], None]) -> None:
        """The moving average as weights, with its verdict, thresholds chosen on held-out pictures, and what training
        it has had.
        """
        learn(self.average, self.data, self.verdict, say)
        write(out, self.average, calibrate(self.average, self.data), self.about() | {"curve": json.dumps(self.curve)})


def check_set(data: Path, side: int) -> Batch:
    """The same 64 held-out examples each time; nothing is told about them."""
    given = Maker(data, "held-out").batch(np.random.default_rng(2), FULL, side, 64)
    return given._replace(told=torch.zeros_like(given.told))


@torch.inference_mode()
def check(net: Unblend, given: Batch) -> dict[str, float]:
    """F1 of the mask at 0.5, and dB of the marked pixels of opacity up to 0.6, before and after."""
    device = next(net.parameters()).device
    given = Batch(*(column.to(device) for column in given))
    output = net(given.marked, given.told)
    said, is_marked, counts = output.logit > 0, given.truth[:, :1] > 0, given.truth[:, 1:] > 0
    right = (said & is_marked & counts).sum()
    restored = torch.where(said, output.below(given.marked), given.marked)
    where = (is_marked & (given.opacity <= 0.6)).expand_as(given.clean)
    before, after = ((one - given.clean)[where].square().mean() for one in (given.marked, restored))
    return {
        "f1": float(2 * right / ((said & counts).sum() + is_marked.sum()).clamp(min=1)),
        "before": float(-10 * before.log10()),
        "after": float(-10 * after.log10()),
    }
