"""The command on a real service."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.live.service import Service

from iopaint import IOPaintClient
from iopaint.command.main import main
from tests import pictures

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[1] / "src"


@pytest.fixture
def photos(environment: None, folder: Path) -> Path:
    """A folder with two pictures, of unlike names, a text and a hidden file."""
    photos = folder / "Фото"
    photos.mkdir()
    for name in ("a.jpg", "Straße 图片.JPG", ".hidden.jpg"):
        shutil.copy("image.jpg", photos / name)
    (photos / "note.txt").write_text("text")
    return photos


def test_it_works(environment: None, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "image.jpg", "--mask", "mask.png"]) == 0
    assert capsys.readouterr().out == "image-clean.png\n"
    assert pictures.pixels((folder / "image-clean.png").read_bytes()).shape == (64, 96, 3)

    assert main(["detect", "image.jpg", "--json", "--save-mask", "found.png"]) == 0
    assert json.loads(capsys.readouterr().out)["boxes"] == []
    assert (folder / "found.png").exists()

    assert main(["stats", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"] == "enterprise"


@pytest.mark.parametrize("command", ["clean", "batch"])
def test_a_folder_goes_on_where_it_stopped(command: str, photos: Path, folder: Path) -> None:
    results, mask = folder / "results", shutil.move("mask.png", photos / "mask.png")  # which is none of the pictures

    assert main([command, str(photos), "-o", str(results), "--mask", str(mask)]) == 0
    assert sorted(path.name for path in results.iterdir()) == ["Straße 图片.png", "a.png"]

    (results / "a.png").write_text("left alone")
    (results / "Straße 图片.png").unlink()
    assert main([command, str(photos), "-o", str(results), "--mask", str(mask)]) == 0
    assert (results / "a.png").read_text() == "left alone"
    assert pictures.pixels((results / "Straße 图片.png").read_bytes()).shape == (64, 96, 3)


def test_a_file_that_is_no_picture_stops_no_other(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(photos / "note.txt", photos / "Note.jpg")

    assert main(["clean", str(photos), "--mask", "mask.png"]) == 1

    told = capsys.readouterr().err
    assert "Note.jpg: Invalid image" in told
    assert told.endswith("\n2 cleaned; 1 failed\n")
    assert len(list(photos.with_name("Фото-clean").iterdir())) == 2


def test_what_stops_every_picture_is_told_once(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in (["--model", "none"], ["--mark", "00000000-0000-0000-0000-000000000000"]):
        assert main(["clean", str(photos), *wrong]) == 1
        assert capsys.readouterr().err.count("iopaint: ") == 1

    assert main(["clean", str(photos)]) == 0
    assert "2 unchanged and not charged: no watermark was found" in capsys.readouterr().err
    assert main(["clean", str(photos)]) == 0
    assert "2 were there already" in capsys.readouterr().err


def test_ctrl_c_loses_and_charges_nothing(
    photos: Path, service: Service, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 40
    for number in range(count):
        shutil.copy("image.jpg", photos / f"{number:02}.jpg")
    for hidden in photos.glob("*a*"):
        hidden.unlink()
    used = _used(capsys)
    command = [sys.executable, "-m", "iopaint", "clean", str(photos), "-o", "results", "--mask", "mask.png"]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what it runs in the background deaf to Ctrl-C, tests and their children too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads yet
    )
    while not list((folder / "results").glob("*.png")):
        assert process.poll() is None
        time.sleep(0.01)

    process.send_signal(signal.SIGINT)

    assert "goes on from there" in process.communicate(timeout=60)[1]
    assert process.returncode == 130
    done = list((folder / "results").iterdir())
    assert 0 < len(done) < count
    assert all(pictures.pixels(path.read_bytes()).shape == (64, 96, 3) for path in done)
    assert main(["clean", str(photos), "-o", "results", "--mask", "mask.png"]) == 0
    assert len(list((folder / "results").iterdir())) == count
    assert _used(capsys) - used == count


def test_a_quota_that_is_used_up_stops_it(
    photos: Path, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = service.manage("create_api_key", "--email", "poor@b.c", "--plan", "enterprise")
    service.manage(
        *("shell", "-v", "0", "-c"),
        "from accounts.models import *; Subscription.objects.filter(user__email='poor@b.c').update(quota=1)",
    )
    monkeypatch.setenv("IOPAINT_API_KEY", key)

    assert main(["clean", str(photos), "-o", "results", "--mask", "mask.png"]) == 5

    assert "quota" in capsys.readouterr().err.lower()
    assert len(list(Path("results").iterdir())) == 1


def test_exit_codes_tell_what_is_wrong(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (
        ["clean", "nothing.jpg"],
        ["clean", str(photos), "-o", str(photos)],
        ["clean", "image.jpg", "-o", "image.jpg"],
        ["clean", "image.jpg", "--grow", "65"],
        ["batch", "-o", "results"],
        ["paint"],
    ):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2, arguments

    assert main(["clean", "image.jpg", "-o", "mask.png/result.png"]) == 1
    monkeypatch.setenv("IOPAINT_API_KEY", "sk_live_wrong")
    assert main(["clean", str(photos)]) == 3
    monkeypatch.setenv("IOPAINT_BASE_URL", "http://127.0.0.1:9")
    assert main(["stats"]) == 4


def test_a_batch_can_be_fetched_later(photos: Path, folder: Path) -> None:
    batch = IOPaintClient().create_batch(sorted(photos.glob("[!.]*.[Jj]*")), mask="mask.png", format="jpeg")

    assert main(["batch", "--id", batch.id, "-o", "later"]) == 0

    assert sorted(path.name for path in (folder / "later").iterdir()) == ["Straße 图片.jpg", "a.jpg"]


def test_what_failed_is_done_again_first(folder: Path, environment: None, capsys: pytest.CaptureFixture[str]) -> None:
    client, black = IOPaintClient(), pictures.file(pictures.box_mask() * 0)
    batch = client.create_batch(["img1.jpg", "img2.jpg"], masks=["mask.png", black])
    assert [item.index for item in client.follow_batch(batch.id) if item.error] == [1]

    assert main(["batch", "--id", batch.id, "--retry", "-o", "later"]) == 1

    assert "img2: " in capsys.readouterr().err
    assert [path.name for path in (folder / "later").iterdir()] == ["img1.png"]
    good = client.create_batch(["img1.jpg"], mask="mask.png")
    assert main(["batch", "--id", good.id, "--retry", "-o", "good"]) == 0
    assert "Nothing can be tried again" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["batch", "img1.jpg", "--retry", "-o", "good"])


def test_results_that_the_service_does_not_keep(photos: Path, folder: Path) -> None:
    assert main(["batch", str(photos), "-o", "once", "--mask", "mask.png", "--expires-in", "0"]) == 0

    assert sorted(path.name for path in (folder / "once").iterdir()) == ["Straße 图片.png", "a.png"]
    client = IOPaintClient()
    assert [item.result for item in client.batch_items(client.batches(1)[0].id)] == [None, None]


def _used(capsys: pytest.CaptureFixture[str]) -> int:
    capsys.readouterr()
    main(["stats", "--json"])
    return int(json.loads(capsys.readouterr().out)["quota"]["used"])
