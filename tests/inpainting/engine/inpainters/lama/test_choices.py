"""What was measured is kept from one start to the next, and measured again where it cannot be used."""

import json
import logging
from pathlib import Path

import pytest

from inpainting.engine.inpainters.lama import choices
from inpainting.engine.inpainters.lama.choices import fastest
from inpainting.engine.inpainters.lama.fast.kernels import Kernels
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from tests.inpainting.engine.conftest import random_lama

FORMS = [Kernels(onednn=True), Kernels()]
ORDER = [Kernels(winograd_from=700), Kernels(onednn=True)]


class Watch:
    """Counts how often it is measured."""

    def __init__(self) -> None:
        self.measured, self.certain = 0, True

    def __call__(self, lama: Lama, forms: list[Kernels], device: str) -> tuple[list[Kernels], bool]:
        self.measured += 1
        return ORDER, self.certain


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(choices, "rank", watch)
    return watch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "kernels.json"


def test_it_works(watch: Watch, small_lama: Lama, file: Path) -> None:
    assert [fastest(small_lama, FORMS, "cpu", file) for _ in range(3)] == [ORDER] * 3
    assert watch.measured == 1
    assert [path.name for path in file.parent.iterdir()] == ["kernels.json"]


def test_other_weights_other_precisions_and_other_machines_are_measured_too(
    watch: Watch, small_lama: Lama, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fastest(small_lama, FORMS, "cpu", file)
    fastest(random_lama(LamaConfig(ngf=16, n_blocks=1)), FORMS, "cpu", file)
    fastest(small_lama, [Kernels("fp16"), *FORMS], "cpu", file)
    monkeypatch.setattr("inpainting.engine.hardware.processor", lambda device: "another")
    fastest(small_lama, FORMS, "cpu", file)

    assert watch.measured == 4
    assert len(json.loads(file.read_text())) == 4


def test_without_a_file_it_is_always_measured(watch: Watch, small_lama: Lama) -> None:
    assert [fastest(small_lama, FORMS, "cpu", None) for _ in range(2)] == [ORDER] * 2
    assert watch.measured == 2


def test_what_is_uncertain_is_used_and_not_kept(watch: Watch, small_lama: Lama, file: Path) -> None:
    watch.certain = False
    assert fastest(small_lama, FORMS, "cpu", file) == ORDER
    assert not file.exists()


@pytest.mark.parametrize("content", ["", "{torn", "[1]", "null"])
def test_a_damaged_file_is_written_anew(watch: Watch, small_lama: Lama, file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    assert [fastest(small_lama, FORMS, "cpu", file) for _ in range(2)] == [ORDER] * 2
    assert watch.measured == 1


@pytest.mark.parametrize("form", [{"tensor_cores": True}, "fp32", 7])
def test_what_another_version_wrote_is_measured_anew(watch: Watch, small_lama: Lama, file: Path, form: object) -> None:
    fastest(small_lama, FORMS, "cpu", file)
    file.write_text(json.dumps({key: [form] for key in json.loads(file.read_text())}))
    assert fastest(small_lama, FORMS, "cpu", file) == ORDER
    assert watch.measured == 2


def test_a_folder_that_cannot_be_written_is_logged(
    watch: Watch, small_lama: Lama, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    with caplog.at_level(logging.WARNING):
        assert fastest(small_lama, FORMS, "cpu", tmp_path / "data" / "kernels.json") == ORDER
    assert "cannot be written" in caplog.text
