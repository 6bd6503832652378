"""A LaMa generator of a checkpoint: safetensors, the TorchScript release or the training checkpoint."""

import re
from pathlib import Path

import torch

from inpainting.engine.inpainters.checkpoints import generator
from inpainting.engine.inpainters.lama.network import Lama, LamaConfig
from inpainting.engine.weights import WeightsError

FIRST = "model.1.ffc.convl2l.weight"  # (ngf, 4, 7, 7)
BLOCK = re.compile(r"model\.\d+\.conv1\.ffc\.convl2l\.weight")


def load(path: Path) -> Lama:
    """The generator in a file, in evaluation mode and fp32; its width and depth are told from the shapes.

    WeightsError: the file is no checkpoint of this network.
    """
    state = generator(path, FIRST, "LaMa generator")
    blocks = sum(bool(BLOCK.fullmatch(key)) for key in state)
    with torch.device("meta"):
        lama = Lama(LamaConfig(ngf=len(state[FIRST]), n_blocks=blocks))
    expected = lama.state_dict()
    wrong = [key for key, value in expected.items() if key in state and state[key].shape != value.shape]
    wrong += [key for key in expected if key not in state and not key.endswith("num_batches_tracked")]
    if wrong:
        raise WeightsError(f"{path.name} is no LaMa generator of this form: {wrong[0]} is missing or of another shape.")
    lama.to_empty(device="cpu").load_state_dict({key: state.get(key, torch.tensor(0)) for key in expected})
    return lama.eval().requires_grad_(False)
