"""Stops the first process that copies a picture to its folder in the middle; its number is then in the file GATE."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

_copyfile = shutil.copyfile


def _copy(source: Any, target: Any, **options: Any) -> Any:
    gate = Path(os.environ["GATE"])
    if ".partial" not in Path(target).name:
        return _copyfile(source, target, **options)
    try:
        with gate.open("x") as file:
            Path(target).write_bytes(Path(source).read_bytes()[:100])
            file.write(str(os.getpid()))
    except FileExistsError:
        return _copyfile(source, target, **options)
    time.sleep(600)
    return None


if "GATE" in os.environ:
    shutil.copyfile = _copy
