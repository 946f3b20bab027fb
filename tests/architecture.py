"""The direction of imports inside the package, read from the source and never by importing it."""

import ast
from pathlib import Path

from dpanet.extras import PACKAGES

ROOMS = (
    "__main__",
    "cli",
    "app",
    "cluster",
    "jobs",
    "terminal",
    "benchmark",
    "training",
    "report",
    "fidelity",
    "evaluation",
    "inspection",
    "export",
    "deblurrer",
    "tiles",
    "engines",
    "views",
    "deconvolution",
    "simulation",
    "recording",
    "datasets",
    "checkpoints",
    "network",
    "refinement",
    "lenses",
    "camera_raw",
    "images",
    "formats",
    "containers",
    "files",
    "processes",
    "pair",
    "extras",
    "errors",
    "version",
)
"""From the doors to the foundation: a room may import from later rooms only, and from itself."""

PLACE = {room: place for place, room in enumerate(ROOMS)}

FILES = ("cv2", "PIL", "tifffile", "pyvips", "rawpy")

EXTRAS = tuple(module for modules in PACKAGES.values() for module in modules)
"""Modules that a plain installation lacks."""

FORBIDDEN = {
    "network": (*FILES, "safetensors", "pathlib"),  # it knows tensors, never files
    "jobs": EXTRAS,
    "terminal": (*EXTRAS, "numpy", *FILES),
    "benchmark": EXTRAS,
    "deblurrer": EXTRAS,
    "tiles": EXTRAS,
    "engines": EXTRAS,
    "views": EXTRAS,
    "refinement": EXTRAS,
    "lenses": EXTRAS,
    "camera_raw": EXTRAS,
    "images": EXTRAS,
    "formats": EXTRAS,
    "containers": EXTRAS,
    "files": (*EXTRAS, *FILES),
    "processes": (*EXTRAS, "numpy", *FILES),
    "evaluation/metrics.py": ("torch",),
    "extras.py": (*EXTRAS, "numpy", *FILES),
    "pair.py": (*EXTRAS, *FILES),
    "errors.py": (*EXTRAS, "numpy", *FILES),
}
"""Modules from outside that a room or a file does not know, wherever in it the import stands."""

ALLOWED = {
    "benchmark/openvino_convolutions.py": "openvino",
    "benchmark/torch_convolutions.py": "torch",
    "engines/openvino_engine.py": "openvino",
    "engines/placement.py": "torch",
    "engines/torch_engine.py": "torch",
    "views/kinds.py": "torch",  # for its types
    "views/pillow_images.py": "PIL",
    "views/tensors.py": "torch",
}
"""The one module of an extra that a file may import although its room may not."""

APART = {
    "network": ("images", "files"),
    "simulation": ("checkpoints", "network"),
    "recording": ("checkpoints", "network"),
    "datasets": ("checkpoints", "network"),
}
"""Later rooms that a room has no business with."""

LARGEST_ROOM = 2500
"""Lines of all files of a room together."""

VAGUE = ("utils", "util", "common", "helpers", "helper", "misc")


def imported(source: str, module: str, package: bool = False) -> set[str]:
    """Every module that the source of `module` imports, at the top or inside functions, in full."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: None if package and node.level == 1 else -(node.level - package)]
                base = ".".join([*above, base]).rstrip(".")
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def faults(source: str, path: str) -> list[str]:
    """What the file `path` (inside the package, such as ``images/reading.py``) imports and must not."""
    parts = Path(path).with_suffix("").parts
    package = parts[-1] == "__init__"
    module = ".".join(("dpanet", *(parts[:-1] if package else parts)))
    room = parts[0]
    wrong = set()
    for name in imported(source, module, package):
        top, *rest = name.split(".")
        for place, outside in FORBIDDEN.items():
            if (
                top in outside
                and top != ALLOWED.get(path)
                and (path == place or path.startswith(f"{place}/"))
            ):
                wrong.add(f"{path} imports {top}")
        if top != "dpanet" or not rest or room == "__init__":
            continue
        other = rest[0]
        if other not in PLACE:
            wrong.add(f"{path} imports {other} through the front door")
        wrong_way = other in PLACE and other != room and PLACE[other] <= PLACE[room]
        if wrong_way or other in APART.get(room, ()):
            wrong.add(f"{path} imports {other}")
    return sorted(wrong)
