"""`python -m training`, its verbs, and what each leaves on disk."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.conftest import Training
from training.__main__ import VERBS
from training.data import crops
from training.hybrid import HybridTrainer
from training.trainer import Recipe
from training.watermark.mending import MendingTrainer

ROOT = Path(__file__).parents[2]
TRAINERS: dict[str, tuple[Any, str]] = {
    "mend": (MendingTrainer, "before"),
    "hybrid": (HybridTrainer, "made_dist"),
}  # and a figure of each


def test_help_names_every_verb_and_needs_no_torch() -> None:
    code = "import sys, training.__main__ as main; print('torch' in sys.modules); main.main(['--help'])"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)

    assert done.stdout.startswith("False\n")
    assert all(f"    {verb} " in done.stdout or f"    {verb}\n" in done.stdout for verb in VERBS)


@pytest.mark.slow
@pytest.mark.usefixtures("_small_features")
@pytest.mark.parametrize("verb", TRAINERS)
def test_it_trains_and_writes_what_can_be_gone_on_from(
    verb: str, data: Path, tmp_path: Path, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, judged = TRAINERS[verb]
    monkeypatch.setattr(crops, "HELD_OUT", 2)
    out = tmp_path / "out/net.safetensors"

    ran = training(verb, "--data", data, "--out", out, "--steps", 1, "--side", 64, "--batch", 2, "--workers", 0)

    assert ran.said.endswith("net.safetensors is written: 1 steps, 2 pictures.\n")
    state = torch.load(out.with_suffix(".checkpoint"), weights_only=True)
    assert state["step"] == 1
    assert state["curve"][-1][judged] > 0
    begun = trainer(Recipe(steps=1), data, out)
    written = torch.load(out.with_suffix(".checkpoint"), weights_only=True)["average"]
    torch.testing.assert_close(begun.net.head.weight, written["head.weight"].half().float(), check_stride=False)
    assert begun.net.head.weight.requires_grad


@pytest.mark.parametrize(
    ("verb", "options", "message"),
    [
        ("mend", ("--side", "66"), "--side: a multiple of 4, at least 64"),
        ("hybrid", ("--side", "100"), "--side: a multiple of 8"),
        ("watermark", ("--side", "48"), "--side: a multiple of 16, at least 64"),
        ("watermark", ("--out", "net.pt"), r"--out: the name must end in .safetensors"),
    ],
)
def test_refusals_are_one_line(
    verb: str, options: tuple[str, ...], message: str, data: Path, training: Training
) -> None:
    ran = training(verb, "--data", data, "--out", "net.safetensors", *options)

    assert (ran.status, ran.said, ran.error.count("\n")) == (1, "", 1)
    assert message in ran.error


def test_without_a_set_it_says_how_to_make_one(tmp_path: Path, training: Training) -> None:
    ran = training("watermark", "--data", tmp_path, "--out", tmp_path / "net.safetensors", "--workers", 0)

    assert "python -m training data --out" in ran.error


def test_without_what_only_training_needs(tmp_path: Path, training: Training, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "training.loop", None)

    ran = training("mend", "--data", tmp_path, "--out", tmp_path / "net.safetensors")

    assert ran.error.startswith("Training needs training.loop, which the service does not: pip install -r ")


def test_a_set_is_made_of_photographs_alone(folder: Path, tmp_path: Path, training: Training) -> None:
    ran = training("data", "--out", tmp_path / "set", "--photos", folder, "--packages")

    assert ran.said.splitlines()[-1] == f"0 items are in {tmp_path / 'set'}"  # they are too small
    assert "'x' is not KIND=NAME" in training("data", "--out", tmp_path / "set", "--packages", "x").error
