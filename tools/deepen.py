"""Give a model more residual blocks, which change nothing until they are trained.

python -m tools.deepen MODEL --blocks 2 5 5 3 --decoder-blocks 7 18 12 4 --bottleneck-blocks 3 -o FILE

The second convolution of each new block is zero, so that the deeper network computes what the model computes, and
training goes on from there. The model's defocus head, which knows its old features alone, is left out.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from dpanet.checkpoints.model_file import load_model, save_model
from dpanet.errors import ConfigError
from dpanet.network.dpanet import DPANet
from dpanet.network.features import ResidualBlock


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--blocks", type=int, nargs="+", required=True, metavar="COUNT")
    parser.add_argument("--decoder-blocks", type=int, nargs="+", required=True, metavar="COUNT")
    parser.add_argument("--bottleneck-blocks", type=int, required=True, metavar="COUNT")
    parser.add_argument("--name", default="custom", help="of the deeper config")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    model = load_model(options.model)
    if not isinstance(model, DPANet):
        raise ConfigError(f"{options.model} is no DPANet; name one, such as compact")
    counts = tuple(options.blocks), tuple(options.decoder_blocks), options.bottleneck_blocks
    save_model(deepen(model, *counts, name=options.name), options.output)


def deepen(
    model: DPANet,
    blocks: tuple[int, ...],
    decoder_blocks: tuple[int, ...],
    bottleneck_blocks: int,
    name: str = "custom",
) -> DPANet:
    """Return a network with more residual blocks whose picture is that of the model.

    Args:
        model: the shallow one.
        blocks: of each encoder level, as `DPANetConfig.blocks`; none less than the model's.
        decoder_blocks: likewise.
        bottleneck_blocks: likewise.
        name: of the config.

    Raises: ConfigError if a level would lose blocks.
    """
    old = model.config
    before = (*old.blocks, *old.decoder_blocks, old.bottleneck_blocks)
    after = (*blocks, *decoder_blocks, bottleneck_blocks)
    if len(before) != len(after) or any(a < b for a, b in zip(after, before, strict=True)):
        raise ConfigError(
            f"blocks are {after}, those of the model {before}; give as many or more for each level"
        )
    config = replace(
        old,
        blocks=blocks,
        decoder_blocks=decoder_blocks,
        bottleneck_blocks=bottleneck_blocks,
        defocus=False,
        name=name,
    )
    network = DPANet(config)
    weights = {key: value for key, value in model.state_dict().items() if not key.startswith("defocus.")}
    missing, _ = network.load_state_dict(weights, strict=False)
    for part, block in network.named_modules():
        if isinstance(block, ResidualBlock) and f"{part}.conv2.weight" in missing:
            block.conv2.weight.data.zero_()
    return network.eval()


if __name__ == "__main__":
    main()
