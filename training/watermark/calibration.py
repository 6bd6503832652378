"""The thresholds of a watermark network, chosen on every other held-out picture."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, product
from pathlib import Path

import numpy as np
from numpy import bool_, float32
from numpy.typing import NDArray

from inpainting.engine.watermark.components import LogisticModel, Thresholds, components
from inpainting.engine.watermark.network import Unblend
from inpainting.engine.watermark.pyramid import Prediction, Pyramid
from training.data.marks.letters import Letters
from training.data.pack import Picture
from training.data.signs.scene import add_lettering
from training.watermark.regression import regression
from training.watermark.trials import BANDS, LARGE, MARKED, SIDE, jpeg, kept, mixed, pictures, plain, trials, unmarked

FALSE_ALARMS = 0.01  # the goal: a smaller share of clean pictures
LIKELY = 0.05  # the same where a user says that there is a mark
MISTAKEN = 0.02  # share of the masks over anything but a mark that may be taken for ones around a mark
SIDES = SIDE, LARGE  # pixels: what is seen on a small picture is not what is seen on a large one
LETTERED = 4  # one clean picture in so many has lettering
EVEN = 0.0  # log odds of what is as likely a mark as not
RIDGE = 0.01  # of an observation's weight: keeps weights finite where few pictures tell
COMPONENT, MASK_PART = ("verdict", "doubt", "elsewhere"), ("probability", "verdict")  # features of the two models

Truth = tuple[NDArray[float32], NDArray[bool_], NDArray[bool_]]  # probability, is it marked, does it count; (H, W) each
Features = dict[str, float]


def calibrate(net: Unblend, data: Path) -> Thresholds:
    """Both extents for the best F1, the models for the likeliest verdicts on components of marked and of clean
    pictures, the others as low as mistakes on clean ones allow.
    """
    pyramid = Pyramid(net)
    marked, drawn = [], []
    for side, band in product(SIDES, BANDS[:-1]):
        for trial in trials(data, plain(band), odd=False, most=MARKED // 3, side=side):
            truth = trial.mark.truth(trial.clean)
            marked.append((pyramid.predict_whole(trial.marked).probability, *truth))
            drawn.append((pyramid.predict_whole(trial.marked, trial.drawn).probability * trial.drawn, *truth))
    extent = max((float(one) for one in np.arange(0.2, 0.85, 0.05)), key=lambda one: _f1(marked, one))
    extent_in_mask = max((float(one) for one in np.arange(0.1, 0.85, 0.05)), key=lambda one: _f1(drawn, one))
    # The held-out pictures are too few to tell 1% by. The network errs no less on those that it learned from.
    quiet = [_clean(pyramid.predict_whole(picture), extent) for picture in _clean_files(data)]
    judged = [*_judged(pyramid, data, extent), *((one, False) for picture in quiet for one in picture)]
    model = rounded(fit(judged, COMPONENT))
    alarms = [loudest(picture, model) for picture in quiet]
    sure, likely = (limit(alarms, share) for share in (FALSE_ALARMS, LIKELY))
    mask_part = _mask_part(pyramid, data, extent_in_mask)
    return Thresholds(round(extent, 3), sure, likely, round(extent_in_mask, 3), model, mask_part)


def _without_marks(data: Path) -> Iterator[tuple[int, Picture]]:
    return chain(pictures(data, odd=False), kept(data))


def _clean_files(data: Path) -> Iterator[Picture]:
    """Those pictures as they come from a file, one in LETTERED with lettering of its own."""
    letters = Letters(data, "held-out")
    for number, picture in _without_marks(data):
        own = number % LETTERED == 0
        yield jpeg(add_lettering(picture, letters, np.random.default_rng([11, number])) if own else picture)


def _judged(pyramid: Pyramid, data: Path, extent: float) -> Iterator[tuple[Features, bool]]:
    """The components of marked pictures, and whether more than half of each is marked.

    What is found first counts as nothing elsewhere (components.py), so that marks do not tell against each other here.
    """
    for side, band in product(SIDES, BANDS):
        for trial in trials(data, mixed(band), odd=False, most=1000, side=side):
            is_marked, counts = trial.mark.truth(trial.clean)
            prediction = pyramid.predict_whole(trial.marked)
            candidates = list(components(prediction, extent))
            marks = [
                2 * (is_marked[one.box.slices] & one.inside).sum() > counts[one.box.slices][one.inside].sum()
                for one in candidates
            ]
            likely = prediction.probability > extent
            false = int(likely.sum()) - sum(one.pixels for one, mark in zip(candidates, marks, strict=True) if mark)
            for one, mark in zip(candidates, marks, strict=True):
                elsewhere = false if mark else false - one.pixels
                yield one.features(elsewhere / likely.size), bool(mark)


def _clean(prediction: Prediction, extent: float) -> list[Features]:
    """The components of a picture without a mark."""
    likely = prediction.probability > extent
    candidates = components(prediction, extent)
    return [one.features(float(likely.sum() - one.pixels) / likely.size) for one in candidates]


def _mask_part(pyramid: Pyramid, data: Path, extent: float) -> LogisticModel:
    """Learned from masks as users draw them, around marks and over anything else."""

    def parts(picture: Picture, hole: NDArray[bool_]) -> list[Features]:
        return [one.features() for one in components(pyramid.predict_whole(picture, hole), extent, hole)]

    marked = [
        part
        for side, band in product(SIDES, BANDS)
        for trial in trials(data, mixed(band), odd=False, most=2 * MARKED, side=side)
        for part in parts(trial.marked, trial.drawn)
    ]
    others = [parts(picture, hole) for picture, hole in unmarked(_without_marks(data))]
    model = fit([*((part, True) for part in marked), *((part, False) for part in chain(*others))], MASK_PART)
    return replace(model, constant=model.constant - limit([loudest(one, model) for one in others], MISTAKEN))


def fit(judged: list[tuple[Features, bool]], names: tuple[str, ...]) -> LogisticModel:
    """What tells marks from other components by these features."""
    if not judged:  # nothing was seen that looks like a mark
        return LogisticModel(0.0, dict.fromkeys(names, 0.0))
    rows = [[features[name] for name in names] for features, _ in judged]
    constant, *coefficients = regression(rows, [mark for _, mark in judged], RIDGE)
    return LogisticModel(constant, dict(zip(names, coefficients, strict=True)))


def rounded(model: LogisticModel) -> LogisticModel:
    """To four decimals: more says nothing."""
    coefficients = {name: round(factor, 4) for name, factor in model.coefficients.items()}
    return LogisticModel(round(model.constant, 4), coefficients)


def loudest(components: list[Features], model: LogisticModel) -> float:
    """The lowest log odds above which nothing is found in a picture with these components."""
    return max((model.log_odds(one) for one in components), default=-np.inf)


def limit(alarms: list[float], share: float) -> float:
    """The lowest log odds, no less than even ones, that fewer than that share of unmarked pictures are above."""
    return max(EVEN, sorted(alarms, reverse=True)[int(np.ceil(share * len(alarms))) - 1])


def _f1(predictions: list[Truth], extent: float) -> float:
    right = sum(((one > extent) & is_marked).sum() for one, is_marked, _ in predictions)
    said = sum(((one > extent) & counts).sum() for one, _, counts in predictions)
    return float(2 * right / max(1, said + sum(is_marked.sum() for _, is_marked, _ in predictions)))
