"""`dpanet evaluate`: methods over a data set with truths, to a table, a file of scores and a page."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from dpanet.cli.options import MaxMegapixels, apply_max_megapixels, choose_lens
from dpanet.errors import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dpanet.evaluation.scores import SceneScores, Scores, Spread
    from dpanet.terminal.progress import Meter

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
    outputs: Annotated[tuple[Path, ...], _Many] = (),
    calibration: Path | None = None,
    bits: Literal[8, 16] = 16,
    official: Annotated[bool, _Flag] = False,
    match_color: Annotated[bool, Parameter(name=["--match-colour", "--match-color"], negative=())] = False,
    align: Annotated[bool, _Flag] = False,
    lpips_weights: Path | None = None,
    save_images: Annotated[bool, _Flag] = False,
    refine: bool | None = None,
    find_lens: Annotated[bool, _Flag] = False,
    tile: str = "auto",
    scale: Literal["auto", 1, 2, 4, 8] = "auto",
    engine: Literal["auto", "onnxruntime", "openvino", "torch"] = "auto",
    device: str = "auto",
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto",
    tta: Annotated[Literal["auto", 1, 2, 4], Parameter(name=["--tta", "--passes"])] = "auto",
    overwrite: Annotated[bool, _Flag] = False,
    max_megapixels: MaxMegapixels = None,
) -> None:
    """Score models and baselines on captures with truths.

    Writes scores.json, scores.csv and report.html (open it in a browser) to the output folder. Give the same command
    again to resume an evaluation that was stopped; scenes whose files have changed are scored again.

    Parameters
    ----------
    root
        The folder of the data set.
    layout
        How it is laid out: DPDD as its authors or as Restormer's publish it, the Pixel 4 captures of Xin et al.,
        or pairs: NAME_left, NAME_right, NAME_sharp, and NAME_method for finished pictures to be scored too.
    output
        The folder to write to; created if it does not exist.
    split
        Of the data sets that have splits.
    model
        Models to score: names, .safetensors or .onnx files, or official checkpoints. Default: compact, or none with
        --outputs.
    baseline
        Baselines to score beside doing nothing: wiener, richardson-lucy, single, or a file that spandrel loads.
    outputs
        Folders of finished pictures to score, one SCENE.png (or TIFF) for each scene; sRGB, or for pixel4 16 bits,
        linear, as deblur writes. The folder's name becomes the row's.
    calibration
        Folder of measured blur kernels for the classical baselines, and of the white sheets of layout pixel4;
        ROOT/calibration there, unless given.
    bits
        Depth at which pictures are compared; 8 rounds both, and lets 8-bit files pass.
    official
        Read and compare as the published code does: views and truths at 8 bits, outputs truncated to 8.
    match_color
        Fit the output's colors to the truth's first, for truths with another exposure (layout pairs).
    align
        Score by the aligned protocol too; layout pixel4 always does.
    lpips_weights
        File of LPIPS weights (AlexNet); LPIPS is left out without it.
    save_images
        Also write each method's pictures, 16 bits, to images/METHOD.
    refine
        Refine the pictures of the models by the optics of the lens, as of deblur: by default with --layout pixel4; in
        other layouts if asked for, by --calibration or else by the lens that is found.
    find_lens
        Find the lens from each pair itself, as of deblur, also where it is known.
    tile
        Largest side in pixels that is worked on at once; 0 for the whole picture.
    scale
        Where blur beyond the network's reach is removed, as of deblur.
    engine
        The library that runs the models, as of deblur.
    device
        Where to compute: auto, cpu; with torch also cuda, cuda:1, mps.
    precision
        Numbers to compute in, as of deblur.
    tta
        Mirror images of each pair whose pictures the models average; auto takes two, and one for the published
        network.
    overwrite
        Replace another evaluation in the output folder; scenes that the change does not concern are kept.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    from dpanet.cli.deblur import parse_tile
    from dpanet.datasets import open_dataset
    from dpanet.lenses.calibration import kernel_files

    side = parse_tile(tile)
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

    has_kernels = calibration is not None and all(file.is_file() for file in kernel_files(calibration))
    if layout == "pixel4":
        lens = choose_lens(
            refine, "pixel4", calibration if has_kernels and not find_lens else None, find=find_lens
        )
    else:  # a calibration may be meant for the baselines alone, and another lens than that of the captures
        lens = choose_lens(refine, None, calibration if refine and not find_lens else None, find=find_lens)

    from dpanet.evaluation.bit_depth import BitDepth
    from dpanet.evaluation.comparison import Comparison
    from dpanet.evaluation.lpips import Lpips
    from dpanet.evaluation.methods import load_methods
    from dpanet.evaluation.outputs import add_outputs
    from dpanet.evaluation.run import collect_scores, run_comparison
    from dpanet.report.publish import publish
    from dpanet.terminal.progress import Meter

    lpips = None if lpips_weights is None else Lpips(lpips_weights)
    methods = load_methods(
        model or (() if outputs else ("compact",)),
        baseline,
        calibration=calibration,
        lens=lens,
        tile=side,
        scale=scale,
        engine=engine,
        device=device,
        precision=precision,
        tta=tta,
        reuse_memory=True,
    )
    comparison = Comparison(
        add_outputs(dataset, outputs),
        methods,
        BitDepth(bits, official),
        None if lpips is None else partial(lpips, data_range=1.0),
        "absent" if lpips is None else lpips.sha256,
        save_images,
    )
    with Meter(len(dataset.scenes)) as meter:
        scenes = run_comparison(comparison, output, partial(_show_scene, meter), overwrite=overwrite)
    scores = collect_scores(comparison, scenes, root=root, command=["dpanet", *sys.argv[1:]])
    publish(scores, output)
    _print_tables(scores)
    print(f"\n{shown(output / 'report.html')}")


def _show_scene(meter: Meter, scene: SceneScores) -> None:
    """Print the PSNR of each method by the last protocol."""
    figures = (
        f"{shown(name)} {[*one.protocols.values()][-1].psnr:.2f}" for name, one in scene.methods.items()
    )
    meter.say(f"{shown(scene.name)}: {'  '.join(figures)}")
    meter.next_file()


def _print_tables(scores: Scores) -> None:
    """Print the means, one table a protocol, the median of the seconds, and how networks ran; the best has a star.

    An interval is shown of several scenes, and LPIPS where it was measured.
    """
    several = len(scores.scenes) > 1
    for protocol in scores.protocols:
        title = {"as_published": "as published", "aligned": "aligned"}[protocol]
        print(f"\n{title}, mean of {len(scores.scenes)} (seconds: median)")
        rows = {name: summary.protocols[protocol] for name, summary in scores.summary.items()}
        lpips = any(row["lpips"] is not None for row in rows.values())
        interval, perceptual = "[95 % interval]    " if several else "", "LPIPS  " if lpips else ""
        print(f"{'':26} {'PSNR':>6}  {interval}{'SSIM':>6}  {'MAE':>6}  {perceptual}{'gain':>6}  {'s':>6}")
        means = {name: row["psnr"].mean for name, row in rows.items() if row["psnr"] is not None}
        best = max(means, key=lambda name: means[name], default=None)
        for name, row in rows.items():
            figures = _format_row(row, scores.summary[name].seconds, several, lpips)
            print(f"{shown(name):24} {'*' if name == best else ' '} {figures}")
        if best is not None:
            print("* best PSNR")
    networks = [(method.name, method.computation) for method in scores.methods if method.computation]
    if networks:
        print("\nhow networks ran")
    for name, computation in networks:
        print(f"{shown(name):26} {computation.text()}")


def _format_row(row: Mapping[str, Spread | None], seconds: float | None, several: bool, lpips: bool) -> str:
    def mean(metric: str, form: str) -> str:
        spread = row[metric]
        return "-" if spread is None else format(spread.mean, form)

    psnr = row["psnr"]
    interval = "" if psnr is None or psnr.low is None else f"[{psnr.low:5.2f}, {psnr.high:5.2f}]"
    figures = [f"{mean('psnr', '5.2f'):>6}", f"{mean('ssim', '.4f'):>6}", f"{mean('mae', '.4f'):>6}"]
    if several:
        figures.insert(1, f"{interval:17}")
    if lpips:
        figures.append(f"{mean('lpips', '.3f'):>5}")
    figures += [f"{mean('gain', '+6.2f'):>6}", f"{'-' if seconds is None else f'{seconds:.1f}':>6}"]
    return "  ".join(figures)
