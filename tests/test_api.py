"""The public interface; a changed line in api_surface.json is a changed promise to users."""

import doctest
import inspect
import json
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import dpanet
from dpanet import errors

SURFACE = json.loads((Path(__file__).parent / "api_surface.json").read_text())

NAMES = sorted(set(dpanet.__all__) - {"__version__"})

ERRORS = [name for name in NAMES if name.endswith("Error")]


def describe(thing: Any) -> Any:
    """Signatures with types and defaults of a function, or of a class and its public methods; bases of an error."""
    if not inspect.isclass(thing):
        return str(inspect.signature(thing))
    if issubclass(thing, Exception):
        return [base.__name__ for base in thing.__bases__]
    methods = {
        name: "property" if isinstance(value, property) else str(inspect.signature(getattr(thing, name)))
        for name, value in members(thing).items()
    }
    return {"": str(inspect.signature(thing)), **methods}


def members(thing: type) -> dict[str, Any]:
    """Public methods and properties of a class, its own and those that it inherits inside the package."""
    own = [vars(base) for base in thing.__mro__ if base.__module__.startswith("dpanet.")]
    return {
        name: value
        for attributes in reversed(own)
        for name, value in attributes.items()
        if isinstance(value, FunctionType | property | classmethod | staticmethod)
        and (name == "__call__" or not name.startswith("_"))
    }


def documented() -> dict[str, Any]:
    """Everything that has to have an example: functions, classes, their methods and properties."""
    things: dict[str, Any] = {}
    for name in sorted(set(NAMES) - set(ERRORS)):
        things[name] = thing = getattr(dpanet, name)
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            things |= {f"{name}.{member}": value for member, value in members(thing).items()}
    return things


def test_the_public_names() -> None:
    assert sorted(SURFACE) == NAMES
    assert dir(dpanet) == sorted(dpanet.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_keeps_its_parameters_defaults_and_types(name: str) -> None:
    assert describe(getattr(dpanet, name)) == SURFACE[name]


@pytest.mark.parametrize("name", documented())
def test_each_name_has_an_example_that_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(documented()[name]) or ""
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert example.examples, f"dpanet.{name} has no example"
    output: list[str] = []
    doctest.DocTestRunner().run(example, out=output.append)
    assert output == []


def test_all_errors_are_public() -> None:
    of_module = [name for name, value in vars(errors).items() if inspect.isclass(value)]
    assert sorted(of_module) == sorted([*ERRORS, "ImageWarning"])
    assert all(issubclass(getattr(dpanet, name), dpanet.DpanetError) for name in ERRORS)


def test_an_unknown_name_is_an_ordinary_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sharpen'"):
        _ = dpanet.sharpen


def test_the_version_is_the_same_everywhere() -> None:
    assert dpanet.__version__ == version("dpanet")
