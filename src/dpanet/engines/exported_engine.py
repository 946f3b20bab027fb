"""What the engines of exported files share: the file's own description, and arrays in the layout that it takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpanet.checkpoints.exported_model import ExportedModel
from dpanet.network.description import Description
from dpanet.pair import Pixels


class ExportedEngine:
    """A file of `dpanet export` as an `Engine`; subclasses load it, set `model`, and compute."""

    model: ExportedModel
    """What the file says of itself."""
    model_source: str = ""
    """Name or path by which the model was loaded, for errors."""
    parallel_calls: int = 1
    """Calls that take less time side by side; see `Engine`."""

    @property
    def family(self) -> str:
        """Kind of the network."""
        return self.model.family

    @property
    def parameters(self) -> int | None:
        """Number of the network's parameters."""
        return self.model.parameters

    @property
    def description(self) -> Description:
        """Needs and capabilities of the network."""
        return self.model.description

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        views = {"left": _to_planes(left), "right": _to_planes(right)}
        outputs = self._compute(views, ["picture", "radius"] if defocus else ["picture"])
        planes = np.concatenate(outputs, axis=1) if defocus else outputs[0]
        result: Pixels = planes[0].transpose(1, 2, 0)
        return result

    def _compute(self, views: dict[str, Pixels], names: list[str]) -> list[NDArray[np.float32]]:
        """Return the named outputs, (1, C, H, W), of the views, (1, 3, H, W)."""
        raise NotImplementedError


def _to_planes(view: Pixels) -> Pixels:
    """Return (H, W, 3) as (1, 3, H, W), contiguous."""
    return np.ascontiguousarray(view.transpose(2, 0, 1)[None], np.float32)
