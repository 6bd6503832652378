"""Whether a picture holds something again and again at equal distances, and at which: the lattice of a tiled watermark.

What is tiled over a picture agrees with itself wherever the picture is laid over itself shifted by the lattice, while
the picture does not. So the lattice is seen in the autocorrelation of the picture's fine structure, far below the
strength at which an eye finds the mark (Dekel et al., "On the Effectiveness of Visible Watermarks", CVPR 2017, use many
pictures with one mark each; here one picture has many).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.nets.planes import blur

FINE = 6.0  # pixels: structure below this size is looked at
FARTHEST = 0.75  # of the picture's height and width: the longest shift that is tried; beyond it little overlaps
SHORTEST, LONGEST = 18.0, 12.0  # pixels, and times that: denser or longer lattices are fabrics, fences and edges
PEAKS = 40  # of the autocorrelation that are tried, two by two
PEAK = 4.0  # standard deviations
LEAST = 4.0  # standard deviations: pairs of less evidence do not become lattices of marks when they are made exact
TRIED = 4  # pairs that are made exact: the likeliest may turn out to be none
FAIR = 0.4  # of the highest peak: as much as the median point of a lattice agrees (marks 0.45 to 0.8 mostly)
ENOUGH = 6.0  # standard deviations: a peak that is higher proves no more than one of this height
DENSEST, MOVES = 8, 20  # rounds of making a lattice denser (five are many), moves of one size in making it exact
DENSER = torch.tensor([[[0.5, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.5]], [[0.5, 0.5], [0.0, 1.0]]])
BETWEEN = 0.25  # of what a lattice's median point agrees by: the median point between them (marks 0.35, letters 0.15)
STEPS = 40  # of making shifts short; five are many
REACH = 12  # cells a way that are looked at


@dataclass(frozen=True)
class Lattice:
    first: tuple[float, float]  # pixels (down, right); the shortest shift
    second: tuple[float, float]  # the shortest that is no multiple of it
    evidence: float  # standard deviations, of how many of the shifts agree

    @property
    def pair(self) -> Tensor:
        """(1, 2, 2)"""
        return torch.tensor([[self.first, self.second]])

    def scaled(self, times: float) -> "Lattice":
        (a, b), (c, d) = self.first, self.second
        return Lattice((times * a, times * b), (times * c, times * d), self.evidence)

    def same(self, other: "Lattice") -> bool:
        """Up to the shifts' signs, within a third of a pixel."""
        off = torch.minimum((self.pair - other.pair).norm(dim=2), (self.pair + other.pair).norm(dim=2))
        return bool((off < 0.33).all())


def find(agreement: Tensor) -> list[Lattice]:
    """The likeliest lattices in an autocorrelation, at most two; none where nothing repeats. Deterministic.

    Much evidence is not all: letters that are like others make up a dense lattice whose many points agree a little. So
    the second counts points the less, the less they agree than the highest peak.
    """
    pairs = _pairs(_peaks(agreement))
    if len(pairs):
        pairs = pairs[evidence(agreement, pairs) > LEAST]
    if not len(pairs):
        return []
    likely, exact = list[Lattice](), dict[int, Lattice | None]()
    for rank in (evidence, _fair_evidence):
        likeliest = rank(agreement, pairs).argsort(descending=True, stable=True)[:TRIED].tolist()
        exact |= {number: _lattice(agreement, pairs[number]) for number in likeliest if number not in exact}
        found = filter(None, (exact[number] for number in likeliest))
        best = max(found, key=lambda one: float(rank(agreement, one.pair)), default=None)
        if best and not any(best.same(other) for other in likely):
            likely.append(best)
    return likely


def settle(agreement: Tensor, lattice: Lattice) -> Lattice | None:
    """The lattice as another autocorrelation of the same picture has it."""
    return _lattice(agreement, lattice.pair[0])


def _lattice(agreement: Tensor, pair: Tensor) -> Lattice | None:
    """The lattice that a pair of shifts is near; None where it is none, or would take more than DENSEST rounds."""
    best, sure = None, -torch.inf
    pairs = _possible(refine(agreement, pair[None]))
    for _ in range(DENSEST):
        if not len(pairs) or float((each := evidence(agreement, pairs)).max()) <= sure:
            break
        best, sure = pairs[each.argmax()], float(each.max())
        # The pair may span every second point only. Then the points between agree as much; parts of a mark that are
        # like others, such as letters, agree less.
        pairs = refine(agreement, DENSER @ best)
        between = _agreeing(agreement, pairs, 0.25) > BETWEEN * _agreeing(agreement, best[None], 0.5)
        pairs = _possible(pairs[between])
    else:
        return None
    if best is None:
        return None
    (a, b), (c, d) = best.tolist()
    return Lattice((a, b), (c, d), sure)


def _pairs(peaks: Tensor) -> Tensor:
    """Pairs of shifts that may span a lattice, (n, 2, 2), made short."""
    return _possible(peaks[torch.combinations(torch.arange(len(peaks)))])


def _possible(pairs: Tensor) -> Tensor:
    """What of (n, 2, 2) may be the lattice of a mark, made short."""
    pairs = shorten(pairs)
    first, second = pairs.norm(dim=2).unbind(1)
    area = pairs.double().det().abs()
    return pairs[(first >= SHORTEST) & (second < LONGEST * first) & (area > 0.5 * first * second)]


def fine_structure(picture: Tensor) -> Tensor:
    """(3, H, W): what is finer than FINE, as strong where the picture is calm as where it is not."""
    fine = picture - blur(picture, FINE)
    contrast = (blur(fine.square().mean(0, keepdim=True), 2 * FINE) + (4 / 255) ** 2).sqrt()
    fine = fine / contrast
    return fine - fine.mean((1, 2), keepdim=True)


def autocorrelation(fine: Tensor) -> Tensor:
    """How much (C, H, W), of mean 0, agrees with itself shifted: (2h + 1, 2w + 1) standard deviations, no shift in the
    middle.
    """
    height, width = fine.shape[1:]
    size = [2 * _smooth(side) for side in (height, width)]
    together = torch.fft.irfft2(torch.fft.rfft2(fine, s=size).abs().square().sum(0), s=size)
    overlap = (height - _lags(size[0]).abs()).clamp(min=1)[:, None] * (width - _lags(size[1]).abs()).clamp(min=1)
    far = [int(FARTHEST * side) for side in (height, width)]
    return _in_deviations(torch.fft.fftshift(together / overlap.sqrt()), far)


def autocorrelation_around(fine: Tensor) -> Tensor:
    """As `autocorrelation`, of (1, H, W) as if it went on around its edges: a quarter of the memory, shorter shifts."""
    together = torch.fft.fftshift(torch.fft.irfft2(torch.fft.rfft2(fine[0]).abs().square(), s=fine.shape[1:]))
    return _in_deviations(together, [(side - 1) // 2 for side in fine.shape[1:]])


def _in_deviations(agreement: Tensor, far: list[int]) -> Tensor:
    middle = [side // 2 for side in agreement.shape]
    agreement = agreement[middle[0] - far[0] : middle[0] + far[0] + 1, middle[1] - far[1] : middle[1] + far[1] + 1]
    agreement = agreement - blur(agreement[None], 8)[0]
    agreement[_distance(agreement) < SHORTEST] = 0
    return agreement / (1.4826 * agreement.abs().median()).clamp(min=1e-9)


def _lags(size: int) -> Tensor:
    return torch.fft.fftfreq(size, 1 / size)


def _smooth(side: int) -> int:
    """A size that transforms quickly, at least that."""
    while True:
        rest = side
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return side
        side += 1


def _distance(agreement: Tensor) -> Tensor:
    height, width = (side // 2 for side in agreement.shape)
    return torch.hypot(torch.arange(-height, height + 1.0)[:, None], torch.arange(-width, width + 1.0))


def _peaks(agreement: Tensor) -> Tensor:
    """The highest ones of one half, (n, 2): (down, right)."""
    height, width = (side // 2 for side in agreement.shape)
    highest = agreement == F.max_pool2d(agreement[None], 7, 1, 3)[0]
    highest &= agreement > PEAK
    highest[:height] = False  # the other half is the same
    highest[height, : width + 1] = False
    order = agreement[highest].argsort(descending=True, stable=True)[:PEAKS]
    return highest.nonzero()[order].float() - torch.tensor([height, width])


def evidence(agreement: Tensor, pairs: Tensor) -> Tensor:
    """How sure (n, 2, 2) pairs of shifts are lattices: three of four multiples within reach agree at least so much."""
    values, inside = _multiples(agreement, pairs)
    values = values.clamp(max=ENOUGH).masked_fill(~inside, torch.nan)
    count = inside.sum(1).clamp(min=1)
    return values.nanquantile(0.25, dim=1).nan_to_num(0) * count.sqrt() * (count >= 3)


def _fair_evidence(agreement: Tensor, pairs: Tensor) -> Tensor:
    """The same, less where the median multiple agrees less than FAIR of the highest peak."""
    share = _agreeing(agreement, pairs, 0.5).nan_to_num(0) / (FAIR * agreement.max())
    return evidence(agreement, pairs) * share.clamp(0, 1)


def _agreeing(agreement: Tensor, pairs: Tensor, share: float) -> Tensor:
    """The agreement that this share of the multiples within reach of (n, 2, 2) pairs stay below, (n)."""
    values, inside = _multiples(agreement, pairs)
    return values.masked_fill(~inside, torch.nan).nanquantile(share, dim=1)


def _multiples(agreement: Tensor, pairs: Tensor) -> tuple[Tensor, Tensor]:
    """The agreement at the multiples of (n, 2, 2) pairs of shifts, one half of them, and which lie inside."""
    steps = torch.arange(-REACH, REACH + 1.0)
    steps = torch.cartesian_prod(steps, steps)
    shifts = steps[(steps[:, 0] > 0) | ((steps[:, 0] == 0) & (steps[:, 1] > 0))] @ pairs
    height, width = (side // 2 for side in agreement.shape)
    return sample(agreement, shifts), (shifts[..., 0].abs() < height - 1) & (shifts[..., 1].abs() < width - 1)


def sample(agreement: Tensor, shifts: Tensor) -> Tensor:
    """The agreement at (..., 2) shifts, linear between pixels."""
    height, width = (side // 2 for side in agreement.shape)
    grid = (shifts / torch.tensor([height, width])).flip(-1)
    return F.grid_sample(agreement[None, None], grid[None].view(1, 1, -1, 2), align_corners=True).view(
        shifts.shape[:-1]
    )


def shorten(pairs: Tensor) -> Tensor:
    """The shortest two shifts of the same lattices, the shorter one first, (n, 2, 2) (Lagrange and Gauss).

    Of shifts in one line the shorter becomes as good as 0.
    """
    for _ in range(STEPS):
        pairs = torch.where((pairs.norm(dim=2).diff() < 0)[..., None], pairs.flip(1), pairs)
        first, second = pairs.unbind(1)
        times = ((first * second).sum(1) / first.square().sum(1)).round().nan_to_num(0, 0, 0)
        if not times.any():
            break
        pairs = torch.stack([first, second - times[:, None] * first], 1)
    return pairs


def refine(agreement: Tensor, pairs: Tensor) -> Tensor:
    """(n, 2, 2) pairs to a fraction of a pixel, where their multiples agree most."""
    moves = torch.cat([torch.eye(4), -torch.eye(4), torch.zeros(1, 4)]).view(-1, 2, 2)
    for step in (1.0, 0.5, 0.25, 0.12, 0.06, 0.03):
        for _ in range(MOVES):
            tried = pairs[:, None] + step * moves
            best = _height(agreement, tried.flatten(0, 1)).view(len(pairs), -1).argmax(1)
            if (best == len(moves) - 1).all():
                break
            pairs = tried[torch.arange(len(pairs)), best]
    return pairs


def _height(agreement: Tensor, pairs: Tensor) -> Tensor:
    steps = torch.arange(-REACH, REACH + 1.0)
    return sample(agreement, torch.cartesian_prod(steps, steps) @ pairs).sum(1)
