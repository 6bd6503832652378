"""What a generator is trained on: pixels, features, and a discriminator. Every loss is a scalar tensor.

Shapes: pictures (B, 3, H, W), RGB in 0..1; holes (B, 1, H, W) of 0 and 1; scores (B, 1, h, w). Adversarial losses as
in LaMa (Suvorov et al., WACV 2022): non-saturating, with patches of the known picture counted as real, and a gradient
penalty on real pictures (Mescheder et al., "Which Training Methods for GANs do actually Converge?", ICML 2018).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def l1(made: Tensor, real: Tensor, where: Tensor) -> Tensor:
    """The mean difference of a channel's values where `where` is 1; 0 if it is nowhere."""
    # Channels are summed first: to multiply a mask of one channel with many costs more than the difference itself.
    return ((made - real).abs().sum(1, keepdim=True) * where).sum() / (where.sum() * made.shape[1]).clamp_min(1)


def discounted_l1(made: Tensor, real: Tensor, hole: Tensor, window: int = 17) -> Tensor:
    """The mean difference in the hole, where a pixel counts as little as few of those around it are known.

    What lies deep in a hole can only be guessed, and the mean of all guesses is grey (Yu et al., "Generative Image
    Inpainting with Contextual Attention", CVPR 2018, discount by the distance instead). The mean over pictures.
    """
    known = 1.05 - F.avg_pool2d(hole, window, 1, window // 2)
    off = (made - real).abs().mean(1, keepdim=True) * known * hole
    return (off.sum((1, 2, 3)) / hole.sum((1, 2, 3)).clamp_min(1)).mean()


def unlike(pairs: list[tuple[Tensor, Tensor]], hole: Tensor) -> Tensor:
    """How far features of unit length are apart in the hole: squared, the mean over blocks; one number a picture."""
    total = hole.new_zeros(())
    for a, b in pairs:
        inside = F.adaptive_max_pool2d(hole, a.shape[-2:])
        off = (F.normalize(a.float(), dim=1) - F.normalize(b.float(), dim=1)).square().sum(1, keepdim=True)
        total = total + (off * inside).sum((1, 2, 3)) / inside.sum((1, 2, 3)).clamp_min(1)
    return total / len(pairs)


def texture(pairs: list[tuple[Tensor, Tensor]], hole: Tensor, window: int) -> Tensor:
    """How far the features' means over windows of so many pixels are from the real ones, relative to those.

    That leaves open where a blade of grass stands, but not how many there are: grey is no grass. Without it a network
    washes out what it cannot know. Windows overlap by half. The mean over blocks and pictures.
    """
    found = []
    for a, b in pairs:
        inside = F.adaptive_max_pool2d(hole, a.shape[-2:])
        side = window * a.shape[-1] // hole.shape[-1]
        mean_a, mean_b = (F.avg_pool2d(one.float() * inside, side, side // 2) for one in (a, b))
        off, size = (one.sum((1, 2, 3)) for one in ((mean_a - mean_b).abs(), mean_b))
        found.append((off / size.clamp_min(1e-3)).mean())
    return torch.stack(found).mean()


def perceptual(made: list[Tensor], real: list[Tensor], hole: Tensor) -> Tensor:
    """How far the features in the hole are from the real ones, relative to those: the mean over blocks."""
    ratios = []
    for a, b in zip(made, real, strict=True):
        inside = F.adaptive_max_pool2d(hole, a.shape[-2:])
        size = l1(b.float(), torch.zeros_like(b), inside).clamp_min(1e-3)
        ratios.append(l1(a.float(), b.float(), inside) / size)
    return torch.stack(ratios).mean()


def feature_matching(made: list[Tensor], real: list[Tensor]) -> Tensor:
    """The mean over layers of the squared difference between the discriminator's features; the real ones stay put."""
    return torch.stack([F.mse_loss(a.float(), b.detach().float()) for a, b in zip(made, real, strict=True)]).mean()


def generator_adversarial(made: Tensor, hole: Tensor) -> Tensor:
    """Patches in the hole shall look real: the mean over them."""
    patches = _patches(hole, made)
    return (F.softplus(-made.float()) * patches).sum() / patches.sum().clamp_min(1)


def discriminator_adversarial(real: Tensor, made: Tensor, hole: Tensor) -> Tensor:
    """Real pictures are real everywhere; made ones are fake in the hole, and real outside it."""
    patches, made = _patches(hole, made), made.float()
    on_made = patches * F.softplus(made) + (1 - patches) * F.softplus(-made)
    return F.softplus(-real.float()).mean() + on_made.mean()


def gradient_penalty(score: Tensor, real: Tensor) -> Tensor:
    """R1: the squared norm of the score's gradient at real pictures, which must require one; mean over the batch."""
    (gradient,) = torch.autograd.grad(score.float().sum(), real, create_graph=True)
    return gradient.float().square().sum(dim=(1, 2, 3)).mean()


def _patches(hole: Tensor, score: Tensor) -> Tensor:
    """The hole as the score sees it: 1 for a patch with any of the hole in it."""
    return F.adaptive_max_pool2d(hole, score.shape[-2:])
