"""What a call asks for, apart from the pixels."""

import json

import pytest

from inpainting.engine import Sampling
from inpainting.options import MODES, Options


def test_it_works() -> None:
    options = Options(model="patchmatch", mode="restore", grow=3, format="auto", metadata="keep")

    assert Options.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_an_option_that_is_newer_than_what_was_stored_has_its_default() -> None:
    assert Options.from_json({"grow": 3}) == Options(grow=3)


def test_what_nobody_asks_for_is_not_stored_so_that_older_workers_can_read_it() -> None:
    assert Options(grow=3).to_json() == {"grow": 3, "format": "png", "metadata": "strip"}
    assert Options(prompt="grass", seed=0).to_json().keys() == {"grow", "format", "metadata", "prompt", "seed"}


def test_sampling_is_what_is_asked_of_a_model_that_invents() -> None:
    assert Options(grow=3).sampling is None
    assert Options(seed=0).sampling == Sampling(seed=0)


def test_without_a_mode_a_mask_is_repainted_and_a_watermark_looked_for() -> None:
    assert Options().mode_for(masked=True) == "repaint"
    assert Options().mode_for(masked=False) == "auto"


@pytest.mark.parametrize("mode", MODES)
def test_the_mode_that_was_asked_for_holds_with_and_without_a_mask(mode: str) -> None:
    options = Options.from_json({"mode": mode})

    assert {options.mode_for(masked=True), options.mode_for(masked=False)} == {mode}
