"""Others and us, side by side on the same weights: `python -m benchmarks.peers [--jobs 1 2] [--threads 1] [--keep]`.

Installs IOPaint and simple-lama-inpainting into benchmarks/.peers, makes weights of big-lama's shape, and lets all
do each job in turn, again and again, so that what else the machine does troubles all alike. Seconds are of the
processor's time, and all have the allocator settings of script/server. `--keep`: see `page`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, page, photographs
from benchmarks.contender import CONTENDERS, Fill, ours

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(__file__).with_name(".peers")
REQUIREMENTS = Path(__file__).with_name("requirements-peers.txt")
WITH_OUR_PYTHON = ("ours", "eager")
SLOW = 5.0  # CPU seconds; what takes longer is run once
REPEATS = 3


@dataclass(frozen=True)
class Job:
    name: str
    width: int
    height: int
    mask: Callable[[int, int], photographs.Mask]


JOBS = (
    Job("512x512, watermark (2%)", 512, 512, photographs.corner_watermark),
    Job("1024x1024, watermark (2%)", 1024, 1024, photographs.corner_watermark),
    Job("1024x1024, 24 spots (10%)", 1024, 1024, photographs.spots),
    Job("2048x1536, watermark (2%)", 2048, 1536, photographs.corner_watermark),
)


def install() -> Path:
    """The peers' interpreter; made at the first run, and again when the requirements change."""
    python, stamp, wanted = PEERS / "bin" / "python", PEERS / "installed", REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Installing the peers (once)", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", PEERS], check=True)  # noqa: S603
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-r", REQUIREMENTS], check=True)  # noqa: S603
        stamp.write_text(wanted)
    return python


class Contender:
    """A process that does jobs when told to."""

    def __init__(self, name: str, python: Path, weights: Path, threads: int, log: Any) -> None:
        command = [str(python), "-m", "benchmarks.contender", name, str(weights)]
        environment = {**os.environ, **machine.ALLOCATOR, "OMP_NUM_THREADS": str(threads)}
        environment["DATA_DIR"] = str(weights.parent)
        self.process = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        self._answer()  # loaded: kernels are chosen while nobody else loads

    def do(self, job: Path, result: Path) -> dict[str, Any]:
        assert self.process.stdin is not None  # noqa: S101 - Popen was given pipes
        print(json.dumps({"job": str(job), "result": str(result)}), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None  # noqa: S101 - Popen was given a pipe
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args!r} ended with {self.process.wait()}; {PEERS / 'log'} says why.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(60)


def largest_difference(fill: Fill, job: Path, cut: list[list[int]], theirs: Path) -> int:
    """Levels of 255 between IOPaint's result and what our network makes of the very crops that IOPaint cut out."""
    with np.load(job) as arrays:
        picture, hole = arrays["picture"], arrays["hole"]
    mine = picture.copy()
    for left, top, right, bottom in cut or [[0, 0, picture.shape[1], picture.shape[0]]]:
        box = slice(top, bottom), slice(left, right)
        mine[box] = fill(picture[box], hole[box])
    return int(np.abs(mine.astype(int) - np.load(theirs)).max())


def compare(job: Job, contenders: dict[str, Contender], fill: Fill, folder: Path) -> list[page.Row]:
    """A row of the table for each contender."""
    path, results = folder / "job.npz", {name: folder / f"{name}.npy" for name in contenders}
    picture, hole = photographs.photograph(job.width, job.height), job.mask(job.width, job.height)
    np.savez(path, picture=picture, hole=hole)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    for _ in range(REPEATS):
        for name, contender in contenders.items():
            if all(run["cpu"] < SLOW for run in runs[name]):
                runs[name].append(contender.do(path, results[name]))
    cpu = {name: statistics.median(run["cpu"] for run in done) for name, done in runs.items()}
    cut = {name: done[0]["crops"] for name, done in runs.items() if name == "iopaint"}
    differences = {name: largest_difference(fill, path, crops, results[name]) for name, crops in cut.items()}
    return [
        {
            "job": job.name,
            "who": name,
            "cpu": round(cpu[name], 3),
            "ratio": round(cpu[name] / cpu["ours"], 3),
            "memory": round(max(run["memory"] for run in done)),
            "difference": differences.get(name),
        }
        for name, done in runs.items()
    ]


def weights_of_one_network(folder: Path) -> tuple[Path, Path]:
    """As ours are saved, and as the others' release is. The network itself is let go: contenders need the memory."""
    from benchmarks import networks

    lama = networks.calibrated(networks.BIG)
    own = networks.save(lama, folder / "big-lama-shaped.safetensors")
    return own, networks.save_release(lama, folder / "hub" / "checkpoints" / "big-lama.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    numbers = range(1, len(JOBS) + 1)
    parser.add_argument("--jobs", type=int, nargs="+", choices=numbers, default=[*numbers])
    parser.add_argument("--threads", type=int, default=1)
    peers = [name for name in CONTENDERS if name != "ours"]
    parser.add_argument("--against", nargs="+", choices=peers, default=peers, help="Fewer need less memory and time.")
    parser.add_argument("--keep", action="store_true", help="Put the table on the page.")
    options = parser.parse_args()
    python = install()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    about, rows = machine.describe(), list[page.Row]()
    print(about, page.header("peers"), sep="\n\n", flush=True)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        own, release = weights_of_one_network(folder)
        log = stack.enter_context((PEERS / "log").open("w"))
        contenders = {}
        for who in ("ours", *options.against):
            is_ours = who in WITH_OUR_PYTHON
            interpreter, weights = (Path(sys.executable), own) if is_ours else (python, release)
            contenders[who] = Contender(who, interpreter, weights, options.threads, log)
            stack.callback(contenders[who].close)
        fill = whole_frame(own)
        for number in options.jobs:
            compared = compare(JOBS[number - 1], contenders, fill, folder)
            print(*(page.line("peers", row) for row in compared), sep="\n", flush=True)
            rows += compared
    if options.keep:
        page.keep("peers", about, rows)


def whole_frame(weights: Path) -> Fill:
    """Our engine's network on all it is given, without its planner."""
    os.environ["DATA_DIR"] = str(weights.parent)
    ours(weights)
    from inpainting import engine

    def fill(picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        made = engine.load("lama").fill(np.ascontiguousarray(picture), np.ascontiguousarray(hole) > 0)
        return np.where(hole[..., None] > 0, made, picture)

    return fill


if __name__ == "__main__":
    main()
