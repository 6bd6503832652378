"""Stable Diffusion as an inpainter, through diffusers: one square at a time. RGB uint8 in, RGB uint8 out."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForInpainting
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers.utils import logging as transformers_logging

from inpainting.engine import hardware
from inpainting.engine.crops.resize import mirror
from inpainting.engine.inpainters.diffusion.folder import Folder
from inpainting.engine.inpainters.smooth.push_pull import push_pull
from inpainting.engine.interface import Hole, Picture, Sampling
from inpainting.engine.weights import WeightsError

STEPS, GUIDANCE = 30, 7.5  # where the caller says nothing: what diffusers' examples take
WORK = 4 << 30  # bytes of GPU memory that a square takes beside the weights, at most (not measured)


@dataclass(frozen=True)
class Form:
    side: int  # pixels of the squares that the model was trained on
    strength: float  # of the noise that a hole starts from: 1 is noise alone


SD = Form(512, 1.0)
# At 1 the whole square blurs, says its card; below, the hole's own pixels would show. So the hole is filled before.
SDXL = Form(1024, 0.99)


def load(folder: Folder) -> Any:
    """The pipeline in a folder that was checked. WeightsError: diffusers cannot make one of it."""
    for log in (diffusers_logging, transformers_logging):
        log.set_verbosity_error()  # they would log the ends of prompts that are too long
        log.disable_progress_bar()
    on_gpu = hardware.device() == "cuda"
    try:
        pipeline = AutoPipelineForInpainting.from_pretrained(
            str(folder.path),
            local_files_only=True,
            use_safetensors=True,
            variant=folder.variant,
            dtype=torch.float16 if on_gpu else torch.float32,
            **dict.fromkeys(folder.left_out),  # without the checker, which blackens pictures
        )
    except Exception as error:  # each of its readers has errors of its own
        raise WeightsError(f"{folder.path} cannot be read by diffusers: {error}") from error
    pipeline.set_progress_bar_config(disable=True)
    if on_gpu and torch.cuda.mem_get_info()[0] < folder.bytes + WORK:
        pipeline.enable_model_cpu_offload()
    else:
        pipeline.to(hardware.device())
    return pipeline


class DiffusionInpainter:
    def __init__(self, pipeline: Any, weights: str, form: Form) -> None:
        self.weights, self.device = weights, hardware.device()
        self.precision = "fp16" if self.device == "cuda" else "fp32"
        self._pipeline, self._form = pipeline, form
        self._one = threading.Lock()  # a scheduler keeps the state of a call

    def fill(self, picture: Picture, hole: Hole) -> Picture:
        return self.sample(picture, hole, Sampling())

    @torch.inference_mode()
    def sample(self, picture: Picture, hole: Hole, sampling: Sampling) -> Picture:
        """As `Sampler.sample`, of sides up to the form's: the crops' limits see to that."""
        side, (height, width) = self._form.side, hole.shape
        steps = STEPS if sampling.steps is None else sampling.steps
        with self._one:
            (made,) = self._pipeline(
                prompt=sampling.prompt or "",
                negative_prompt=sampling.negative_prompt or None,
                image=Image.fromarray(mirror(push_pull(picture, hole), side, side)),
                mask_image=Image.fromarray(mirror(hole, side, side).astype(np.uint8) * 255),
                height=side,
                width=side,
                strength=self._form.strength if steps > 1 else 1.0,  # less of one step is none
                num_inference_steps=steps,
                guidance_scale=_guidance(sampling),
                generator=torch.Generator().manual_seed(seed(picture, hole, sampling)),
                output_type="np",
            ).images
        pixels = np.rint(np.nan_to_num(made[:height, :width]) * 255).astype(np.uint8)
        return np.where(hole[..., None], pixels, picture)


def _guidance(sampling: Sampling) -> float:
    """Nothing to be led to or away from: 1, which asks the network once a step instead of twice."""
    if not (sampling.prompt or sampling.negative_prompt):
        return 1.0
    return GUIDANCE if sampling.guidance is None else sampling.guidance


def seed(picture: Picture, hole: Hole, sampling: Sampling) -> int:
    """0..2^32-1: the caller's; else one of what is known around the hole, the hole and all that was asked for."""
    if sampling.seed is not None:
        return sampling.seed
    told = hashlib.blake2b(repr((hole.shape, astuple(sampling))).encode(), digest_size=4)
    told.update(np.where(hole[..., None], 0, picture).astype(np.uint8).tobytes())
    told.update(np.packbits(hole).tobytes())
    return int.from_bytes(told.digest())
