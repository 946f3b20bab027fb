"""Score pictures of real captures by both protocols.

    python benchmarks/score.py pixel4 FOLDER                      doing nothing: the mean of the views
    python benchmarks/score.py pixel4 FOLDER --outputs FOLDER     NNN.png, 16 bits, linear, scale of the views
    python benchmarks/score.py canon FOLDER --outputs FOLDER      NN.png, 8 or 16 bits, sRGB
    python benchmarks/score.py canon FOLDER --method dpdnet       NN_dpdnet.png beside the views

Exit status: 0 done, 1 failed, 2 misused.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import dpanet
from dpanet.datasets.captures import Capture, read_display, read_output, read_pixel4
from dpanet.errors import DpanetError, OutputError
from dpanet.evaluation.report import HEADER, Row, as_json, format_row, score_row

READERS = {"pixel4": read_pixel4, "canon": read_display}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        _check_json(options.json)
        rows = _score(options)
        if options.json is not None:
            subject = str(options.outputs or options.method or options.baseline)
            _write(options.json, as_json(rows, dpanet=dpanet.__version__, data=options.data, subject=subject))
    except (DpanetError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", choices=sorted(READERS), help="how the folder is laid out")
    parser.add_argument("folder", type=Path, help="the captures")
    subject = parser.add_mutually_exclusive_group()
    subject.add_argument("--outputs", type=Path, help="folder of SCENE.png to score")
    subject.add_argument("--method", help="score SCENE_METHOD.png in the folder of the captures")
    subject.add_argument("--baseline", choices=["none"], default="none", help="score doing nothing (default)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    return parser


def _score(options: argparse.Namespace) -> list[Row]:
    rows = []
    print(HEADER)
    for capture in READERS[options.data](options.folder):
        path = _output_path(options, capture)
        rows.append(score_row(capture, None if path is None else read_output(path, capture)))
        print(format_row(rows[-1]), flush=True)
    print(format_row(Row.mean(rows)))
    return rows


def _output_path(options: argparse.Namespace, capture: Capture) -> Path | None:
    if options.outputs is not None:
        return Path(options.outputs / f"{capture.name}.png")
    if options.method is not None:
        return Path(options.folder / f"{capture.name}_{options.method}.png")
    return None


def _check_json(path: Path | None) -> None:
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise OutputError(
            f"{path} cannot be written; expected a file in an existing folder, so make the folder first"
        )


def _write(path: Path, table: dict[str, object]) -> None:
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(json.dumps(table, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
