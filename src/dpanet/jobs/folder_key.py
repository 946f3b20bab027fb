"""What all pictures of a folder depend on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dpanet.deblurrer.deblurrer import Deblurrer


def build_key(
    model: str,
    apply: Deblurrer,
    *,
    views: list[Any],
    flat_field: tuple[Path, Path] | None,
    output_encoding: str | None,
) -> dict[str, Any]:
    """Return what all pictures of a folder depend on: the weights, the options, the versions.

    Args:
        model: name or file of the model.
        apply: the model, loaded.
        views: options about the files of the views, plain values.
        flat_field: two raw pictures of a white sheet.
        output_encoding: of the pictures, if not that of the views.

    Raises:
        OSError: if a white sheet cannot be seen.
    """
    from dpanet.checkpoints.shipped_models import weights_hash
    from dpanet.files.store import file_identity
    from dpanet.lenses.known_lenses import identify_lens
    from dpanet.version import __version__

    return {
        "weights": weights_hash(model),
        "run": [apply.tile, apply.scale, len(apply.mirrors), apply.device.partition(":")[0], apply.precision],
        "control": [apply.control.strength, apply.control.keep_background, apply.control.keep_foreground],
        "lens": identify_lens(apply.lens),
        "views": views,
        "flat_field": flat_field and [file_identity(sheet) for sheet in flat_field],
        "output_encoding": output_encoding,
        "versions": [__version__, apply.engine.name, apply.engine.version],
    }
