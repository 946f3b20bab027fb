"""Other people's restoration networks: any file that the library spandrel recognises.

Spandrel is optional and brings its own architectures, NAFNet, SwinIR, Uformer and forty more; the package
spandrel-extra-arches adds others, Restormer among them, whose licences forbid commercial use: if it is installed,
its architectures are recognised too, and whether they may be used is the user's to judge.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from importlib import import_module, metadata
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dpanet.errors import ConfigError, WeightsError
from dpanet.evaluation.method import Kind
from dpanet.evaluation.methods.model import ModelMethod, weights_hash
from dpanet.network.description import Description
from dpanet.pair import DualPixelPair, Picture

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALL = (
    "install it with pip install 'dpanet[restorers]', or with pip install --no-deps spandrel einops where no "
    "torchvision fits your torch"
)


class SpandrelMethod:
    """A restoration network of spandrel's: display-encoded, the whole picture at once.

    A network of 3 channels is fed the mean of the views, one of 6 the left view and the right one behind it. Both
    sides are padded by reflection to what the network asks for. Values outside 0..1 are clipped, as spandrel does.

    Args:   descriptor: spandrel's `ImageModelDescriptor`. name, weights, settings: as of `ModelMethod`; the tile
            is always the whole picture, the numbers always float32.
    Raises: WeightsError for a network of other channels or one that changes the size.
    """

    kind: Kind = "baseline"

    def __init__(
        self, descriptor: Any, name: str, weights: str, *, checkpoint: str | None = None, **settings: Any
    ) -> None:
        given, made, scale = descriptor.input_channels, descriptor.output_channels, descriptor.scale
        if given not in (3, 6) or made != 3 or scale != 1:
            raise WeightsError(
                f"{checkpoint or name} turns {given} channels into {made} at {scale} times the size; a restoration "
                "network makes 3 of 3 or 6 at the same size, so give one of those"
            )
        self.name = name
        self.single = given == 3
        settings = {**settings, "tile": 0, "precision": "float32"}
        self.model = ModelMethod(_Restorer(descriptor), name, weights, checkpoint=checkpoint, **settings)
        self.identity = f"spandrel {self.model.identity}"
        self.checkpoint, self.checkpoint_sha256 = checkpoint, weights
        self.device = self.model.device
        descriptor.to(self.device)
        self.parameters = sum(p.numel() for p in descriptor.model.parameters())

    @classmethod
    def load(cls, path: Path, name: str | None = None, **settings: Any) -> SpandrelMethod:
        """From a file. Raises: ConfigError without spandrel; WeightsError for a file it does not recognise."""
        spandrel = _spandrel()
        weights = weights_hash(path)
        try:
            descriptor = spandrel.ModelLoader(device="cpu").load_from_file(path)
        except Exception as error:  # whatever forty architectures stumble over in a file of another
            raise WeightsError(
                f"{path} is no network that spandrel {metadata.version('spandrel')} recognises ({error!s:.200}); "
                "give the file of one"
            ) from error
        if not isinstance(descriptor, spandrel.ImageModelDescriptor):
            raise WeightsError(f"{path} is no network from picture to picture; give one that restores")
        return cls(descriptor, name or Path(path).stem, weights, checkpoint=str(path), **settings)

    def __call__(self, pair: DualPixelPair) -> Picture:
        if self.single:
            mean = pair.combined.pixels
            pair = DualPixelPair(mean, mean, pair.encoding, pair.metadata)
        return self.model(pair)


class _Restorer:
    """What a `Deblurrer` needs, of a descriptor."""

    def __init__(self, descriptor: Any) -> None:
        self.descriptor = descriptor

    @property
    def description(self) -> Description:
        asked = self.descriptor.size_requirements
        return Description(multiple_of=max(1, asked.multiple_of), halo=0, whole_image=True)

    def __call__(self, left: Tensor, right: Tensor) -> Tensor:
        seen = left if self.descriptor.input_channels == 3 else torch.cat((left, right), dim=1)
        picture: Tensor = self.descriptor(seen.contiguous())
        return picture


def _spandrel() -> Any:
    """The library, with the extra architectures if they are installed. Raises: ConfigError without it."""
    with _torchvision():
        try:
            spandrel = import_module("spandrel")
        except ImportError as error:
            raise ConfigError(f"models of other architectures need spandrel ({error}); {INSTALL}") from error
        with suppress(ImportError):
            extra = import_module("spandrel_extra_arches")
            with suppress(spandrel.DuplicateArchitectureError):  # registered before
                extra.install()
    return spandrel


@contextmanager
def _torchvision() -> Iterator[None]:
    """For as long as this lasts, `import torchvision` works, if need be with a stand-in.

    The wheels of torchvision do not fit every build of torch. Of spandrel's architectures two import it (LaMa and
    RestoreFormer); with the stand-in these fail when they are used, and all others work.
    """
    try:
        import_module("torchvision")
        yield
        return
    except (ImportError, RuntimeError, OSError):  # absent, of another torch, without its libraries
        for name in [n for n in sys.modules if n == "torchvision" or n.startswith("torchvision.")]:
            del sys.modules[name]
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    modules = [_StandIn(name) for name in names]
    for module, inner in pairwise(modules):
        setattr(module, inner.__name__.rpartition(".")[2], inner)
    sys.modules.update(zip(names, modules, strict=True))
    try:
        yield
    finally:
        for name in names:
            sys.modules.pop(name, None)


class _StandIn(ModuleType):
    """A module of torchvision's name whose every function fails with a sentence when it is called."""

    __path__: list[str] = []  # noqa: RUF012  # a package, as the import system asks

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*_: Any, **__: Any) -> Any:
            raise ConfigError(
                f"this architecture needs torchvision's {name}; install the torchvision that fits your torch"
            )

        return missing
