"""`dpanet prepare-dpdd`: cut the DPDD data set into patches to train on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dpanet.cli.options import MaxMegapixels, apply_max_megapixels
from dpanet.terminal.failure import UsageError


def prepare_dpdd(
    root: Annotated[Path, Parameter(name="DPDD")],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    threads: int | None = None,
    max_megapixels: MaxMegapixels = None,
) -> None:
    """Cut the DPDD data set into patches to train on.

    Writes train/ and val/, each with NAME_left.png, NAME_right.png and NAME_sharp.png: 512 px, 16 bits as in the data
    set, about 30 GB. The test split is not read. If the command was stopped, give it again to finish the rest; the
    files are the same whatever the number of threads.

    Parameters
    ----------
    root
        The data set as its authors publish it: train_c, train_l, train_r, val_c, val_l, val_r.
    output
        The folder to write to; it is created if it does not exist.
    threads
        The number of threads; by default one for each core.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    if threads is not None and threads < 1:
        raise UsageError(f"--threads is {threads}; give at least 1")

    from dpanet.datasets.dpdd_patches import PatchFolder, open_splits
    from dpanet.terminal.progress import Meter

    folder = PatchFolder(output, open_splits(root))
    missing = len(folder.missing())
    with Meter(missing) as meter:
        folder.fill(threads or os.cpu_count() or 1, meter.next_file)
    counts = ", ".join(
        f"{folder.count_patches(split)} patches in {folder.split_folder(split)}" for split in folder.splits
    )
    print(f"{missing} pictures cut; {counts}")
