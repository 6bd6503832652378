"""The benchmark of GPUs, run small on the CPU; and what it says where there is no GPU."""

import pytest
import torch

from benchmarks import gpu, page


@pytest.mark.slow
def test_it_works(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(gpu, "SMALL", gpu.SMALL._replace(sides=(64,)))
    gpu.main(["--device", "cpu"])

    table = capsys.readouterr().out.split(page.header("gpu") + "\n")[1].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert [row[:4] for row in cells] == [
        *(["lama", "64", precision, at_once] for precision in ("fp32", "fp16") for at_once in ("1", "4", "16")),
        ["hybrid", "64", "fp32", "1"],
        ["detection", "64", cells[-1][2], "1"],
    ]
    assert all(float(row[4].replace(",", "")) > 0 for row in cells)


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no GPU here"):
        gpu.main([])


def test_what_a_cpu_did_is_not_kept(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SystemExit):
        gpu.main(["--device", "cpu", "--keep"])
    assert "does not belong on the page" in capsys.readouterr().err


def test_clients_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("benchmarks.gpu.time.perf_counter", lambda: now[0])

    def ask() -> None:
        now[0] += 0.5

    assert gpu.measure(ask, at_once=1, passes=4) == (2.0, 0.5)
