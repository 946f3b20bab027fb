"""`dpanet demo`: deblur a simulated pair that ships with the package, measure the gain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def demo(
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("demo"),
    model: str = "compact",
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """See it work without any data: deblur a simulated pair, measure the gain.

    Writes before.png (the blurred photograph), after.png (the output of the model) and truth.png.

    Parameters
    ----------
    output
        The folder to write to; created if it does not exist.
    model
        A model's name, a file of `dpanet export` (.onnx, .xml), or with the extra torch a .safetensors file or an
        official checkpoint (.pth).
    overwrite
        Replace pictures that exist.
    """
    from dpanet.files.output import prepare_output

    paths = {name: output / f"{name}.png" for name in ("before", "after", "truth")}
    if output.is_dir():
        for path in paths.values():
            prepare_output(path, overwrite)
    else:
        prepare_output(output)

    from dpanet.deblurrer.deblurrer import Deblurrer
    from dpanet.evaluation.metrics import psnr
    from dpanet.images.demo_pair import read_demo_pair
    from dpanet.images.writing import write_picture
    from dpanet.terminal.progress import Meter

    pair, truth = read_demo_pair()
    with Meter(files=1) as meter:
        deblur = Deblurrer(model, progress=meter.tiles, reuse_memory=True)
        after = deblur(pair, output_encoding=truth.encoding)
    pictures = {"before": pair.combined, "after": after, "truth": truth}
    output.mkdir(exist_ok=True)
    for name, path in paths.items():
        write_picture(pictures[name], path, overwrite=overwrite)
    scores = {name: psnr(pictures[name].pixels, truth.pixels, data_range=1.0) for name in ("before", "after")}
    for name, score in scores.items():
        print(f"{name:6}  {score:5.2f} dB  {paths[name]}")
    print(f"gain    {scores['after'] - scores['before']:+5.2f} dB  (the truth is {paths['truth']})")
