"""ONNX Runtime sends nothing and leaves nothing."""

import os
import subprocess
import sys
from pathlib import Path

from architecture import imported

import dpanet

PACKAGE = Path(dpanet.__file__).parent

RUN = """

from dpanet import Deblurrer
import numpy as np
view = np.full((32, 32, 3), 99, np.uint8)
Deblurrer("nano", engine="onnxruntime")(view, view)
"""


def test_no_trace_of_its_reports_is_left(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    own = {"HOME": str(home), "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(home)}
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    subprocess.run([sys.executable, "-c", RUN], env=kept | own, check=True, timeout=120)
    assert [*temporary.iterdir()] == []  # where it notes a session that it reports
    assert not any("icrosoft" in path.name for path in home.rglob("*"))


def test_it_is_imported_in_one_place() -> None:
    place = PACKAGE / "engines" / "onnx_runtime.py"
    others = [
        path
        for path in PACKAGE.rglob("*.py")
        if path != place
        and {"onnxruntime"} & {name.partition(".")[0] for name in imported(path.read_text(), "dpanet.x")}
    ]
    assert others == []
