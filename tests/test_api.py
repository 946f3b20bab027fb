"""What the front door offers; a changed line in api_surface.json is a changed promise."""

import inspect
import json
from importlib.metadata import version
from pathlib import Path

import pytest

import dpanet

SURFACE = json.loads((Path(__file__).parent / "api_surface.json").read_text())


def test_the_public_names() -> None:
    assert sorted(dpanet.__all__) == sorted(SURFACE)
    assert dir(dpanet) == sorted(SURFACE)


@pytest.mark.parametrize("name", sorted(SURFACE))
def test_each_name_takes_what_it_promises(name: str) -> None:
    thing = getattr(dpanet, name)
    parameters = list(inspect.signature(thing).parameters) if callable(thing) else None
    assert parameters == SURFACE[name]
    if callable(thing):
        assert inspect.getdoc(thing)


def test_an_unknown_name_is_an_ordinary_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sharpen'"):
        _ = dpanet.sharpen


def test_the_version_is_told_alike_everywhere() -> None:
    assert dpanet.__version__ == version("dpanet")
