"""What this machine has and can do. Imports no torch before it is asked something that only torch knows."""

import gc
import os
import platform
import sys
from pathlib import Path

CPU_LINES = "model name", "cpu family", "model\t", "stepping"  # of /proc/cpuinfo
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # bytes that a container may have, or "max"


def device() -> str:
    """Where networks run: cuda or cpu."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def is_gpu(device: str) -> bool:
    """Whether a device gains by computing several pictures at once, in half precision and by plain products."""
    return device == "cuda"


def gpu_available() -> bool:
    return Path("/dev/nvidiactl").exists()  # torch would know better, but its import takes seconds


def cores() -> int:
    return os.cpu_count() or 1


def has_fast_fp16(device: str) -> bool:
    """Whether half precision has hardware of its own here, and is not only a way to store numbers."""
    import torch

    return is_gpu(device) or bool(torch.cpu.get_capabilities().get("amx_fp16", False))


def has_fast_bf16(device: str) -> bool:
    """The same for bfloat16, which is fit for networks that were trained in it."""
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    # Intel's AVX-512 has the instruction, but at less than half the pace of fp32's: measured, 0.6 times as fast in all.
    return bool(able.get("amx_bf16", False) or (able.get("avx512_bf16", False) and not made_by_intel()))


def made_by_intel() -> bool:
    """Whether the processor is Intel's, as far as the system says (Linux does)."""
    about = Path("/proc/cpuinfo")
    return about.exists() and "GenuineIntel" in about.read_text()


def processor(device: str) -> str:
    """What the device is called, as exactly as it says."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    about = Path("/proc/cpuinfo")
    lines = dict.fromkeys(about.read_text().splitlines()) if about.exists() else {}
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith(CPU_LINES)]
    return " ".join(named) or platform.processor() or platform.machine()


def memory() -> float:
    """Megabytes that this machine or container has."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = CGROUP_LIMIT.read_text().strip() if CGROUP_LIMIT.exists() else "max"
    return (pages if limit == "max" else min(pages, int(limit))) / 1e6


def release_memory() -> None:
    """Give back what unloaded models held."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _compute_alone() -> None:
    """A forked child has none of the threads that its parent's computations started, and would wait for them."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


os.register_at_fork(after_in_child=_compute_alone)
