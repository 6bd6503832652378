"""manage.py train_lama, at a size that takes seconds."""

import csv
import signal
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command
from pytest_django import Settings
from safetensors.torch import load_file, save_file

from inpainting import engine
from inpainting.engine.inpainters.lama.checkpoint import load
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import send
from tests.inpainting.engine import conftest as engines
from training.lama import run as lama_run
from training.lama.trainer import FINE_TUNING, FROM_NOTHING, LamaTrainer, Stage

nothing_loaded = engines.nothing_loaded  # a fixture

pytestmark = pytest.mark.usefixtures("_small_features", "_little")


@pytest.fixture
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lama_run, "NARROW", 8)
    monkeypatch.setattr("training.lama.comparison.CROPS", 2)


Train = Callable[..., str]


@pytest.fixture
def train(folder: Path, tmp_path: Path) -> Train:
    """Runs the command on the folder, for two steps unless told otherwise; gives what it printed."""

    def run(*arguments: str, **options: object) -> str:
        options = {
            "steps": 2,
            "size": 64,
            "batch": 2,
            "blocks": 1,
            "data": folder,
            "out": tmp_path / "mine.safetensors",
        } | options
        call_command("train_lama", *arguments, **options, stdout=(out := StringIO()))
        return out.getvalue()

    return run


def test_it_works(train: Train, tmp_path: Path) -> None:
    said = train()
    assert "7 pictures to learn from, 1 held out" in said
    assert "Step 2: loss " in said
    assert "0 min left" in said
    assert load(tmp_path / "mine.safetensors").config == LamaConfig(ngf=8, n_blocks=1)
    with (tmp_path / "mine.tsv").open() as file:
        (line,) = csv.DictReader(file, delimiter="\t")
    assert line["step"] == "2"
    assert float(line["hole"]) > 0 < float(line["push_pull_hole"])
    assert 0 <= float(line["dead"]) < 1


def test_pictures_that_cannot_be_used_are_told(train: Train, folder: Path) -> None:
    (folder / "bad.png").write_text("no picture")
    assert "1 left out, such as bad.png: cannot identify" in train(steps=1)


@pytest.mark.slow
def test_the_service_runs_on_what_was_trained(
    train: Train,
    tmp_path: Path,
    nothing_loaded: Settings,
    alice: Account,
) -> None:
    train()
    nothing_loaded.LAMA_WEIGHTS = str(tmp_path / "mine.safetensors")
    assert send(alice.client).status_code == 200
    assert (engine.status().model, engine.status().weights, engine.status().state) == ("lama", "mine", "ready")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["release.pt", "best.ckpt", "ours.safetensors"])
def test_it_goes_on_from_weights_of_every_form(train: Train, tmp_path: Path, name: str) -> None:
    """As big-lama is published, TorchScript and training checkpoint, and as ours are kept."""
    lama, path = engines.random_lama(LamaConfig(ngf=8, n_blocks=2)), tmp_path / name
    state = {f"generator.{key}": value for key, value in lama.state_dict().items()}
    if name.endswith(".pt"):
        torch.jit.trace(lama, torch.rand(1, 4, 32, 32)).save(str(path))
    elif name.endswith(".ckpt"):
        torch.save({"state_dict": state, "epoch": 1}, path)
    else:
        save_file(state, path)
    train(origin=str(path), steps=1)
    made = load(tmp_path / "mine.safetensors")
    assert made.config == LamaConfig(ngf=8, n_blocks=2)
    differences = [(a - b).abs().max().item() for a, b in zip(lama.parameters(), made.parameters(), strict=True)]
    assert 0 < max(differences) < 0.01  # it learned, and it started from there


def test_unfinished_weights_learn_on_as_from_nothing(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(engines.random_lama(LamaConfig(ngf=8, n_blocks=1)).state_dict(), tmp_path / "early.safetensors")
    stages: list[Stage] = []
    original = LamaTrainer.__init__

    def watched(self: LamaTrainer, lama: Lama, recipe: object, stage: Stage, *others: object) -> None:
        stages.append(stage)
        original(self, lama, recipe, stage, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(LamaTrainer, "__init__", watched)
    for unfinished in (False, True):
        out = tmp_path / f"{unfinished}.safetensors"
        train(origin=str(tmp_path / "early.safetensors"), unfinished=unfinished, steps=1, out=out)

    assert stages == [FINE_TUNING, FROM_NOTHING]


@pytest.mark.slow
def test_the_same_command_goes_on(train: Train, tmp_path: Path) -> None:
    train(steps=2)
    said = train(steps=3)
    assert "Goes on at step 2" in said
    assert "Step 3: " in said
    assert [line.split("\t")[0] for line in (tmp_path / "mine.tsv").read_text().splitlines()] == ["step", "2", "3"]
    before = (tmp_path / "mine.safetensors").read_bytes()
    assert "Step" not in train(steps=3)  # it is done
    assert (tmp_path / "mine.safetensors").read_bytes() == before


@pytest.mark.slow
def test_interrupted_it_keeps_what_it_has(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take = LamaTrainer.take

    def stopped(trainer: LamaTrainer, batch: object) -> object:
        if trainer.step == 1:
            signal.raise_signal(signal.SIGTERM)
        return take(trainer, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(LamaTrainer, "take", stopped)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(CommandError, match="Stopped"):
        train(steps=5)
    assert signal.getsignal(signal.SIGTERM) is before
    assert load(tmp_path / "mine.safetensors").config == LamaConfig(ngf=8, n_blocks=1)
    monkeypatch.setattr(LamaTrainer, "take", take)
    assert "Goes on at step 1" in train(steps=2)


def test_another_trainings_output_is_left_alone(train: Train, tmp_path: Path) -> None:
    train()
    before = load_file(tmp_path / "mine.safetensors")
    save_file(Lama(LamaConfig(8, 1)).state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(CommandError, match=r"started from a new network of 1 blocks, not from other\.safetensors"):
        train(origin=str(tmp_path / "other.safetensors"))
    torch.testing.assert_close(load_file(tmp_path / "mine.safetensors"), before)


def test_a_loss_that_is_no_number_stops_it_before_anything_is_written(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.lama.trainer.L1_HOLE", float("nan"))
    with pytest.raises(CommandError, match="The loss became nan"):
        train()
    assert not list(tmp_path.glob("mine.*"))


def test_it_says_when_the_weights_are_not_for_use(train: Train) -> None:
    assert "worse than no network at all" in train(steps=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": Path("/nowhere")}, "There is no folder /nowhere"),
        ({"out": Path("mine.pt")}, r"must end in \.safetensors"),
        ({"size": 100}, "a multiple of 8"),
        ({"size": 32}, "a multiple of 8 from 64 on"),
        ({"batch": 0}, "--batch: more than 0"),
        ({"steps": -1}, "--steps: more than 0"),
        ({"origin": "/nowhere/x.pt"}, "there are no weights '/nowhere/x.pt'"),
        ({"origin": ""}, "there are no weights ''"),
    ],
)
def test_refusals_are_one_line(train: Train, options: dict[str, object], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        train(**options)


def test_a_file_that_is_no_weights(train: Train, tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_text("no weights")
    with pytest.raises(CommandError, match=r"bad\.safetensors cannot be read as a checkpoint"):
        train(origin=str(tmp_path / "bad.safetensors"))


def test_without_what_only_training_needs(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "training.lama.run", None)
    with pytest.raises(CommandError, match=r"Training needs training\.lama\.run.*pip install -r requirements-dev\.txt"):
        train()
