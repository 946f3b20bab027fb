"""The methods that `dpanet evaluate` can compare: doing nothing, classical methods, networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpanet.errors import ConfigError

if TYPE_CHECKING:
    from dpanet.evaluation.method import Method
    from dpanet.lenses.lens import LensChoice
    from dpanet.simulation.measured_kernels import MeasuredKernels

BASELINES = ("none", "wiener", "richardson-lucy", "single", "dpdnet", "spandrel")
"""Names for `load_baseline`; the last three need a network."""


def load_baseline(
    name: str,
    *,
    calibration: Path | MeasuredKernels | None = None,
    network: str | Path | None = None,
    **config: Any,
) -> Method:
    """Load the baseline of a name.

    Args:
        name: One of `BASELINES`.
        calibration: For ``wiener`` and ``richardson-lucy``, a folder of measured kernels, or the kernels; without it
            they assume an ideal disc with a ramp.
        network: For ``single`` the shipped name or file of a model of this package; for ``dpdnet`` the file of a
            trained DPDNet; for ``spandrel`` any file of a restoration network that spandrel recognizes.
        **config: Options of the `Deblurrer` (tile, device, precision, tta), for the last three.

    Raises:
        ConfigError: If the name is unknown, or kernels or a network are missing.
        WeightsError: If the network is unusable.
    """
    if name == "none":
        from dpanet.evaluation.methods.classical import DoNothing

        return DoNothing()
    if name in ("wiener", "richardson-lucy"):
        from dpanet.deconvolution.richardson_lucy import RichardsonLucy
        from dpanet.deconvolution.wiener import Wiener
        from dpanet.evaluation.methods.classical import ClassicalMethod

        kernels = _read_kernels(calibration)
        return ClassicalMethod(Wiener(kernels) if name == "wiener" else RichardsonLucy(kernels))
    if name not in BASELINES:
        raise ConfigError(f"there is no baseline {name!r}; choose one of {', '.join(BASELINES)}")
    if network is None:
        raise ConfigError(f"the baseline {name} needs a network; name a file of weights")
    if name == "single":
        from dpanet.evaluation.methods.single import SingleView

        return SingleView.load(network, **config)
    if name == "spandrel":
        from dpanet.evaluation.methods.spandrel_model import SpandrelMethod

        return SpandrelMethod.load(Path(network), **config)
    from dpanet.evaluation.methods.model import ModelMethod

    method = ModelMethod.load(network, name, kind="baseline", **config)
    if method.family != "dpdnet":
        raise ConfigError(
            f"{network} is no DPDNet; give one that `--preset dpdnet` or dpdnet-compact trained"
        )
    return method


def load_methods(
    models: Sequence[str],
    baselines: Sequence[str],
    *,
    calibration: Path | None = None,
    lens: LensChoice | None = None,
    **config: Any,
) -> tuple[Method, ...]:
    """Load all methods of a comparison: doing nothing, then the baselines, then the models.

    Args:
        models: Shipped names or files.
        baselines: Names that need no network; ``single``, which is the first model; or a file, which is ``dpdnet`` if
            it has the format of this package and ``spandrel`` otherwise.
        calibration: As of `load_baseline`.
        lens: By whose optics the pictures of the models, and of no baseline, are refined; ``find`` for the one that
            explains each pair best.
        **config: Options of the `Deblurrer`, for every network.

    Raises:
        ConfigError: If a name is unknown or two methods have one name.
        WeightsError: If a model is unusable.
    """
    from dpanet.evaluation.methods.model import ModelMethod

    methods = [load_baseline("none")]
    for name in baselines:
        if name == "none":
            continue
        if name == "single":
            methods.append(load_baseline(name, network=models[0] if models else None, **config))
        elif Path(name).is_file():
            methods.append(load_baseline(_family(Path(name)), network=name, **config))
        else:
            methods.append(load_baseline(name, calibration=calibration, **config))
    refined = config if lens is None else {**config, "lens": lens}
    methods += [ModelMethod.load(model, **refined) for model in models]
    return tuple(methods)


def _family(path: Path) -> str:
    """Return ``dpdnet`` for a file of this package's format, ``spandrel`` for any other."""
    from dpanet.checkpoints.model_file import is_ours

    return "dpdnet" if is_ours(path) else "spandrel"


def _read_kernels(calibration: Path | MeasuredKernels | None) -> MeasuredKernels | None:
    from dpanet.simulation.measured_kernels import MeasuredKernels

    if not isinstance(calibration, Path):
        return calibration
    return MeasuredKernels.read(calibration)
