"""benchmarks.soak for seconds: no answer is lost or wrong. How long answers take is for a machine of its own."""

from pathlib import Path

from benchmarks.soak import SERVER, Soak
from tests.live.service import running


def test_it_works(tmp_path: Path) -> None:
    with running(tmp_path, **SERVER) as service:
        soak = Soak(service, sizes=((160, 120), (320, 240)))
        learnt = soak.learn()
        filled = soak.fill(20, first=10, settle=0)
        crowded, *times = soak.crowd(clients=24, seconds=4)
        stopped, paid = soak.stop_under_load(clients=8)

    assert learnt.kept, learnt
    assert "x lost" not in filled.measured
    assert "wrong" not in filled.measured
    assert "MiB" in filled.measured
    assert crowded.kept, crowded
    assert len(times) == 4
    assert stopped.kept, stopped
    assert paid.kept, paid
