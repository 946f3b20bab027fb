"""Average the weights of models of one shape, and scale what they add to the mean of the views.

python -m tools.finish_weights MODEL ... [--residual SHARE] [--half] -o FILE

A network that was trained on simulated pairs alone adds too much to captures: see docs/experiments.md, "What holds
Pixel 4 back". With --residual .9 the picture is .9 of what it was and .1 of the mean of the views, at no cost.
On captures, the mean of two stages lies between them: what the second gains on one camera, it loses on another.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from dpanet.checkpoints.model_file import load_model, save_model
from dpanet.errors import ConfigError
from dpanet.network.base import Network
from dpanet.network.fusion import Head


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--residual", type=float, default=1.0, metavar="SHARE")
    parser.add_argument(
        "--half", action="store_true", help="store them in half precision, as shipped models are"
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    network = average([load_model(model) for model in options.models])
    scale_residual(network, options.residual)
    save_model(network, options.output, torch.float16 if options.half else torch.float32)


def average(networks: list[Network]) -> Network:
    """Give the last network the mean weights of all, and return it.

    Raises: ConfigError if they differ in their config.
    """
    *_, network = networks
    for other in networks:
        if other.config != network.config:
            raise ConfigError(
                f"the models are of different configs, {other.config} and {network.config}; name models of one"
            )
    states = [other.state_dict() for other in networks]
    mean: dict[str, Tensor] = {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[-1].items()
    }
    network.load_state_dict(mean)
    return network


def scale_residual(network: Network, share: float) -> None:
    """Scale what a network adds to the mean of the views, in place.

    Raises: ConfigError if its picture is no sum with the mean of the views.
    """
    head = getattr(network, "head", None)
    if share == 1:
        return
    if not isinstance(head, Head) or not head.residual:
        raise ConfigError(
            "--residual is for networks that add to the mean of the views, such as compact and nano"
        )
    with torch.no_grad():
        for conv in (head.last, *head.coarse):
            conv.weight *= share
            if conv.bias is not None:
                conv.bias *= share


if __name__ == "__main__":
    main()
