"""Dual-pixel defocus deblurring: two views of one exposure in, a sharper picture out.

>>> from dpanet import Deblurrer, read_pair, write_picture
>>> picture = Deblurrer("compact")(read_pair("left.png", "right.png"))  # doctest: +SKIP
>>> write_picture(picture, "sharp.png")  # doctest: +SKIP

Names are imported when they are first used: this module alone loads neither torch nor OpenCV.
"""

from __future__ import annotations

from dpanet.version import __version__

TYPE_CHECKING = False  # as in typing, which takes longer to import than this module
if TYPE_CHECKING:
    from typing import Any

    from dpanet.checkpoints.model_file import load_model, save_model
    from dpanet.deblurrer.deblurrer import Deblurrer
    from dpanet.errors import (
        ConfigError,
        DatasetError,
        DpanetError,
        ImageWarning,
        MissingPackageError,
        OutputError,
        PairError,
        ReportError,
        ShapeError,
        TrainingError,
        UnreadableImageError,
        WeightsError,
        WorkerError,
    )
    from dpanet.evaluation.metrics import mae, psnr, ssim
    from dpanet.evaluation.protocol import score_aligned
    from dpanet.images.reading import read_pair, read_picture
    from dpanet.images.writing import write_picture
    from dpanet.pair import DualPixelPair, Picture


__all__ = [
    "ConfigError",
    "DatasetError",
    "Deblurrer",
    "DpanetError",
    "DualPixelPair",
    "ImageWarning",
    "MissingPackageError",
    "OutputError",
    "PairError",
    "Picture",
    "ReportError",
    "ShapeError",
    "TrainingError",
    "UnreadableImageError",
    "WeightsError",
    "WorkerError",
    "__version__",
    "load_model",
    "mae",
    "psnr",
    "read_pair",
    "read_picture",
    "save_model",
    "score_aligned",
    "ssim",
    "write_picture",
]

_MODULES = {
    "ConfigError": "dpanet.errors",
    "DatasetError": "dpanet.errors",
    "DpanetError": "dpanet.errors",
    "ImageWarning": "dpanet.errors",
    "MissingPackageError": "dpanet.errors",
    "OutputError": "dpanet.errors",
    "PairError": "dpanet.errors",
    "ReportError": "dpanet.errors",
    "ShapeError": "dpanet.errors",
    "TrainingError": "dpanet.errors",
    "UnreadableImageError": "dpanet.errors",
    "WeightsError": "dpanet.errors",
    "WorkerError": "dpanet.errors",
    "Deblurrer": "dpanet.deblurrer.deblurrer",
    "DualPixelPair": "dpanet.pair",
    "Picture": "dpanet.pair",
    "load_model": "dpanet.checkpoints.model_file",
    "mae": "dpanet.evaluation.metrics",
    "psnr": "dpanet.evaluation.metrics",
    "read_pair": "dpanet.images.reading",
    "read_picture": "dpanet.images.reading",
    "save_model": "dpanet.checkpoints.model_file",
    "score_aligned": "dpanet.evaluation.protocol",
    "ssim": "dpanet.evaluation.metrics",
    "write_picture": "dpanet.images.writing",
}
"""Where each name that is imported at its first use is defined."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'dpanet' has no attribute {name!r}")
    from importlib import import_module

    from dpanet.extras import named_extra

    with named_extra(f"dpanet.{name}"):
        value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
