"""A diffusers folder, looked at before anything of it is loaded. Imports neither torch nor diffusers.

model_index.json names the classes that diffusers would import, and may name files of the folder itself. Only those that
are listed here are let through, and only weights in safetensors: nothing in a folder is run, and no pickle is read.
"""

from __future__ import annotations

import importlib.util
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from inpainting.engine.weights import WeightsError

INDEX = "model_index.json"
Classes = frozenset[tuple[str, str]]  # library and class

SCHEDULERS: Classes = frozenset(
    ("diffusers", f"{name}Scheduler")
    for name in ("PNDM", "DDIM", "DDPM", "EulerDiscrete", "EulerAncestralDiscrete", "DPMSolverMultistep")
)
TEXT: Classes = frozenset({("transformers", "CLIPTextModel")})
TOKENIZER: Classes = frozenset({("transformers", "CLIPTokenizer"), ("transformers", "CLIPTokenizerFast")})
BASE = {
    "vae": frozenset({("diffusers", "AutoencoderKL")}),
    "unet": frozenset({("diffusers", "UNet2DConditionModel")}),
    "scheduler": SCHEDULERS,
    "text_encoder": TEXT,
    "tokenizer": TOKENIZER,
}


@dataclass(frozen=True)
class Kind:
    """One of the two pipelines: the class names that its folder may have, and what each component may be."""

    name: str
    work: float  # megabytes of what it computes for a square, beside its weights; not measured with published ones
    pipelines: frozenset[str]
    components: dict[str, Classes]


SD = Kind("Stable Diffusion", 2000, frozenset({"StableDiffusionInpaintPipeline", "StableDiffusionPipeline"}), BASE)
SDXL = Kind(
    "Stable Diffusion XL",
    4000,
    frozenset({"StableDiffusionXLInpaintPipeline", "StableDiffusionXLPipeline"}),
    {
        **BASE,
        "text_encoder_2": frozenset({("transformers", "CLIPTextModelWithProjection")}),
        "tokenizer_2": TOKENIZER,
    },
)
KINDS = {"sd": SD, "sdxl": SDXL}
# Are never loaded: they judge what was made, or take pictures as prompts.
LEFT_OUT = ("safety_checker", "feature_extractor", "image_encoder")


@dataclass(frozen=True)
class Folder:
    path: Path
    left_out: tuple[str, ...]  # components that it names and nobody loads
    variant: str | None  # fp16 where its files are such alone
    bytes: int  # of the weights that are loaded


def chosen(name: str) -> Folder:
    """What SD_WEIGHTS or SDXL_WEIGHTS names. WeightsError: nothing, or nothing that can be used; says what to do."""
    setting = f"{name.upper()}_WEIGHTS"
    if not getattr(settings, setting):
        raise WeightsError(
            f"it has no weights yet. Set {setting} to a diffusers folder; manage.py fetch_weights {name} says how to "
            "get one."
        )
    found = check(Path(getattr(settings, setting)), KINDS[name])
    if not is_readable():
        raise WeightsError("diffusers is not installed here. Run pip install -r requirements-diffusion.txt.")
    return found


def is_readable() -> bool:
    """Whether what requirements-diffusion.txt names is installed."""
    return all(importlib.util.find_spec(package) for package in ("diffusers", "transformers", "accelerate"))


def label(name: str) -> str | None:
    """The chosen folder's name, None where it cannot be used."""
    with suppress(WeightsError):
        return chosen(name).path.name
    return None


def megabytes(name: str) -> float:
    """Of memory, about: fp16 files become fp32 on a CPU. 0 where there is nothing to load."""
    with suppress(WeightsError):
        return 2 * chosen(name).bytes / 1e6 + KINDS[name].work
    return 0.0


def check(path: Path, kind: Kind) -> Folder:
    """What is in it. WeightsError: it is not of this kind, or holds what is not let through; says which."""
    index = _index(path)
    pipeline = index.pop("_class_name", None)
    if not isinstance(pipeline, str) or pipeline not in kind.pipelines:
        raise WeightsError(f"{path} holds no {kind.name} for inpainting: {INDEX} names {pipeline!r}.")
    components = {name: value for name, value in index.items() if isinstance(value, list)}
    for name, value in components.items():
        if name not in LEFT_OUT and value not in [list(known) for known in kind.components.get(name, ())]:
            raise WeightsError(f"{path} is refused: {INDEX} names {value!r} as its {name}, which is not let through.")
    if missing := kind.components.keys() - components.keys():
        raise WeightsError(f"{path} has no {min(missing)}: {INDEX} does not name it.")
    weighty = [name for name in kind.components if name in ("vae", "unet") or name.startswith("text_encoder")]
    unet = path / "unet"
    variant = "fp16" if _files(unet, "fp16") and not _files(unet, None) else None
    files = {name: _files(path / name, variant) for name in weighty}
    for name, found in files.items():
        if not found:
            raise WeightsError(f"{path / name} has no weights in safetensors; other files are not read.")
    size = sum(file.stat().st_size for found in files.values() for file in found)
    return Folder(path, tuple(name for name in LEFT_OUT if name in components), variant, size)


def _index(path: Path) -> dict[str, Any]:
    try:
        index = json.loads((path / INDEX).read_bytes())
    except OSError as error:
        raise WeightsError(f"there is no diffusers folder at {path}: it has no {INDEX} that can be read.") from error
    except ValueError as error:
        raise WeightsError(f"{path / INDEX} is no JSON: {error}") from error
    if not isinstance(index, dict):
        raise WeightsError(f"{path / INDEX} is no JSON object.")
    return index


def _files(component: Path, variant: str | None) -> list[Path]:
    """Its weights in safetensors: of the variant alone, or those without one."""
    files = sorted(component.glob("*.safetensors"))
    return [file for file in files if (".fp16" in file.name) == (variant == "fp16") and ".non_ema" not in file.name]
