"""The thresholds of a watermark network, chosen on every other held-out picture."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path

import numpy as np
from numpy import bool_, float32
from numpy.typing import NDArray

from inpainting.engine.watermark.detector import Detector
from inpainting.engine.watermark.evidence import Evidence, MaskEvidence, Part, described, log_share, masked
from inpainting.engine.watermark.judgement import Thresholds
from inpainting.engine.watermark.network import Unblend
from training.data import Picture
from training.watermark.regression import regression
from training.watermark.trials import BANDS, LARGE, MARKED, SIDE, jpeg, kept, pictures, trials, unmarked

FALSE_ALARMS = 0.01  # the goal: a smaller share of clean pictures
LIKELY = 0.05  # the same where a user says that there is a mark
MISTAKEN = 0.02  # share of the masks over anything but a mark that may be taken for ones around a mark
SIDES = SIDE, LARGE  # pixels: what is seen on a small picture is not what is seen on a large one
EVEN = 0.0  # log odds of what is as likely a mark as not
RIDGE = 0.01  # of an observation's weight: keeps weights finite where few pictures tell
UNTOLD = Evidence(0.0, 0.0, 0.0, 0.0), MaskEvidence(0.0, 0.0, 0.0)

Seen = tuple[NDArray[float32], NDArray[bool_], NDArray[bool_]]  # probability, is it marked, does it count; (H, W) each
Told = tuple[Part, float]  # and the share of the picture elsewhere that looks marked too


def calibrate(net: Unblend, data: Path) -> Thresholds:
    """`extent` and `asked` for the best F1, the evidence for the likeliest verdicts on parts of marked and of clean
    pictures, the others as low as mistakes on clean ones allow.
    """
    detector = Detector(net, unlimited(0.5))
    marked, drawn = [], []
    for side, band in product(SIDES, BANDS[:-1]):
        for trial in trials(data, band, odd=False, most=MARKED // 3, side=side):
            truth = trial.mark.truth(trial.clean)
            marked.append((detector.look(trial.marked).probability, *truth))
            drawn.append((detector.look(trial.marked, trial.drawn).probability * trial.drawn, *truth))
    extent = max((float(one) for one in np.arange(0.2, 0.85, 0.05)), key=lambda one: _f1(marked, one))
    asked = max((float(one) for one in np.arange(0.1, 0.85, 0.05)), key=lambda one: _f1(drawn, one))
    # The held-out pictures are too few to tell 1% by. The network errs no less on those that it learned from.
    quiet = [_clean(detector, jpeg(picture), extent) for _, picture in _without_marks(data)]
    evidence = fitted([*_judged(detector, data, extent), *((told, False) for one in quiet for told in one)])
    alarms = [loudest(one, evidence) for one in quiet]
    sure, likely = (limit(alarms, share) for share in (FALSE_ALARMS, LIKELY))
    return Thresholds(round(extent, 3), sure, likely, round(asked, 3), evidence, _masked(detector, data, asked))


def _without_marks(data: Path) -> Iterator[tuple[int, Picture]]:
    return chain(pictures(data, odd=False), kept(data))


def unlimited(extent: float) -> Thresholds:
    """For a detector of which only the looks are wanted."""
    return Thresholds(extent, EVEN, EVEN, extent, *UNTOLD)


def _judged(detector: Detector, data: Path, extent: float) -> Iterator[tuple[Told, bool]]:
    """The parts of marked pictures, and whether more than half of each is marked.

    What is found first counts as nothing elsewhere (evidence.py), so that marks do not tell against each other here.
    """
    for side, band in product(SIDES, BANDS):
        for trial in trials(data, band, odd=False, most=1000, side=side):
            is_marked, counts = trial.mark.truth(trial.clean)
            likely, found = _parts(detector, trial.marked, extent)
            marks = [
                2 * (is_marked[part.box.slices] & part.inside).sum() > counts[part.box.slices][part.inside].sum()
                for part in found
            ]
            false = int(likely.sum()) - sum(part.pixels for part, mark in zip(found, marks, strict=True) if mark)
            for part, mark in zip(found, marks, strict=True):
                elsewhere = false if mark else false - part.pixels
                yield (part, elsewhere / likely.size), bool(mark)


def _parts(detector: Detector, picture: Picture, extent: float) -> tuple[NDArray[bool_], list[Part]]:
    """What is likely a mark, and its parts."""
    look = detector.look(picture)
    likely = look.probability > extent
    return likely, list(described(look, likely))


def _clean(detector: Detector, picture: Picture, extent: float) -> list[Told]:
    likely, found = _parts(detector, picture, extent)
    return [(part, float(likely.sum() - part.pixels) / likely.size) for part in found]


def _masked(detector: Detector, data: Path, asked: float) -> MaskEvidence:
    """Learned from masks as users draw them, around marks and over anything else."""
    marked = [
        part
        for side, band in product(SIDES, BANDS)
        for trial in trials(data, band, odd=False, most=2 * MARKED, side=side)
        for part in masked(detector.look(trial.marked, trial.drawn), trial.drawn, asked)
    ]
    cases = unmarked(_without_marks(data))
    others = [list(masked(detector.look(picture, hole), hole, asked)) for picture, hole in cases]
    told = [(part, True) for part in marked] + [(part, False) for part in chain(*others)]
    if not told:
        return UNTOLD[1]
    pairs = [(part.probability, part.verdict) for part, _ in told]
    evidence = MaskEvidence(*regression(pairs, [mark for _, mark in told], RIDGE))
    alarms = [max((part.log_odds(evidence) for part in one), default=-np.inf) for one in others]
    return replace(evidence, constant=evidence.constant - limit(alarms, MISTAKEN))


def fitted(judged: list[tuple[Told, bool]]) -> Evidence:
    """What tells marks from other parts."""
    if not judged:  # nothing was seen that looks like a mark
        return UNTOLD[0]
    told = [(part.verdict, part.doubt, log_share(elsewhere)) for (part, elsewhere), _ in judged]
    return Evidence(*(round(one, 4) for one in regression(told, [mark for _, mark in judged], RIDGE)))


def loudest(parts: list[Told], evidence: Evidence) -> float:
    """The lowest `sure` at which nothing is found in a picture with these parts."""
    return max((part.log_odds(evidence, elsewhere) for part, elsewhere in parts), default=-np.inf)


def limit(alarms: list[float], share: float) -> float:
    """The lowest log odds, no less than even ones, that fewer than that share of unmarked pictures are above."""
    return max(EVEN, sorted(alarms, reverse=True)[int(np.ceil(share * len(alarms))) - 1])


def _f1(seen: list[Seen], extent: float) -> float:
    right = sum(((one > extent) & is_marked).sum() for one, is_marked, _ in seen)
    said = sum(((one > extent) & counts).sum() for one, _, counts in seen)
    return float(2 * right / max(1, said + sum(is_marked.sum() for _, is_marked, _ in seen)))
