"""manage.py train_refinement and train_hybrid."""

from pathlib import Path
from types import ModuleType

import pytest
import torch
from django.core.management import CommandError, call_command

from training import hybrid
from training.data import crops
from training.run import Recipe
from training.watermark import mending as refinement


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crops, "HELD_OUT", 2)


@pytest.mark.usefixtures("_small_features")
@pytest.mark.parametrize(
    ("command", "module", "judged"), [("train_refinement", refinement, "before"), ("train_hybrid", hybrid, "made_dist")]
)
def test_it_trains_and_writes_what_can_be_gone_on_from(
    command: str, module: ModuleType, judged: str, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out/net.safetensors"

    call_command(command, data=data, out=out, hours=0.0002, side=64, batch=2)

    state = torch.load(out.with_suffix(".checkpoint"), weights_only=True)
    assert state["step"] >= 1
    assert state["curve"][-1][judged] > 0
    begun = module.Trainer(Recipe(), out).net.head.weight
    torch.testing.assert_close(begun, module.load(out).head.weight, check_stride=False)
    assert begun.requires_grad


@pytest.mark.parametrize(("command", "multiple", "side"), [("train_refinement", 4, 66), ("train_hybrid", 8, 100)])
def test_crops_must_fit_the_network(command: str, multiple: int, side: int, data: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"a multiple of {multiple}"):
        call_command(command, data=data, out=tmp_path / "a.safetensors", side=side)
