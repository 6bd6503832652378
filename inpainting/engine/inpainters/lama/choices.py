"""Which kernels were found to be the fastest, kept from one start to the next in a small JSON file."""

import json
import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from inpainting.engine import hardware
from inpainting.engine.inpainters.lama.fast.kernels import Kernels
from inpainting.engine.inpainters.lama.fast.timing import rank
from inpainting.engine.inpainters.lama.network import Lama

logger = logging.getLogger(__name__)


def fastest(lama: Lama, forms: list[Kernels], device: str, file: Path | None) -> list[Kernels]:
    """The forms, the fastest first: as the file says of this machine and such weights, or measured
    now, in less than a second.

    `file`: None, and it is always measured. What was measured while the machine was busy is not written. Where the file
    cannot be read or written, that is logged.
    """
    key = _key(lama, forms, device)
    known = _read(file)
    if key in known:
        try:
            return [Kernels(**form) for form in known[key]]
        except TypeError:  # another version wrote other members
            logger.info("%s does not say which kernels to use: measured anew", file)
    order, certain = rank(lama, forms, device)
    if file is not None and certain:
        _write(file, {**_read(file), key: [asdict(form) for form in order]})
    return order


def _key(lama: Lama, forms: list[Kernels], device: str) -> str:
    """What decides how fast a form is."""
    precisions = "/".join(sorted({form.precision for form in forms}))
    threads = f"{torch.get_num_threads()} threads, " if device == "cpu" else ""
    channels = sum(lama.config.channels)
    return f"{hardware.processor(device)}, {threads}torch {torch.__version__}, {channels} channels, {precisions}"


def _read(file: Path | None) -> dict[str, Any]:
    if file is None or not file.exists():
        return {}
    try:
        known = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read: %s", file, error)
        return {}
    return known if isinstance(known, dict) else {}


def _write(file: Path, known: dict[str, Any]) -> None:
    """All at once: who reads it meanwhile sees what was there before."""
    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(known, indent=1, sort_keys=True))
        part.replace(file)
    except OSError as error:
        logger.warning("%s cannot be written: %s", file, error)
