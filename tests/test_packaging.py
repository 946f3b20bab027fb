"""What the package imports is what installing it brings."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from architecture import imported

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OPTIONAL = {"training": "train", "evaluation/methods/spandrel_model.py": "restorers"}
"""What a room or file may need beyond the dependencies; it says so in a sentence where that is missing."""

FILES = sorted(
    path.relative_to(ROOT / "src/dpanet").as_posix() for path in (ROOT / "src/dpanet").rglob("*.py")
)


def undeclared(source: str, path: str) -> list[str]:
    """Modules that the source of the file `path` imports and that its installation may lack."""
    declared = [*PROJECT["dependencies"]]
    for place, extra in OPTIONAL.items():
        if path == place or path.startswith(f"{place}/"):
            declared += PROJECT["optional-dependencies"][extra]
    names = {normalized(re.split(r"[<>=~!\[]", line)[0]) for line in declared}
    tops = {
        name.split(".")[0]
        for name in imported(source, "dpanet." + path.removesuffix(".py").replace("/", "."))
    }
    outside = sorted(tops - {"dpanet"} - sys.stdlib_module_names)
    known = packages_distributions()
    return [top for top in outside if not {normalized(name) for name in known.get(top, [top])} & names]


def normalized(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("path", FILES)
def test_what_is_imported_is_installed(path: str) -> None:
    assert undeclared((ROOT / "src/dpanet" / path).read_text(), path) == []


def test_what_is_not_declared_is_caught() -> None:
    assert undeclared("def f():\n    import lightning_fabric, cv2, os", "simulation/render.py") == [
        "lightning_fabric"
    ]
    assert undeclared("import lightning_fabric", "training/loop.py") == []
