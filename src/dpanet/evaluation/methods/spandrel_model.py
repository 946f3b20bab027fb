"""Restoration networks of others: any file that the library spandrel recognizes.

Spandrel is optional. It has its own architectures: NAFNet, SwinIR, Uformer and forty more. The package
spandrel-extra-arches adds others, Restormer among them, whose licenses forbid commercial use; if it is installed, its
architectures are recognized too.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dpanet.checkpoints.shipped_models import weights_hash
from dpanet.errors import ConfigError, WeightsError
from dpanet.evaluation.method import Method
from dpanet.evaluation.methods.model import ModelMethod
from dpanet.evaluation.methods.single import single_view
from dpanet.extras import install_command
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Picture

INSTALL = (
    f"install it in the repository's folder: {install_command('restorers')}, "
    "and the torchvision that fits your torch"
)


class SpandrelMethod(Method):
    """A restoration network of spandrel's, for display-encoded pictures, applied to the whole picture at once.

    A network of 3 channels gets the mean of the views, one of 6 the left view and behind it the right one. Both sides
    are padded by reflection to a size that the network accepts. Values outside 0..1 are clipped, as spandrel does.

    Args:
        descriptor: spandrel's `ImageModelDescriptor`.
        name: Name of the row, safe as a file name.
        weights: SHA-256 of the file of the weights.
        checkpoint: That file, to be shown.
        **config: Options of the `Deblurrer`; the tile is always the whole picture, the precision always float32.

    Raises:
        WeightsError: If the network has other channels or changes the size.
    """

    def __init__(
        self, descriptor: Any, name: str, weights: str, *, checkpoint: str | None = None, **config: Any
    ) -> None:
        channels, outputs, scale = descriptor.input_channels, descriptor.output_channels, descriptor.scale
        if channels not in (3, 6) or outputs != 3 or scale != 1:
            raise WeightsError(
                f"{checkpoint or name} turns {channels} channels into {outputs} at {scale} times the size; a "
                "restoration network turns 3 or 6 into 3 at the same size, so give one of those"
            )
        self.single = channels == 3
        config = {**config, "engine": "torch", "tile": 0, "precision": "float32"}
        self.model = ModelMethod(
            _SpandrelNetwork(descriptor), name, weights, kind="baseline", checkpoint=checkpoint, **config
        )
        self.device = self.model.device
        descriptor.to(self.model.deblurrer.device)
        self.info = replace(
            self.model.info,
            identity=f"spandrel {_version()} {self.model.info.identity}",
            parameters=sum(p.numel() for p in descriptor.model.parameters()),
        )

    @classmethod
    def load(cls, path: Path, name: str | None = None, **config: Any) -> SpandrelMethod:
        """Load a network from a file.

        Raises:
            ConfigError: If spandrel is not installed or cannot be imported.
            WeightsError: If spandrel does not recognize the file.
        """
        spandrel = _import_spandrel()
        weights = weights_hash(path)
        try:
            descriptor = spandrel.ModelLoader(device="cpu").load_from_file(path)
        except Exception as error:  # any of forty architectures may fail in any way on a file of another
            raise WeightsError(
                f"{path} is no network that spandrel {_version()} recognizes ({error!s:.200}); give the file of one"
            ) from error
        if not isinstance(descriptor, spandrel.ImageModelDescriptor):
            raise WeightsError(f"{path} is no network from picture to picture; give one that restores")
        return cls(descriptor, name or Path(path).stem, weights, checkpoint=str(path), **config)

    def __call__(self, pair: DualPixelPair) -> Picture:
        return self.model(single_view(pair) if self.single else pair)


class _SpandrelNetwork:
    """A descriptor as a `Network` of the `Deblurrer`."""

    def __init__(self, descriptor: Any) -> None:
        self.descriptor = descriptor

    @property
    def description(self) -> Description:
        multiple = self.descriptor.size_requirements.multiple_of
        return Description(multiple_of=max(1, multiple), halo=0, whole_image=True)

    def __call__(self, left: Tensor, right: Tensor) -> Tensor:
        views = left if self.descriptor.input_channels == 3 else torch.cat((left, right), dim=1)
        picture: Tensor = self.descriptor(views.contiguous())
        return picture


def _version() -> str:
    try:
        return metadata.version("spandrel")
    except metadata.PackageNotFoundError:
        return "absent"


def _import_spandrel() -> Any:
    """Import the library, and the extra architectures if they are installed."""
    try:
        spandrel = import_module("spandrel")
    except (ImportError, RuntimeError, OSError) as error:  # torchvision of another torch raises the last two
        raise ConfigError(
            f"models of other architectures need spandrel, which cannot be imported ({error}); {INSTALL}"
        ) from error
    with suppress(ImportError):
        extra = import_module("spandrel_extra_arches")
        with suppress(spandrel.DuplicateArchitectureError):  # installed by an earlier call
            extra.install()
    return spandrel
