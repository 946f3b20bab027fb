"""What `dpanet evaluate` compares: methods on a data set, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from dpanet.datasets import Dataset, Scene
from dpanet.errors import ConfigError, shown
from dpanet.evaluation.bit_depth import BitDepth
from dpanet.evaluation.method import Method
from dpanet.evaluation.scores import TRUTH, MethodInfo, can_name_a_file
from dpanet.files.store import file_identity
from dpanet.pair import Pixels
from dpanet.version import __version__

Perceptual = Callable[[Pixels, Pixels], float]
"""Distance of two display-encoded pictures, (H, W, 3), white = 1.0."""

LIBRARIES = {
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy",
    "scikit-image": "scikit-image",
    "opencv": "opencv-python-headless",
}
"""Libraries that decide numbers: name to be shown, name of the package."""


@dataclass(frozen=True)
class Comparison:
    """Methods to be compared on a data set.

    Raises:
        ConfigError: If two methods have one name, or one has a name that no file can have.
    """

    dataset: Dataset
    """The scenes, in order; their finished pictures become rows too."""
    methods: Sequence[Method]
    """In the order of the tables; the first is doing nothing."""
    bit_depth: BitDepth = field(default_factory=BitDepth)
    """How pictures are read and rounded."""
    perceptual: Perceptual | None = None
    """Computes LPIPS; it is not measured without."""
    perceptual_weights: str = "absent"
    """SHA-256 of the weights of LPIPS."""
    save_images: bool = False
    """Whether to save each method's pictures in full."""

    def __post_init__(self) -> None:
        names = self.names
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConfigError(
                f"two methods are called {shown(twice)!r}; rename one's file, so that rows differ"
            )
        unfit = next((name for name in names if name == TRUTH or not can_name_a_file(name)), None)
        if unfit is not None:
            raise ConfigError(
                f"a method is called {shown(unfit)!r}, which cannot name its pictures; rename its file or folder"
            )

    @property
    def protocols(self) -> tuple[str, ...]:
        """Protocols by which pictures are scored."""
        return ("as_published", "aligned") if self.dataset.aligned else ("as_published",)

    @property
    def finished(self) -> tuple[str, ...]:
        """Names of the methods whose finished pictures come with every scene."""
        names = [set(scene.finished) for scene in self.dataset.scenes]
        return tuple(sorted(set.intersection(*names))) if names else ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all rows."""
        return (*(method.name for method in self.methods), *self.finished)

    def config(self) -> dict[str, Any]:
        """Return plain values of everything that a score depends on, the picture files aside."""
        return {
            "layout": self.dataset.layout,
            "split": self.dataset.split,
            "protocols": list(self.protocols),
            "depth": asdict(self.bit_depth),
            "color matching": self.dataset.match_color,
            "LPIPS weights": self.perceptual_weights,
            "methods": {method.name: _plain(method.info) for method in self.methods},
            "finished pictures": list(self.finished),
            "saved images": self.save_images,
            "versions": {"dpanet": __version__, **library_versions()},
        }

    def scene_key(self, scene: Scene) -> dict[str, Any]:
        """Return plain values of everything that a score of this scene depends on.

        Raises:
            OSError: If a file of the scene cannot be read.
        """
        return {**self.config(), "label": scene.label, "files": [file_identity(path) for path in scene.files]}


def _plain(info: MethodInfo) -> dict[str, Any]:
    """Return what a method's pictures depend on; how a network ran comes first, so that a refusal names it."""
    how = {} if info.computation is None else asdict(info.computation)
    how.pop("device", None)  # it is in the identity, without its number
    return {**how, "identity": info.identity}


def library_versions() -> dict[str, str]:
    """Return the version of each of `LIBRARIES`."""
    return {name: version(package) for name, package in LIBRARIES.items()}
