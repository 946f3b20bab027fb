"""Write docs/api.md: the public names of the package, from their signatures and docstrings.

python -m tools.api_reference
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import is_dataclass
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.docstring_text import to_line, to_markdown

PAGE = Path(__file__).parents[1] / "docs/api.md"

MODULES = ("dpanet", "dpanet.evaluation", "dpanet.network", "dpanet.datasets", "dpanet.simulation.replay")
"""Modules whose public names are for users; a name is described where it first occurs."""

WIDTH = 100
"""Characters to which a signature may grow before each of its parameters gets a line of its own."""

_HEAD = """# Python interface

The public names of the package, from their docstrings. Their examples run in the tests. This page is written by
`python -m tools.api_reference`. How they are used together: [for researchers](quickstart-researchers.md).

"""


def build_page() -> str:
    """Return the Markdown of the page."""
    seen: set[str] = set()
    index, parts = [], []
    for path in MODULES:
        module = import_module(path)
        names = [name for name in _public_names(module) if _home(module, name) not in seen]
        seen |= {_home(module, name) for name in names}
        heading = f"From {path}"
        index.append(f"- [`{path}`](#{_anchor(heading)}): " + ", ".join(_link(name) for name in names))
        parts.append(f"## {heading}\n\n{_introduction(module)}")
        parts += [_describe(name, getattr(module, name)) for name in names]
    return _HEAD + "\n".join(index) + "\n\n" + "\n\n".join(parts) + "\n"


def _public_names(module: ModuleType) -> list[str]:
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and inspect.isfunction(value) and value.__module__ == module.__name__
    ]
    names = [name for name in names if name != "__version__"]
    return sorted(names, key=lambda name: (_is_error(getattr(module, name)), name.lower()))


def _home(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    return f"{getattr(value, '__module__', module.__name__)}.{getattr(value, '__qualname__', name)}"


def _is_error(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, Exception)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _link(name: str) -> str:
    return f"[`{name}`](#{_anchor(name)})"


def _introduction(module: ModuleType) -> str:
    text = inspect.getdoc(module) or ""
    return text.split("\n\n")[0]


def _describe(name: str, value: Any) -> str:
    if _is_error(value):
        bases = ", ".join(f"`{base.__name__}`" for base in value.__bases__)
        return f"### {name}\n\nA kind of {bases}. {_documentation(value)}"
    if inspect.isfunction(value):
        return f"### {name}\n\n{_signature(name, value)}\n\n{_documentation(value)}"
    if not inspect.isclass(value):
        return f"### {name}\n\n{_describe_value(value)}"
    parts = [f"### {name}\n\n{_signature(name, value)}\n\n{_documentation(value)}"]
    fields = _field_texts(value)
    if fields:
        parts.append("**Fields**\n\n" + "\n".join(f"- `{field}`: {text}" for field, text in fields.items()))
    for member, function in _members(value).items():
        if member.startswith("_") and member != "__call__":
            continue
        called = name[0].lower() + name[1:] if member == "__call__" else f"{name}.{member}"
        if isinstance(function, property):
            parts.append(f"**`{name}.{member}`** (property)\n\n{_documentation(function)}")
        elif isinstance(function, classmethod | staticmethod):
            parts.append(f"{_signature(called, function.__func__)}\n\n{_documentation(function)}")
        elif inspect.isfunction(function):
            parts.append(f"{_signature(called, function)}\n\n{_documentation(function)}")
    return "\n\n".join(parts)


def _members(value: type) -> dict[str, Any]:
    """Return what a class has, and then what it inherits inside the package."""
    parts = [vars(part) for part in value.__mro__ if part.__module__.startswith("dpanet.")]
    found: dict[str, Any] = {}
    for part in parts:
        found = found | {name: member for name, member in part.items() if name not in found}
    return found


def _describe_value(value: Any) -> str:
    """Describe a table or a type by what it lists."""
    keys = list(value) if isinstance(value, dict | tuple | list) else list(getattr(value, "__args__", ()))
    return "One of: " + ", ".join(f"`{key}`" for key in keys) + "."


def _field_texts(value: type) -> dict[str, str]:
    """Return the text below each field of a dataclass, as a line; of the classes it is made of, too."""
    texts: dict[str, str] = {}
    for part in reversed(value.__mro__):
        if not is_dataclass(part):
            continue
        body = ast.parse(inspect.cleandoc(inspect.getsource(part))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in pairwise(body.body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
            ):
                texts[field.target.id] = to_line(str(below.value.value))
    return texts


def _documentation(value: Any) -> str:
    return to_markdown(inspect.getdoc(value) or "")


def _signature(name: str, value: Any) -> str:
    signature = inspect.signature(value)
    fields = [field for field in signature.parameters.values() if field.name not in ("self", "cls")]
    signature = signature.replace(parameters=fields)
    text = re.sub(r"(['\"])(.*?)\1(?=[,)\s=]|$)", _unquoted, str(signature))
    text = text.replace("<factory>", "...").replace(" -> None", "")
    line = name + text
    if len(line) > WIDTH:
        inside, _, after = text[1:].rpartition(")")
        rows = re.split(r", (?=[*/]|\w+:)", inside)
        line = f"{name}(\n" + "".join(f"    {row},\n" for row in rows) + f"){after}"
    return f"```py\n{line}\n```"


def _unquoted(match: re.Match[str]) -> str:
    """Return an annotation without quotes, but the default of a parameter as it is."""
    before = match.string[: match.start()]
    return match[2] if before.endswith((": ", "-> ")) else match[0]


if __name__ == "__main__":
    PAGE.write_text(build_page(), encoding="utf-8")
