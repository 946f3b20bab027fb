"""What the package imports is what installing it, or one of its extras, brings."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from architecture import imported

from dpanet.cli.program import _COMMANDS
from dpanet.extras import COMMANDS, INCLUDES, PACKAGES, modules_of

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

KNOWN = packages_distributions()

NEEDS = {
    "benchmark/openvino_convolutions.py": "openvino",
    "app": "app",
    "cluster": "cluster",
    "benchmark": "train",  # it measures what is installed, and leaves out the rest
    "checkpoints": "torch",
    "checkpoints/model_hub.py": "hub",
    "datasets": "evaluate",
    "engines/openvino_engine.py": "openvino",
    "engines/placement.py": "torch",
    "engines/torch_engine.py": "torch",
    "deconvolution": "evaluate",
    "evaluation": "evaluate",
    "evaluation/methods/spandrel_model.py": "restorers",
    "export": "export",
    "export/openvino_file.py": "openvino",
    "fidelity": "evaluate",
    "inspection": "evaluate",
    "network": "torch",
    "report": "evaluate",
    "simulation": "evaluate",
    "recording": "evaluate",
    "training": "train",
    "views/kinds.py": "torch",  # for its types
    "views/pillow_images.py": "evaluate",
    "views/tensors.py": "torch",
} | {f"cli/{command.replace('-', '_')}.py": extra for command, extra in COMMANDS.items() if extra}
"""The extra of a room or file; what needs one says so in a sentence where it is missing."""

FILES = sorted(
    path.relative_to(ROOT / "src/dpanet").as_posix() for path in (ROOT / "src/dpanet").rglob("*.py")
)


def distributions_of(extra: str) -> set[str]:
    """Names of what an extra brings, those of the extras that it includes too."""
    lines = PROJECT["optional-dependencies"][extra]
    inner = [line.partition("[")[2].rstrip("]") for line in lines if line.startswith("dpanet[")]
    own = {normalized(line) for line in lines if not line.startswith("dpanet[")}
    return own.union(*(distributions_of(name) for group in inner for name in group.split(",")))


def undeclared(source: str, path: str) -> list[str]:
    """Modules that the source of the file `path` imports and that its installation may lack."""
    declared = {normalized(line) for line in PROJECT["dependencies"]}
    for place, extra in NEEDS.items():
        if path == place or path.startswith(f"{place}/"):
            declared |= distributions_of(extra)
    tops = {
        name.split(".")[0]
        for name in imported(source, "dpanet." + path.removesuffix(".py").replace("/", "."))
    }
    outside = sorted(tops - {"dpanet"} - sys.stdlib_module_names)
    return [top for top in outside if not {normalized(name) for name in KNOWN.get(top, [top])} & declared]


def normalized(line: str) -> str:
    """The name of the distribution in a requirement, as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=~!\[]", line)[0]).lower()


@pytest.mark.parametrize("path", FILES)
def test_what_is_imported_is_installed(path: str) -> None:
    assert undeclared((ROOT / "src/dpanet" / path).read_text(), path) == []


def test_what_is_not_declared_is_caught() -> None:
    assert undeclared("def f():\n    import lightning_fabric, cv2, os", "simulation/render.py") == [
        "lightning_fabric"
    ]
    assert undeclared("import cv2, numpy, rawpy", "images/raw.py") == ["cv2"]
    assert undeclared("import lightning_fabric", "training/loop.py") == []


@pytest.mark.parametrize("extra", PACKAGES)
def test_the_table_of_extras_is_that_of_the_project(extra: str) -> None:
    brought = {normalized(KNOWN.get(module, [module])[0]) for module in modules_of(extra)}
    assert brought == distributions_of(extra)
    assert (
        INCLUDES.get(extra) is None or f"dpanet[{INCLUDES[extra]}]" in PROJECT["optional-dependencies"][extra]
    )


def test_each_command_states_its_extra() -> None:
    assert set(_COMMANDS) <= set(COMMANDS)


def test_what_tests_need_is_every_extra_but_the_restorers() -> None:
    needed = set.union(*(distributions_of(extra) for extra in PACKAGES if extra != "restorers"))
    assert needed <= distributions_of("develop")


def test_the_versions_of_all_that_is_required_are_pinned() -> None:
    pinned = {normalized(line) for line in (ROOT / "constraints.txt").read_text().split()}
    required = {normalized(line) for line in PROJECT["dependencies"]} | distributions_of("develop")
    assert required <= pinned
