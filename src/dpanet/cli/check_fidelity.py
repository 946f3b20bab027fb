"""`dpanet check-fidelity`: compare the simulator's blur with real captures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from dpanet.cli.options import MaxMegapixels, apply_max_megapixels

FREE_CELLS = 2
"""Number of cells in each scene whose free kernels are drawn."""


def check_fidelity(
    captures: Annotated[Path, Parameter(name="CAPTURES")],
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    calibration: Path | None = None,
    layout: Literal["pixel4", "pairs"] = "pixel4",
    match_color: Annotated[bool, Parameter(name=["--match-colour", "--match-color"], negative=())] = False,
    every: int = 1,
    free_kernels: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    max_megapixels: MaxMegapixels = None,
) -> None:
    """Measure how well the simulator's blur explains real captures.

    Blurs the truth of each capture with each family of kernels, at the best scale in each cell of 168 px, and
    compares it with the views in linear light. Prints the median PSNR over the cells of each scene and, cells with
    texture weighing more, what each family explains and with which parameters; writes all fits to fidelity.json if
    an output folder is named.

    Parameters
    ----------
    captures
        A folder of captures with truth.
    output
        The folder for fidelity.json; it is created if it does not exist.
    calibration
        The folder of the measured blur kernels and white sheets; by default calibration/ in CAPTURES for layout
        pixel4, and none for pairs, where only ideal lenses are compared then.
    layout
        How the captures are arranged: pixel4 as its authors publish them, pairs for NAME_left, NAME_right
        and NAME_sharp.
    match_color
        Fit the truth's colors to the views' first, for truths with another exposure (layout pairs).
    every
        Take every N-th cell only, for a look that takes less time.
    free_kernels
        A PNG file for a picture of kernels without any model, of two cells of each scene, over those of the last
        family.
    overwrite
        Replace files that exist.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    from dpanet.datasets import open_dataset
    from dpanet.errors import ConfigError
    from dpanet.fidelity.check import CellGrid, check_scene, kernel_families
    from dpanet.fidelity.free_kernels import write_free_kernels
    from dpanet.fidelity.results import (
        FIDELITY_FILE,
        build_fidelity_document,
        summarize,
        to_psnr,
        write_fidelity,
    )
    from dpanet.files.output import make_folder, prepare_output
    from dpanet.simulation.measured_kernels import MeasuredKernels
    from dpanet.terminal.progress import Meter

    if layout == "pixel4":
        calibration = calibration or captures / "calibration"
    families = kernel_families(None if calibration is None else MeasuredKernels.read(calibration))
    dataset = open_dataset(
        captures, layout, calibration=calibration if layout == "pixel4" else None, match_color=match_color
    )
    if free_kernels is not None:
        if free_kernels.suffix.lower() != ".png":
            raise ConfigError(f"--free-kernels is {str(free_kernels)!r}; name a file that ends in .png")
        prepare_output(free_kernels, overwrite)
    grid = CellGrid(every=every)
    if output is not None:
        make_folder(output)
        prepare_output(output / FIDELITY_FILE, overwrite)
    names = [family.name for family in families]
    print(f"{'median PSNR, dB':<16}{'cells':>6}" + "".join(f"{name:>13}" for name in names) + "    |scale|")
    results = []
    with Meter(len(dataset.scenes), parts="fits") as meter:
        for scene in dataset.scenes:
            count = 0 if free_kernels is None else FREE_CELLS
            results.append(check_scene(scene.load(), families, grid, count, meter.tiles))
            _print_row(scene.name, summarize(results[-1].cells), names)
            meter.next_file()
    document = build_fidelity_document(results, families, grid)
    _print_row("all cells", document["summary"], names)
    for name in names:
        quantiles = document["summary"]["psnr"][name].items()
        print(f"{name}: of all cells below " + "  ".join(f"{q} % {value:.1f}" for q, value in quantiles))
    for scene in document["scenes"]:
        _print_lens(scene["name"], scene["lens"])
    _print_lens("all scenes", document["lens"])
    if free_kernels is not None:
        found = [free for result in results for free in result.free]
        write_free_kernels(found, free_kernels, overwrite)
        print(f"\n{free_kernels}, free kernels over fitted ones, from the left:")
        for free in found:
            print(f"{free.title}: {to_psnr(free.error):.1f} dB")
    if output is not None:
        print(f"\n{write_fidelity(document, output, overwrite)}")


def _print_lens(title: str, lens: Mapping[str, Mapping[str, Mapping[str, float] | None]]) -> None:
    """Print, for each family with blur, what it explains and its parameters."""
    print(f"\n{title}: dB explained beyond no blur, and parameters; 10 / 50 / 90 %, weighted by texture")
    for family, parameters in lens.items():
        if family != "no blur":
            columns = (
                f"{name} " + " / ".join(f"{value:.2f}" for value in quantiles.values())
                for name, quantiles in parameters.items()
                if quantiles is not None
            )
            print(f"  {family:<14}" + "   ".join(columns))


def _print_row(title: str, summary: Mapping[str, Any], names: Sequence[str]) -> None:
    """Print the number of cells, each family's median PSNR, and the median |scale| of the last family."""
    scale = summary["scale"][names[-1]]
    print(
        f"{title:<16}{summary['cells']:>6}"
        + "".join(f"{summary['psnr'][name]['50']:>13.2f}" for name in names)
        + (f"{scale['50']:>11.2f}" if scale else f"{'-':>11}")
    )
