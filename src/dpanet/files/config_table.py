"""Build frozen dataclasses from tables of plain values, as a TOML file has them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from dpanet.errors import ConfigError

Built = TypeVar("Built")


def read_table(kind: type[Built], table: Mapping[str, Any], prefix: str = "") -> Built:
    """Return a dataclass, with nested ones, from a table of plain values.

    Args:
        kind: the dataclass.
        table: values of its fields; fields with a default may be missing.
        prefix: key of the table with a dot, for errors.

    Raises:
        ConfigError: with the dotted key that is unknown, missing, of the wrong type or impossible.
    """
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            advice = f"did you mean {prefix}{near[0]}?" if near else f"there are {', '.join(known)}"
            raise ConfigError(f"{prefix}{key} is unknown; {advice}")
    for key, field in known.items():
        if key not in table and field.default is MISSING and field.default_factory is MISSING:
            raise ConfigError(f"{prefix}{key} is missing; give it")
    values = {key: _read_value(hints[key], value, f"{prefix}{key}") for key, value in table.items()}
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{prefix}{error}") from error


def _read_value(kind: Any, value: Any, key: str) -> Any:
    """Return a value of a type, which may be a plain one, a tuple, a Literal, a dataclass or a union."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _read_union(arguments, value, key)
    if origin is Literal:
        if value not in arguments:
            raise ConfigError(f"{key} is {value!r}; it must be one of {', '.join(map(str, arguments))}")
        return value
    if is_dataclass(kind) and isinstance(value, dict):
        return read_table(kind, value, f"{key}.")  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list | tuple):
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else list(arguments)
        if len(kinds) != len(value):
            raise ConfigError(f"{key} has {len(value)} values; it needs {len(kinds)}")
        pairs = enumerate(zip(kinds, value, strict=True))
        return tuple(_read_value(kind, item, f"{key}[{index}]") for index, (kind, item) in pairs)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is float and isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key} is {value}; it must be a finite number")
    if (kind is dict or origin is dict) and isinstance(value, dict):
        return value
    if kind not in (int, float, bool, str) or type(value) is not kind:
        raise ConfigError(f"{key} is {value!r}; it must be {_describe(kind)}")
    return value


def _read_union(options: Sequence[Any], value: Any, key: str) -> Any:
    """Return a value of an optional type, or of the dataclass whose field `kind` the table names."""
    if value is None and NoneType in options:
        return None
    options = [option for option in options if option is not NoneType]
    if len(options) == 1 or not isinstance(value, dict):
        return _read_value(options[0], value, key)
    classes = {_kind(option): option for option in options}
    kind = value.get("kind", next(iter(classes)))
    if kind not in classes:
        raise ConfigError(f"{key}.kind is {kind!r}; it must be one of {', '.join(classes)}")
    for name in value:
        owners = [other for other, option in classes.items() if name in _names(option)]
        if owners and kind not in owners:
            raise ConfigError(
                f"{key}.{name} has no meaning where {key}.kind is {kind}; remove it, or give {key}.kind={owners[0]}"
            )
    return read_table(classes[kind], value, f"{key}.")


def _kind(option: Any) -> str:
    return str(next(field.default for field in fields(option) if field.name == "kind"))


def _names(option: Any) -> set[str]:
    return {field.name for field in fields(option)}


def _describe(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return "a list"
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return words.get(kind, "a table")
