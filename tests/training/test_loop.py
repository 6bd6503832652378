"""The loop and the trainer that all networks share, with a network of four numbers."""

import csv
import math
from collections.abc import Callable, Generator
from itertools import count
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inpainting.engine.weights import WeightsError
from training import checkpoint
from training.loop import Diverged, train
from training.trainer import Losses, Recipe, Trainer


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.inner, self.last = (nn.Conv2d(2, 2, 1) for _ in range(3))
        self.bn = nn.BatchNorm2d(2)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.bn(self.inner(self.first(x))))
        return y


class Copying(Trainer[Net, Tensor]):
    """Learns to give back what it gets."""

    def __init__(self, recipe: Recipe, origin: str = "nothing") -> None:
        torch.manual_seed(0)
        super().__init__(Net(), recipe, origin)
        self.given: list[int] = []

    def batches(self, progress: Tensor) -> Generator[Tensor]:
        for number in count(self.step):
            self.given.append(number)
            self.told = float(progress)
            yield torch.rand(4, 2, 3, 3, generator=torch.Generator().manual_seed(number))

    def learn(self, batch: Tensor) -> Losses:
        loss = (self.net(batch) - batch).square().mean()
        self.descend(loss)
        return {"loss": loss.detach()}

    def check(self) -> dict[str, float]:
        held_out = torch.rand(4, 2, 3, 3, generator=torch.Generator().manual_seed(-1))
        return {"error": float((self.average(held_out) - held_out).square().mean())}

    def write(self, out: Path, say: Callable[[str], None]) -> None:
        checkpoint.write_whole(out, lambda part: part.write_text(str(self.step)))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "made/mine.safetensors"


def test_it_learns_and_leaves_weights_checkpoint_and_curve(out: Path) -> None:
    said: list[str] = []
    trainer = Copying(Recipe(rate=0.02, steps=200, warm_up=10))
    before = trainer.check()["error"]

    train(trainer, out, said.append, every=5)

    assert trainer.check()["error"] < 0.3 * before
    assert out.read_text() == "200"
    assert said[-1].startswith("Step 200: loss ")
    assert said[-1].endswith("; 0 min left")
    with out.with_suffix(".tsv").open() as file:
        (line,) = csv.DictReader(file, delimiter="\t")
    assert (line["step"], line["pictures"]) == ("200", "1600")
    assert float(line["error"]) == pytest.approx(trainer.check()["error"], rel=1e-3)
    assert trainer.told == pytest.approx(199 / 200)


def test_a_training_in_two_parts_is_the_same_to_the_last_bit(out: Path) -> None:
    straight = Copying(Recipe(steps=6))
    train(straight, out.with_name("straight.safetensors"), print, every=5)
    first, second = (Copying(Recipe(steps=6)) for _ in range(2))

    def stop(batch: Tensor, learn: Callable[[Tensor], Losses] = first.learn) -> Losses:
        if first.step == 2:
            raise KeyboardInterrupt
        return learn(batch)

    first.learn = stop  # type: ignore[method-assign]
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        train(first, out, said.append, every=5)
    assert not out.exists()
    train(second, out, said.append, every=5)

    assert said[:2] == [
        "Stopped at step 2. The same command goes on from there.",
        "Goes on at step 2, after 0 minutes.",
    ]
    assert second.given == [2, 3, 4, 5]
    assert (second.step, second.pictures) == (6, 48)
    assert second.seconds > 0
    torch.testing.assert_close(second.net.state_dict(), straight.net.state_dict(), rtol=0, atol=0)
    torch.testing.assert_close(second.average.state_dict(), straight.average.state_dict(), rtol=0, atol=0)


def test_checkpoints_come_as_often_as_wanted(out: Path) -> None:
    trainer = Copying(Recipe(steps=3))

    train(trainer, out, print, every=0)

    assert [line["step"] for line in trainer.curve] == [1, 2, 3]
    assert len(out.with_suffix(".tsv").read_text().splitlines()) == 4


def test_hours_count_what_earlier_starts_took(out: Path) -> None:
    trainer = Copying(Recipe(hours=1))
    trainer.seconds = 3599.99
    checkpoint.save(trainer.state(), out.with_suffix(".checkpoint"))

    train(again := Copying(Recipe(hours=1)), out, print, every=5)

    assert again.seconds >= 3600 > again.seconds - 5
    assert again.step >= 1


def test_another_trainings_output_is_left_alone(out: Path) -> None:
    train(Copying(Recipe(steps=1), "one"), out, print, every=5)

    with pytest.raises(WeightsError, match="started from one, not from another"):
        train(Copying(Recipe(steps=2), "another"), out, print, every=5)
    assert out.read_text() == "1"


def test_a_loss_that_is_no_number_stops_it_before_anything_is_written(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Copying, "learn", lambda self, batch: {"loss": torch.tensor(math.nan)})

    with pytest.raises(Diverged, match="The loss became nan before step 2"):
        train(Copying(Recipe(steps=2)), out, print, every=5)
    assert not out.parent.exists()


def test_the_rate_warms_up_and_then_falls() -> None:
    recipe = Recipe(rate=1.0, steps=100, warm_up=10)

    assert [recipe.rate_at(step, 0) for step in (0, 4, 9, 99)] == pytest.approx([0.1, 0.5, 1, 1])
    assert [recipe.rate_at(99, progress) for progress in (0, 0.5, 1)] == pytest.approx([1, 0.505, 0.01])


def test_the_average_forgets_how_training_began() -> None:
    trainer = Copying(Recipe(rate=0.05, hours=1, warm_up=1))
    begun = trainer.average.last.weight.clone()

    for number in range(40):
        trainer.take(torch.rand(4, 2, 3, 3, generator=torch.Generator().manual_seed(number)))

    average, now = trainer.average.last.weight, trainer.net.last.weight
    assert (average - now).abs().mean() < 0.5 * (average - begun).abs().mean()
    assert trainer.average.bn.num_batches_tracked == 40


def test_long_gradients_are_shortened() -> None:
    trainer = Copying(Recipe(hours=1))

    trainer.descend(1e6 * trainer.net(torch.rand(4, 2, 3, 3)).square().mean())

    groups = [group for one in (trainer.optimiser.muon, trainer.optimiser.adam) for group in one.param_groups]
    gradients = [parameter.grad for group in groups for parameter in group["params"]]
    assert torch.stack([gradient.norm() for gradient in gradients]).norm() == pytest.approx(1, rel=1e-3)


def test_a_failed_write_leaves_the_file_before_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_text("before")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        checkpoint.write_whole(path, fail)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("mine.safetensors", "before")]


def test_what_is_no_checkpoint_is_refused(out: Path) -> None:
    out.parent.mkdir()
    out.with_suffix(".checkpoint").write_bytes(b"no checkpoint")

    with pytest.raises(WeightsError, match="cannot be read as a checkpoint of a training"):
        train(Copying(Recipe(steps=1)), out, print, every=5)
