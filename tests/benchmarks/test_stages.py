"""The benchmarks' own code, at sizes that take no time: that it still fits the service, not how fast anything is."""

import pytest

from benchmarks import page, photographs, stages
from tests.conftest import Account

PHOTO = photographs.file(photographs.photograph(64, 64))
MASK = photographs.file(photographs.corner_watermark(64, 64))


@pytest.mark.parametrize("path", ["/api/v1/remove-watermark", "/inpaint-multipart"])
def test_it_works(alice: Account, path: str) -> None:
    seconds = stages.measure(stages.sender(alice.client, path, PHOTO, MASK, model="patchmatch"))

    for stage in ("decode", "mask", "plan", "net", "composite", "encode", "database", "django"):
        assert seconds[stage] > 0, stage
    assert ("storage" in seconds) == (path == "/inpaint-multipart")
    assert seconds["whole"] == pytest.approx(sum(seconds.values()) - seconds["whole"] - seconds["share"])
    assert 0 < seconds["share"] < 1


def test_a_request_that_is_refused_is_not_measured(alice: Account) -> None:
    with pytest.raises(AssertionError, match="invalid_image"):
        stages.measure(stages.sender(alice.client, "/api/v1/remove-watermark", b"", MASK))


def test_a_stage_does_not_count_the_stages_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("benchmarks.stages.time.process_time", lambda: now[0])
    clock = stages.Clock()

    def wait(seconds: float) -> None:
        now[0] += seconds

    def outer() -> None:
        wait(1)
        clock.timed("inner", wait)(5)
        wait(1)

    clock.timed("outer", outer)()
    wait(3)
    clock.lap()

    assert clock.seconds == {"django": 3, "outer": 2, "inner": 5}


def test_the_table() -> None:
    measured = [{"whole": 9.0, "share": 0.9}, {"net": 0.2, "encode": 0.01, "whole": 0.21, "share": 0.048}]
    row = stages.row("512, lama", stages.median(measured))

    assert page.line("stages", row).endswith("| 210.0 | 4.8% |")
