"""Training the watermark network: it learns, it stops and goes on, and what it writes can be used."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from inpainting.engine.crops.regions import Box
from inpainting.engine.watermark.detector import load
from inpainting.engine.watermark.evidence import Part
from inpainting.engine.watermark.judgement import Thresholds
from inpainting.engine.watermark.network import Unblend, UnblendConfig
from inpainting.engine.watermark.weights_file import read, write
from training.evaluate.watermark import evaluate
from training.examples import Batch, Maker
from training.marks import Style
from training.run import Recipe
from training.watermark import unblend as watermark
from training.watermark import verdict
from training.watermark.calibration import UNTOLD, fitted, limit
from training.watermark.unblend import Trainer, check

from .small_set import small_set

TINY = UnblendConfig(widths=(8, 16, 16, 16), blocks=(0, 1, 1, 1))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return small_set(tmp_path / "set")


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watermark, "Unblend", lambda: Unblend(TINY))
    monkeypatch.setattr(verdict, "SHOWN", 8)


def one_batch(data: Path) -> Batch:
    style = Style(opacity=(0.5, 0.8), opaque=0, height=(0.5, 0.8))
    return Maker(data, "train").batch(np.random.default_rng(0), style, 64, 4)


def test_it_learns_one_batch_by_heart(data: Path) -> None:
    trainer, batch = Trainer(Recipe(rate=5e-3)), one_batch(data)
    before = check(trainer.net.eval(), batch)

    for _ in range(350):
        trainer.take(batch)

    after = check(trainer.net.train(), batch)  # with the batch's own statistics
    assert after["f1"] > 0.7 > before["f1"]
    assert after["after"] > after["before"] + 2


def test_a_checkpoint_goes_on_as_if_nothing_had_happened(data: Path, tmp_path: Path) -> None:
    batch = one_batch(data)
    straight, stopped, resumed = (Trainer(Recipe()) for _ in range(3))
    stopped.take(batch)
    stopped.seconds = 12.5
    stopped.save(tmp_path / "a.checkpoint")
    resumed.resume(tmp_path / "a.checkpoint")

    for trainer, steps in ((straight, 3), (resumed, 2)):
        for _ in range(steps):
            trainer.take(batch)

    assert (resumed.step, resumed.pictures, resumed.seconds) == (3, 12, 12.5)
    for name, value in straight.net.state_dict().items():
        torch.testing.assert_close(resumed.net.state_dict()[name], value, msg=name)


def test_a_deeper_network_goes_on_where_a_smaller_one_was(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller = Trainer(Recipe())
    smaller.take(one_batch(data))
    write(tmp_path / "smaller.safetensors", smaller.net, Thresholds(0.5, 1.0, 0.0, 0.3, *UNTOLD), {})
    deeper = UnblendConfig(widths=TINY.widths, blocks=(0, 1, 1, 3))
    monkeypatch.setattr(watermark, "Unblend", lambda: Unblend(deeper))

    grown = Trainer(Recipe(), tmp_path / "smaller.safetensors").net.eval()

    picture, told = torch.rand(1, 3, 64, 64), torch.rand(1, 5, 64, 64)
    said = read(tmp_path / "smaller.safetensors")[0](picture, told)
    torch.testing.assert_close(grown(picture, told).logit, said.logit)


def test_the_command_trains_writes_and_has_nothing_left_to_do(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out/net.safetensors"
    options = {"data": data, "out": out, "hours": 0.0003, "side": 64, "batch": 2}

    call_command("train_watermark", **options)
    steps = torch.load(out.with_suffix(".checkpoint"), weights_only=True)["step"]
    call_command("train_watermark", **options)

    assert steps >= 1
    assert torch.load(out.with_suffix(".checkpoint"), weights_only=True)["step"] == steps
    limits = load(out).thresholds
    assert 0 < limits.extent < 1
    assert limits.sure >= limits.likely >= 0


def test_the_evidence_is_learned_from_verdicts() -> None:
    rng, verdicts = np.random.default_rng(0), []
    for _ in range(400):
        mark = rng.random() < 0.5
        doubt, verdict = rng.normal(0.5 if mark else 2, 0.5), rng.normal(0.5 if mark else 0, 0.3)
        part = Part(Box(0, 0, 1, 1), np.ones((1, 1), bool), verdict, doubt)
        verdicts.append(((part, float(rng.uniform(0, 0.1))), mark))

    evidence = fitted(verdicts)

    assert evidence.doubt < -2
    assert evidence.verdict > 2
    assert abs(evidence.elsewhere) < 1
    right = [(part.log_odds(evidence, elsewhere) > 0) == mark for (part, elsewhere), mark in verdicts]
    assert np.mean(right) > 0.9
    assert fitted([]) == UNTOLD[0]


def test_fewer_than_a_share_of_the_unmarked_pictures_are_above_the_limit() -> None:
    alarms = [0.5, 3.0, -np.inf, 2.0]

    assert limit(alarms, 0.25) == 3.0
    assert limit(alarms, 0.5) == 2.0
    assert limit(alarms, 1.0) == 0.0  # no less than even


def test_it_begins_with_given_weights(data: Path, tmp_path: Path) -> None:
    trainer = Trainer(Recipe())
    trainer.take(one_batch(data))
    trainer.write(data, tmp_path / "a.safetensors", print)

    again = Trainer(Recipe(), tmp_path / "a.safetensors")

    weight = trainer.average.head.weight
    torch.testing.assert_close(again.net.head.weight, weight.half().float(), check_stride=False)
    assert again.step == 0


def test_evaluation_tells_each_range_of_opacity(data: Path, tmp_path: Path) -> None:
    trainer = Trainer(Recipe())
    trainer.write(data, tmp_path / "a.safetensors", print)

    rows = evaluate(load(tmp_path / "a.safetensors"), data, tmp_path / "out", side=96)
    call_command("evaluate", data=data, watermark=str(tmp_path / "a.safetensors"), side=96, stdout=(out := StringIO()))
    with pytest.raises(CommandError, match="--side: 64 or more"):
        call_command("evaluate", data=data, watermark="embedded", side=63)

    bands = ["opacity 0.1-0.25", "opacity 0.25-0.4", "opacity 0.4-0.6", "opacity 0.6-0.9", "opaque"]
    kinds = [row for row in rows if str(row["marks"]).endswith((", tiled", ", single"))]
    others = [row for row in rows if row not in kinds]
    names = [*bands, *(f"drawn, {band}" for band in bands), "clean", "clean, with lettering", "drawn, no mark"]
    assert [row["marks"] for row in others] == names
    assert sum(int(row["pictures"]) for row in kinds) == sum(int(row["pictures"]) for row in others[:5])
    assert all(row["marked dB before"] > 5 for row in others[:-3])
    assert all(row["repaint: whole dB"] > 5 for row in others[5:10])
    assert all(row["whole dB before"] < row["whole dB at most"] for row in others[:10])
    assert all((tmp_path / "out" / name).stat().st_size > 0 for name in ("watermark.png", "drawn.png"))
    assert [line.split("|")[1].strip() for line in out.getvalue().splitlines()[2:]] == [row["marks"] for row in rows]


def test_without_a_set_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="build_training_set"):
        call_command("train_watermark", data=tmp_path, out=tmp_path / "a.safetensors")
