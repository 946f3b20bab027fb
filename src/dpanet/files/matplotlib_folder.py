"""Import Matplotlib wherever a program runs: also without a home folder, or with one that cannot be written to."""

from __future__ import annotations

import logging
import os
from pathlib import Path


def prepare_matplotlib() -> None:
    """Let Matplotlib be imported without a word, to be called before.

    Where its folder cannot be created, Matplotlib takes a temporary one, which it deletes at the end, and says so in
    its log; where there is no home folder at all, its import would fail.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if "MPLCONFIGDIR" in os.environ:
        return
    try:
        Path.home()
    except RuntimeError:
        os.environ["MPLCONFIGDIR"] = str(Path(os.devnull) / "matplotlib")  # which cannot be created
