"""`dpanet train-defocus`: train the defocus head of a finished network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dpanet.cli.options import MaxMegapixels, apply_max_megapixels
from dpanet.terminal.failure import UsageError


def train_defocus(
    model: Annotated[str, Parameter(name="MODEL")],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    photographs: str,
    kernels: Path | None = None,
    half: Annotated[bool, Parameter(negative=())] = False,
    steps: int = 800,
    max_megapixels: MaxMegapixels = None,
) -> None:
    """Train the defocus head of a finished network, so that it can write defocus maps.

    Only the head changes; the pictures of the network stay the same, bit for bit.

    Parameters
    ----------
    model
        A shipped model's name, or a file.
    output
        The file of the new model; it must not exist.
    photographs
        A folder of sharp photographs, or scikit-image for the ones of that package.
    kernels
        A folder of measured kernels; without it, scenes have the blur of simulated lenses only.
    half
        Store the weights in half precision, as shipped models are.
    steps
        The number of training steps.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    if steps < 1:
        raise UsageError(f"--steps is {steps}; give at least 1")

    import torch

    from dpanet.checkpoints.model_file import load_model, save_model
    from dpanet.engines.allocator import reuse_freed_memory
    from dpanet.errors import ConfigError
    from dpanet.files.output import prepare_output
    from dpanet.network import DPANet
    from dpanet.simulation.scene_config import SceneConfig
    from dpanet.training.defocus_head import train_defocus_head
    from dpanet.training.simulated_data import SimulatedData

    prepare_output(output, suffixes=(".safetensors",))
    network = load_model(model)
    if not isinstance(network, DPANet):
        raise ConfigError(f"{model} is not a DPANet, so it has no alignment to read the blur from; give one")
    measured = SceneConfig().measured if kernels else 0.0
    scenes = SceneConfig(measured=measured, quantized=0.0)  # as the shipped head was trained
    simulator = SimulatedData(photographs=photographs, kernels=str(kernels or ""), scenes=scenes).simulator()
    assert simulator is not None
    with reuse_freed_memory():
        trained = train_defocus_head(
            network, simulator, steps=steps, report=lambda line: print(line, flush=True)
        )
    save_model(trained, output, torch.float16 if half else torch.float32)
    print(output)
