"""`dpanet check-fidelity`: compare the simulator's blur with real captures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dpanet.cli.options import MaxMegapixels, apply_max_megapixels


def check_fidelity(
    captures: Annotated[Path, Parameter(name="CAPTURES")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    calibration: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    max_megapixels: MaxMegapixels = None,
) -> None:
    """Measure how well the simulator's blur explains real captures.

    Blurs the truth of each capture with each family of kernels, at the best scale in each cell of 168 px, and
    compares it with the views. Prints the median PSNR over the cells of each scene, and writes all fits to
    fidelity.json if an output folder is named.

    Parameters
    ----------
    captures
        A folder of Pixel 4 captures with truth, as its authors publish them.
    output
        The folder for fidelity.json; it is created if it does not exist.
    calibration
        The folder of the measured blur kernels and white sheets; by default calibration/ in CAPTURES.
    overwrite
        Replace fidelity.json if it exists.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    from dpanet.datasets import open_dataset
    from dpanet.fidelity.check import check_scene, kernel_families
    from dpanet.fidelity.results import FIDELITY_FILE, build_fidelity_document, summarize, write_fidelity
    from dpanet.files.output import make_folder, prepare_output
    from dpanet.simulation.measured_kernels import MeasuredKernels
    from dpanet.terminal.progress import Meter

    calibration = calibration or captures / "calibration"
    families = kernel_families(MeasuredKernels.read(calibration))
    dataset = open_dataset(captures, "pixel4", calibration=calibration)
    if output is not None:
        make_folder(output)
        prepare_output(output / FIDELITY_FILE, overwrite)
    names = [family.name for family in families]
    print(f"{'median PSNR, dB':<16}{'cells':>6}" + "".join(f"{name:>13}" for name in names) + "    |scale|")
    results = []
    with Meter(len(dataset.scenes)) as meter:
        for scene in dataset.scenes:
            results.append(check_scene(scene.load(), families))
            _print_row(scene.name, summarize(results[-1].cells), names)
            meter.next_file()
    document = build_fidelity_document(results, families)
    _print_row("all cells", document["summary"], names)
    for name in names:
        quantiles = document["summary"]["psnr"][name].items()
        print(f"{name}: of all cells below " + "  ".join(f"{q} % {value:.1f}" for q, value in quantiles))
    if output is not None:
        print(f"\n{write_fidelity(document, output, overwrite)}")


def _print_row(title: str, summary: Mapping[str, Any], names: Sequence[str]) -> None:
    """Print the number of cells, each family's median PSNR, and the median |scale| of the last family."""
    scale = summary["scale"][names[-1]]
    print(
        f"{title:<16}{summary['cells']:>6}"
        + "".join(f"{summary['psnr'][name]['50']:>13.2f}" for name in names)
        + (f"{scale['50']:>11.2f}" if scale else f"{'-':>11}")
    )
