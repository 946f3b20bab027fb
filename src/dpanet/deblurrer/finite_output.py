"""Whether what a network returned are numbers."""

from __future__ import annotations

import numpy as np

from dpanet.checkpoints.shipped_models import SHIPPED
from dpanet.engines.engine import Engine
from dpanet.errors import WeightsError, shown
from dpanet.pair import Pixels


def check_output(engine: Engine, output: Pixels, views: tuple[Pixels, Pixels]) -> None:
    """Check that an output is finite if the views are, so that a model's fault is not taken for that of a picture.

    Args:
        engine: that ran the network; its attribute ``model_source``, where it has one, is the model's name or file.
        output: (H, W, 3 or 4).
        views: of which it came, (H, W, 3) each.

    Raises:
        WeightsError: naming the model.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = output.sum()  # NaN or infinite if a value is, and quicker than a look at each
    if np.isfinite(total) or np.isfinite(output).all():
        return
    if not all(np.isfinite(view).all() for view in views):
        return
    source = str(getattr(engine, "model_source", ""))
    advice = "its file is damaged, or its training failed: copy, convert or export it again"
    if source in SHIPPED:
        advice = "its file is as it was shipped, so choose another --precision or --engine, and report this"
    name = f"the model {shown(source)}" if source else "the model"
    raise WeightsError(
        f"{name} returned NaN or infinity ({engine.name}, {engine.precision}) for views that are finite; {advice}"
    )
