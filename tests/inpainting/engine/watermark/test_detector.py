"""The detector: any size, the same answer each time, and nothing changed where nothing was found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inpainting.engine.interface import Detection
from inpainting.engine.watermark.components import LogisticModel, Thresholds
from inpainting.engine.watermark.detector import Detector, load
from inpainting.engine.watermark.network import NetworkOutput, Unblend, UnblendConfig
from inpainting.engine.watermark.pyramid import VIEWS
from inpainting.engine.watermark.weights_file import write
from inpainting.engine.weights import WeightsError
from tests.inpainting.engine.watermark.tiled.test_search import scene, tiled
from tests.pictures import photo

TINY = UnblendConfig(widths=(8, 8, 8, 8), blocks=(0, 1, 1, 1))
LIMITS = Thresholds(
    *(0.5, 0.5, -1.0, 0.3),
    LogisticModel(1.0, {"doubt": -1.0}),
    LogisticModel(0.5, {"verdict": 1.0}),
)


class Oracle(torch.nn.Module):
    """Stands in for a trained network: everything of pure red is a mark, half opaque, the pure white an opaque one."""

    def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
        red, white = picture[:, :1] - picture[:, 1:2] > 0.3, picture.amin(1, keepdim=True) > 0.99
        opacity = 0.5 * red.float() + white.float() + 0 * hints[:, :1]
        colour = torch.cat([torch.ones_like(opacity), white.float(), white.float()], 1)
        return NetworkOutput(20.0 * (red | white).float() - 10, opacity, colour, torch.zeros_like(picture), 0 * opacity)


def detector(net: torch.nn.Module | None = None, limits: Thresholds = LIMITS) -> Detector:
    torch.manual_seed(0)
    return Detector(net or Unblend(TINY), limits)  # type: ignore[arg-type]


def grey(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 100, np.uint8)


def assert_valid(detection: Detection, picture: np.ndarray) -> None:
    assert detection.restored.dtype == np.uint8
    assert detection.restored.shape == picture.shape
    for plane in (detection.probability, detection.opacity):
        assert plane.shape == picture.shape[:2]
        assert plane.dtype == np.float32
        assert plane.min() >= 0
        assert plane.max() <= 1
    np.testing.assert_array_equal(detection.restored[~detection.mask], picture[~detection.mask])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (17, 33), (96, 64), (321, 500), (200, 1100)])
def test_any_size(height: int, width: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    before = picture.copy()

    detection = detector().detect(picture)

    assert_valid(detection, picture)
    np.testing.assert_array_equal(picture, before)


def test_it_works() -> None:
    picture = grey(200, 300)
    picture[50:70, 80:160] = (177, 50, 50)  # red, half opaque, over the grey
    picture[120:150, 200:240] = 255

    detection = detector(Oracle()).detect(picture)

    assert_valid(detection, picture)
    assert [box[:4] for box in detection.boxes] == [(80, 50, 80, 20), (200, 120, 40, 30)]
    assert np.abs(detection.restored[50:70, 80:160].astype(int) - 100).max() <= 1
    assert (detection.opacity[125:145, 205:235] > 0.75).all()
    assert (detection.opacity[50:70, 80:160] < 0.75).all()
    assert detection.opacity[60, 100] == pytest.approx(0.5)


def test_nothing_found_is_the_picture_itself() -> None:
    picture = np.repeat(photo(200, 150)[..., :1], 3, axis=2)  # no red in it

    detection = detector(Oracle()).detect(picture)

    assert not detection.mask.any()
    assert detection.boxes == []
    np.testing.assert_array_equal(detection.restored, picture)


@pytest.mark.slow
def test_a_big_picture_is_looked_at_again_only_where_something_was_found() -> None:
    picture = grey(1400, 700)
    picture[1200:1260, 300:500] = (177, 50, 50)
    seen = []

    class Counting(Oracle):
        def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
            seen.append(picture.shape[2] * picture.shape[3])
            return super().forward(picture, hints)

    detection = detector(Counting()).detect(picture)

    assert_valid(detection, picture)
    (box,) = detection.boxes
    assert box[:4] == (300, 1200, 200, 60)
    coarse = 3 * len(VIEWS)
    smaller, closely = seen[:coarse] + seen[-coarse:], seen[coarse:-coarse]  # once more when the mark is gone
    assert max(smaller) < picture.shape[0] * picture.shape[1] / 3  # a half, a quarter and an eighth of the scale
    assert 0 < sum(closely) < 0.8 * picture.shape[0] * picture.shape[1]
    assert max(seen) <= 1024 * 1024


class Obedient(Oracle):
    """Sees red marks of probability 0.38, a fourth of the columns certain, and only where it is told to look.

    Its verdict is for marks of a pure red.
    """

    def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
        output = super().forward(picture, hints)
        certain = (torch.arange(picture.shape[3]) + 1) % 8 < 2  # the same in a mirror
        logit = torch.where(certain, 5.0, -0.5).expand_as(output.logit)
        return NetworkOutput(
            torch.where((output.logit > 0) & (hints[:, 4:] > 0.5), logit, -10.0),
            output.opacity,
            output.colour,
            output.correction,
            30 * (0.235 - picture[:, 1:2]),
        )


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(200, 300), (1100, 700)])
def test_a_user_says_where_to_look(shape: tuple[int, int]) -> None:
    picture, hole = grey(*shape), np.zeros(shape, bool)
    hole[50:70, 80:160] = True
    picture[50:70, 80:160] = picture[20:30, 20:200] = (177, 50, 50)  # the second one nobody asked about

    asked, unasked = detector(Obedient()).detect(picture, hole), detector(Obedient()).detect(picture)

    assert_valid(asked, picture)
    np.testing.assert_array_equal(asked.mask, hole)
    assert not unasked.mask.any()


def test_what_a_user_masks_may_be_no_mark_unless_they_say_so() -> None:
    picture, hole = grey(200, 300), np.zeros((200, 300), bool)
    hole[40:80, 80:160] = hole[120:160, 20:100] = True
    picture[40:80, 80:160], picture[120:160, 20:60] = (177, 50, 50), (177, 70, 70)

    judged = detector(Obedient()).detect(picture, hole).mask
    trusted = detector(Obedient()).detect(picture, hole, trust="all").mask

    np.testing.assert_array_equal(judged[:100], hole[:100])
    assert not judged[100:].any()
    assert trusted[120:160, 20:60].all()
    assert trusted.sum() == 40 * 80 + 40 * 40


@pytest.mark.slow
def test_only_what_is_around_the_users_mask_is_looked_at() -> None:
    picture, hole, seen = grey(3000, 3000), np.zeros((3000, 3000), bool), []
    hole[2950:2960, 100:200] = True

    class Counting(Oracle):
        def forward(self, picture: torch.Tensor, hints: torch.Tensor) -> NetworkOutput:
            seen.append(picture.shape[2] * picture.shape[3])
            return super().forward(picture, hints)

    detection = detector(Counting()).detect(picture, hole)

    assert_valid(detection, picture)
    assert sum(seen) < len(VIEWS) * 200 * 200


def test_an_empty_mask_finds_nothing() -> None:
    detection = detector(Oracle()).detect(grey(30, 40), np.zeros((30, 40), bool))

    assert_valid(detection, grey(30, 40))
    assert not detection.mask.any()


def test_the_same_picture_gives_the_same_answer() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (90, 130, 3), np.uint8)
    first, second = detector().detect(picture), detector().detect(picture)

    np.testing.assert_array_equal(first.probability, second.probability)
    np.testing.assert_array_equal(first.restored, second.restored)


def red_tiles(opacity: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey scene, the same with red marks tiled over it, and where they are."""
    clean = np.repeat(scene(240, 320)[..., :1], 3, axis=2)
    over, _ = tiled((240, 320), opacity, (40.0, 0.0), (0.0, 52.0))
    red = over[..., None] * np.array([255, 0, 0])
    return clean, np.rint(clean * (1 - over[..., None]) + red).astype(np.uint8), over > 0


@pytest.mark.slow
def test_a_tiled_mark_is_computed_from_its_copies() -> None:
    clean, picture, over = red_tiles(0.5)

    detection = detector(Oracle()).detect(picture)

    assert_valid(detection, picture)
    assert (detection.mask == over).mean() > 0.93
    assert detection.mask[over].mean() > 0.95
    off = np.abs(detection.restored.astype(int) - clean)[over]
    assert off.mean() < 0.15 * np.abs(picture.astype(int) - clean)[over].mean()
    assert len(detection.boxes) >= 1


@pytest.mark.slow
def test_of_a_tiled_mark_only_what_a_user_masked_is_touched() -> None:
    _, picture, over = red_tiles(0.5)
    hole = np.zeros(over.shape, bool)
    hole[60:180, 80:240] = True

    detection = detector(Oracle()).detect(picture, hole, trust="all")

    assert_valid(detection, picture)
    assert not detection.mask[~hole].any()
    assert detection.mask[hole & over].mean() > 0.95


@pytest.mark.slow
def test_what_repeats_and_does_not_shine_through_is_a_mark_if_the_network_sees_it_all() -> None:
    unsure = detector(Oracle(), replace(LIMITS, sure=99.0))  # of what the network sees
    _, picture, over = red_tiles(0.97)

    assert (unsure.detect(picture).mask == over).mean() > 0.93

    picture[:, 80:] = picture[:, 80:, [1, 0, 2]]  # green: the oracle sees a quarter of it
    assert detector(Oracle()).detect(picture).mask.any()
    assert not unsure.detect(picture).mask.any()


@pytest.mark.slow
def test_who_says_that_there_is_a_mark_gets_the_likely_one() -> None:
    picture, limits = grey(200, 300), replace(LIMITS, sure=99.0)
    picture[50:70, 80:160] = (177, 50, 50)

    told, untold = (detector(Oracle(), limits).detect(picture, trust=trust) for trust in ("all", "nobody"))

    assert told.mask[50:70, 80:160].all()
    assert not untold.mask.any()


def test_weights_come_back_as_they_were_written(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net, picture = Unblend(TINY), photo()
    write(tmp_path / "a.safetensors", net, LIMITS, {"hours": "1"})

    again = load(tmp_path / "a.safetensors")

    assert again.thresholds == LIMITS
    np.testing.assert_allclose(again.pyramid.predict(picture)[0], detector(net).pyramid.predict(picture)[0], atol=1e-2)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"no weights")

    for path in (tmp_path / "a.safetensors", tmp_path / "missing.safetensors"):
        with pytest.raises(WeightsError, match=path.name):
            load(path)


def test_the_weights_we_ship_can_be_used() -> None:
    shipped = load()

    assert_valid(shipped.detect(photo(160, 120)), photo(160, 120))
