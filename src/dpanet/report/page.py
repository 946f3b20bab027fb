"""The report page: one file, rendered from ``templates/``."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Mapping
from importlib.resources import files
from json import dumps
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dpanet.evaluation.scores import DEFOCUS_METRICS, METRICS, NOTHING, Scores
from dpanet.files.output import atomic_output
from dpanet.report.formatting import (
    ABSENT,
    FORMATS,
    count_images,
    format_value,
    method_title,
    printable,
    protocol_title,
)
from dpanet.report.pictures import check_pictures, picture_names
from dpanet.report.plot import gain_plots
from dpanet.report.published import load_published_scores
from dpanet.report.scenes import best_method, first_choice, scene_views
from dpanet.report.spreadsheet import scores_csv
from dpanet.report.tables import defocus_rows, run_rows, score_table
from dpanet.report.windows import chosen_files, method_windows

LAYOUTS = {
    "dpdd": "DPDD (Abuolaim and Brown, ECCV 2020)",
    "restormer": "DPDD in Restormer's layout",
    "pixel4": "Pixel 4 captures (Xin et al., ICCV 2021)",
    "pairs": "pairs with truths",
}
"""Titles of the layouts."""


def build_page(scores: Scores, folder: Path) -> Path:
    """Write ``report.html``, which requests nothing from any network; an older page is replaced.

    Args:
        scores: The evaluation.
        folder: Has ``scenes/NAME/METHOD.webp`` and ``METHOD-crop.png`` for every scene, method and truth, and the
            pictures of the windows that are shown.

    Returns:
        Path of the page.

    Raises:
        ReportError: If a picture is missing or cannot be read.
        OutputError: If the page cannot be written.
    """
    check_pictures(folder, scores, chosen_files(folder, scores))
    page = folder / "report.html"
    template = _environment().get_template("page.html.j2")
    with atomic_output(page, overwrite=True) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        file.writelines(template.generate(_context(scores, folder)))
        file.write("\n")
    return page


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dpanet.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False}
    environment.policies["json.dumps_function"] = lambda value, **options: dumps(_printable(value), **options)
    environment.filters["heading"] = lambda metric: FORMATS[metric].heading
    environment.filters["images"] = count_images
    environment.filters["method_title"] = method_title
    environment.filters["protocol_title"] = protocol_title
    environment.globals |= {
        "ABSENT": ABSENT,
        "DEFOCUS_METRICS": DEFOCUS_METRICS,
        "METRICS": METRICS,
        "NOTHING": NOTHING,
    }
    return environment


def _printable(value: Any) -> Any:
    """Return a value of a template whose plain texts, at any depth, and keys can be shown; see `printable`."""
    if isinstance(value, Mapping):
        return {_printable(key): _printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(inner) for inner in value]
    return printable(value) if type(value) is str else value  # not those that are HTML already


def _context(scores: Scores, folder: Path) -> dict[str, Any]:
    """Return the variables of the templates."""
    style, script = (files(__package__).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    published = load_published_scores().get(scores.layout) if "as_published" in scores.protocols else None
    names = picture_names(scores)
    return {
        "scores": scores,
        "title": f"Scores on {LAYOUTS.get(scores.layout, scores.layout)}, {count_images(len(scores.scenes))}",
        "finding": _finding(scores),
        "command": _command(scores),
        "policy": f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
        "style": style,
        "script": script,
        "csv": base64.b64encode(scores_csv(scores).encode()).decode(),
        "score_tables": [score_table(scores, protocol) for protocol in scores.protocols],
        "published": published,
        "run_rows": run_rows(scores) if published else [],
        "defocus_rows": defocus_rows(scores),
        "defocus_images": sum(bool(scene.defocus) for scene in scores.scenes) or len(scores.scenes),
        "gain_plots": gain_plots(scores),
        "last_protocol": protocol_title(scores.protocols[-1]),
        "choice": first_choice(scores),
        "picture_names": names,
        "titles": {name: method_title(name) for name in names},
        "method_windows": method_windows(folder, scores),
        "scenes": scene_views(folder, scores),
    }


def _command(scores: Scores) -> str:
    words = scores.command
    return shlex.join(words if words[:1] == ("dpanet",) else ("dpanet", *words))


def _finding(scores: Scores) -> str:
    """Return the result in one sentence."""
    if len(scores.methods) == 1:
        return "Only doing nothing was scored, and no method."
    protocol, best = scores.protocols[-1], best_method(scores)
    by = f"By the protocol “{protocol_title(protocol).lower()}”"
    nothing = scores.summary[NOTHING].protocols[protocol]["psnr"]
    spread = scores.summary[best].protocols[protocol]["gain"] if best else None
    if best is None or spread is None or nothing is None:
        return f"{by}, no method has a finite mean gain over doing nothing."
    ours = scores.summary[best].protocols[protocol]["psnr"]
    interval = ""
    if spread.low is not None and spread.high is not None:
        low, high = format_value(spread.low, "gain"), format_value(spread.high, "gain")
        interval = f" (95 % interval {low} to {high})"
    return (
        f"{by}, doing nothing scores {format_value(nothing.mean, 'psnr')} dB and the best method, {best}, "
        f"{format_value(ours.mean if ours else None, 'psnr')} dB: "
        f"{format_value(spread.mean, 'gain')} dB per image in the mean{interval}."
    )
