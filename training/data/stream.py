"""Batches from processes that make them while the network learns from others."""

from collections.abc import Generator
from typing import TypeVar

from torch.utils.data import DataLoader, IterableDataset

Batch = TypeVar("Batch")
AHEAD = 4  # batches that each process makes in advance


def stream(examples: IterableDataset[Batch], workers: int) -> Generator[Batch]:
    """As many as the examples give. `workers`: processes that make them; 0: this one, whenever one is wanted."""
    # Spawned, not forked: OpenCV's threads do not survive a fork, and the child would wait for them for ever.
    how = {"num_workers": workers, "multiprocessing_context": "spawn", "prefetch_factor": AHEAD} if workers else {}
    yield from DataLoader(examples, None, **how)  # type: ignore[arg-type]
