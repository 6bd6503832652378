"""What a result came from: a line to stand above each table."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
# As script/server sets them; read before Python starts.
ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "4294967296"}


def describe() -> str:
    lines = CPUINFO.read_text().splitlines() if CPUINFO.exists() else []
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in found.items()}
    flags = fields.get("flags", "").split()
    has = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_fp16") if flag in flags]
    name, load = fields.get("model name", platform.processor()), os.getloadavg()[0]
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    return (
        f"{name}, {os.cpu_count()} cores ({', '.join(has)}), torch {version('torch')}, {threads} threads, "
        f"Python {platform.python_version()}, load {load:.1f} before the run"
    )


def as_served() -> None:
    """Start this program again with the server's allocator settings, if it has others."""
    if not ALLOCATOR.items() <= os.environ.items():
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ALLOCATOR})  # noqa: S606
