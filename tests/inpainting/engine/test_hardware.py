"""What this machine has and can do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from inpainting.engine import hardware


def test_it_works() -> None:
    assert hardware.device() in ("cpu", "cuda")
    assert hardware.memory() > 100
    hardware.release_memory()


def test_a_container_has_no_more_memory_than_it_is_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(hardware, "CGROUP_LIMIT", limit)
    whole = hardware.memory()

    limit.write_text("50000000\n")
    assert hardware.memory() == 50
    limit.write_text("max\n")
    assert hardware.memory() == whole


@pytest.mark.parametrize(
    ("capabilities", "intel", "fast"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, True, True),
        ({"avx512_bf16": True}, True, False),
        ({"avx512_bf16": True}, False, True),
        ({}, False, False),
    ],
)
def test_bfloat16_only_where_it_is_the_faster(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], intel: bool, fast: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(hardware, "made_by_intel", lambda: intel)

    assert hardware.has_fast_bf16("cpu") is fast


@pytest.mark.slow
def test_a_child_of_a_process_that_has_computed_does_not_hang() -> None:
    """Threads do not survive a fork: torch in a child would wait for its parent's for ever."""
    code = """
import os, torch
from inpainting.engine import hardware
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
lama, x = Lama(LamaConfig(32, 2)).eval(), torch.rand(1, 4, 256, 256)
lama(x)
if os.fork() == 0:
    lama(x)
    os._exit(0)
os.wait()
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=os.environ | {"OMP_NUM_THREADS": "2"})
