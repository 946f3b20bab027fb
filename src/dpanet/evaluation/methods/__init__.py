"""What models are compared with: doing nothing, classical methods, other networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpanet.errors import ConfigError

if TYPE_CHECKING:
    from dpanet.evaluation.method import Method
    from dpanet.simulation.kernels import MeasuredKernels

BASELINES = ("none", "wiener", "richardson-lucy", "single", "dpdnet", "spandrel")
"""Names of `baseline`; the last three need a network."""


def baseline(
    name: str,
    *,
    calibration: Path | MeasuredKernels | None = None,
    network: str | Path | None = None,
    **settings: Any,
) -> Method:
    """The baseline of that name, ready to run.

    Args:
        name: one of `BASELINES`.
        calibration: for ``wiener`` and ``richardson-lucy``: a folder of measured kernels, or the kernels; without
            it they assume an ideal half disc.
        network: for ``single`` the shipped name or file of a model of ours; for ``dpdnet`` the file of a trained
            DPDNet; for ``spandrel`` any file of a restoration network that spandrel recognises.
        **settings: of the `Deblurrer` (tile, device, precision, tta), for the last three.
    Raises: ConfigError for an unknown name, missing kernels or a missing network; WeightsError for an unusable one.
    """
    if name == "none":
        from dpanet.evaluation.methods.nothing import Nothing

        return Nothing()
    if name in ("wiener", "richardson-lucy"):
        from dpanet.deconvolution.classical import RichardsonLucy, Wiener

        return (Wiener if name == "wiener" else RichardsonLucy)(_kernels(calibration))
    if name not in BASELINES:
        raise ConfigError(f"there is no baseline {name!r}; choose one of {', '.join(BASELINES)}")
    if network is None:
        raise ConfigError(f"the baseline {name} needs a network; name a file of weights")
    if name == "single":
        from dpanet.evaluation.methods.single import Single

        return Single.load(network, **settings)
    if name == "spandrel":
        from dpanet.evaluation.methods.spandrel_model import SpandrelMethod

        return SpandrelMethod.load(Path(network), **settings)
    from dpanet.evaluation.methods.model import ModelMethod
    from dpanet.network.dpdnet import DPDNet

    method = ModelMethod.load(network, name, kind="baseline", **settings)
    if not isinstance(method.network, DPDNet):
        raise ConfigError(
            f"{network} is no DPDNet; give one that `--preset dpdnet` or dpdnet-compact trained"
        )
    return method


def all_methods(
    models: Sequence[str],
    baselines: Sequence[str],
    *,
    calibration: Path | None = None,
    **settings: Any,
) -> tuple[Method, ...]:
    """Every row of a comparison: doing nothing, then the baselines, then the models, each once.

    Args:
        models: shipped names or files.
        baselines: names that need no network; ``single``, shown to the first model; or a file, which is
            ``dpdnet`` if dpanet wrote it and ``spandrel`` otherwise.
        calibration: as of `baseline`.
        **settings: of the `Deblurrer`, for every network.
    Raises: ConfigError for an unknown name or two rows of one name; WeightsError for an unusable model.
    """
    from dpanet.evaluation.methods.model import ModelMethod

    rows = [baseline("none")]
    for name in baselines:
        if name == "none":
            continue
        if name == "single":
            rows.append(baseline(name, network=models[0] if models else None, **settings))
        elif Path(name).is_file():
            rows.append(baseline(_family(Path(name)), network=name, **settings))
        else:
            rows.append(baseline(name, calibration=calibration, **settings))
    rows += [ModelMethod.load(model, **settings) for model in models]
    names = [row.name for row in rows]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"two methods are called {twice!r}; rename one's file, so that rows differ")
    return tuple(rows)


def _family(path: Path) -> str:
    """``dpdnet`` for a file that dpanet wrote, ``spandrel`` for any other."""
    from dpanet.checkpoints.model_file import is_ours

    return "dpdnet" if is_ours(path) else "spandrel"


def _kernels(calibration: Path | MeasuredKernels | None) -> MeasuredKernels | None:
    from dpanet.simulation.kernels import MeasuredKernels

    if not isinstance(calibration, Path):
        return calibration
    return MeasuredKernels.read(calibration)
