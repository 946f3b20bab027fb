"""The examples of the public functions are true."""

import doctest
from types import ModuleType

import pytest

from dpanet.evaluation import metrics, protocol


@pytest.mark.parametrize(("module", "examples"), [(metrics, 3), (protocol, 2)])
def test_examples(module: ModuleType, examples: int) -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    assert sum(bool(test.examples) for test in finder.find(module)) == examples
    assert doctest.testmod(module).failed == 0
