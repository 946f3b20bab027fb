"""`dpanet evaluate`: methods over a data set with truths, to a table, a file of scores and a page."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dpanet.cli.progress import Meter
    from dpanet.evaluation.method import Method

_Flag = Parameter(negative=())
_Many = Parameter(negative=(), consume_multiple=True)


def evaluate(
    root: Annotated[Path, Parameter(name="ROOT")],
    /,
    *,
    layout: Literal["dpdd", "restormer", "pixel4", "pairs"],
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    split: str = "test",
    model: Annotated[tuple[str, ...], _Many] = (),
    baseline: Annotated[tuple[str, ...], _Many] = (),
    calibration: Path | None = None,
    bits: Literal[8, 16] = 16,
    official: Annotated[bool, _Flag] = False,
    match_color: Annotated[bool, Parameter(name=["--match-colour", "--match-color"], negative=())] = False,
    align: Annotated[bool, _Flag] = False,
    lpips_weights: Path | None = None,
    save_images: Annotated[bool, _Flag] = False,
    tile: str = "auto",
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    tta: Annotated[Literal["auto", 1, 2, 4], Parameter(name=["--tta", "--passes"])] = "auto",
    overwrite: Annotated[bool, _Flag] = False,
) -> None:
    """Score models and baselines on captures with truths.

    Writes scores.json, scores.csv and report.html (open it in a browser) to the output folder. An evaluation that
    was stopped goes on where it stopped when the same command is given again.

    Parameters
    ----------
    root
        The folder of the data set.
    layout
        How it is laid out: DPDD as its authors or as Restormer's publish it, the Pixel 4 captures of Xin et al.,
        or pairs: NAME_left, NAME_right, NAME_sharp, and NAME_method for finished pictures to be scored too.
    output
        The folder to write to; it is made if there is none.
    split
        Of the data sets that have splits.
    model
        Models to score: names, .safetensors files or official checkpoints; compact unless given.
    baseline
        Baselines to score beside doing nothing: wiener, richardson-lucy, single, or a file that spandrel loads.
    calibration
        Folder of measured blur kernels for the classical baselines, and of the white sheets of layout pixel4;
        ROOT/calibration there, unless given.
    bits
        Depth at which pictures are compared; 8 rounds both, and lets 8-bit files pass.
    official
        Read and compare as the published code does: views and truths at 8 bits, outputs truncated to 8.
    match_color
        Bring the output's colours to the truth's first, for truths exposed on their own (layout pairs).
    align
        Score by the aligned protocol too; layout pixel4 always does.
    lpips_weights
        File of LPIPS weights (AlexNet); LPIPS is left out without it.
    save_images
        Keep each method's pictures, 16 bits, in images/METHOD.
    tile
        Largest side in pixels that is worked on at once; 0 for the whole picture.
    device
        Where to compute; auto takes an accelerator if there is one.
    precision
        Numbers to compute in; auto takes bfloat16 where it is fast.
    tta
        Mirror images of each pair whose pictures the models average; auto takes two, and one for the published
        network.
    overwrite
        Start anew in a folder that holds another evaluation.
    """
    from dpanet.cli.deblur import tile_side
    from dpanet.datasets import open_dataset

    side = tile_side(tile)
    dataset = open_dataset(
        root,
        layout,
        split=split,
        calibration=calibration if layout == "pixel4" else None,
        match_color=match_color,
        align=align,
        bits=8 if bits == 8 else None,
    )
    if layout == "pixel4" and calibration is None:
        calibration = root / "calibration"

    from dpanet.cli.progress import Meter
    from dpanet.evaluation.bit_depth import Depth
    from dpanet.evaluation.comparison import Comparison
    from dpanet.evaluation.lpips import Lpips
    from dpanet.evaluation.methods import all_methods
    from dpanet.report.publish import publish

    lpips = None if lpips_weights is None else Lpips(lpips_weights)
    methods: tuple[Method, ...] = all_methods(
        model or ("compact",),
        baseline,
        calibration=calibration,
        tile=side,
        device=device,
        precision=precision,
        tta=tta,
    )
    comparison = Comparison(
        dataset,
        methods,
        Depth(bits, official),
        None if lpips is None else partial(lpips, data_range=1.0),
        "absent" if lpips is None else lpips.sha256,
        save_images,
    )
    with Meter(len(dataset.scenes)) as meter:
        records = comparison.run(output, _teller(meter), overwrite=overwrite)
    scores = publish(comparison, records, output, root=root, command=["dpanet", *sys.argv[1:]])
    _print_table(scores)
    print(f"\n{output / 'report.html'}")


def _teller(meter: Meter) -> Any:
    def told(name: str, scores: Mapping[str, Any]) -> None:
        best = "  ".join(f"{method} {_decibels(s)}" for method, s in scores.items())
        meter.say(f"{name}: {best}")
        meter.next_file()

    return told


def _decibels(score: Mapping[str, Any]) -> str:
    return f"{float(score.get('aligned', score['as_published'])['psnr']):.2f}"


def _print_table(scores: Mapping[str, Any]) -> None:
    """The means, a block for each protocol; the best of each column of figures has a star."""
    for protocol in scores["protocols"]:
        title = {"as_published": "as published", "aligned": "aligned"}[protocol]
        print(f"\n{title}, mean of {len(scores['scenes'])}")
        print(f"{'':24}   PSNR [95 % interval]     SSIM    MAE     LPIPS    gain    s")
        rows = {m["name"]: scores["summary"][m["name"]][protocol] for m in scores["methods"]}
        best = max(rows, key=lambda name: float(rows[name]["psnr"]["mean"]))
        for name, row in rows.items():
            psnr = {key: float(value) for key, value in row["psnr"].items()}
            lpips = "-" if row["lpips"] is None else f"{row['lpips']['mean']:.3f}"
            seconds = sum(s["scores"][name]["seconds"] for s in scores["scenes"]) / len(scores["scenes"])
            print(
                f"{name:24} {'*' if name == best else ' '} {psnr['mean']:5.2f} "
                f"[{psnr['low']:5.2f}, {psnr['high']:5.2f}]   {row['ssim']['mean']:.4f}  {row['mae']['mean']:.4f}  "
                f"{lpips:>5}   {float(row['gain']['mean']):+6.2f}  {seconds:5.1f}"
            )
