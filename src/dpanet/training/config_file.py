"""Configurations: a shipped name or a TOML file, changes to it, and back to a file."""

from __future__ import annotations

import difflib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass, replace
from functools import reduce
from importlib import resources
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from dpanet.checkpoints.model_file import SHIPPED
from dpanet.errors import ConfigError
from dpanet.simulation.optics import BEFORE
from dpanet.training.config import TrainingConfig

Built = TypeVar("Built")


def shipped() -> dict[str, str]:
    """The first line of each shipped configuration's comment, by name."""
    folder = resources.files("dpanet.training") / "configs"
    texts = {file.name.removesuffix(".toml"): file.read_text("utf-8") for file in folder.iterdir()
             if file.name.endswith(".toml")}  # fmt: skip
    return {name: texts[name].partition("\n")[0].lstrip("# ") for name in sorted(texts)}


def load_config(source: str, changes: Sequence[str] = (), *, record: bool = False) -> TrainingConfig:
    """The settings of a shipped name or a .toml file, with `changes` (KEY=VALUE each, dotted keys) made to it.

    record: the file is a run's own, so that a setting it lacks is one that there was not yet.

    Raises: ConfigError naming the file and the key that is unknown, of the wrong type or impossible.
    """
    if source in shipped():
        text = (resources.files("dpanet.training") / "configs" / f"{source}.toml").read_text("utf-8")
    else:
        try:
            text = Path(source).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"there is no configuration {source!r}; name a shipped one ({', '.join(shipped())}) or a TOML file"
            ) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is no TOML ({error}); mend it") from error
    try:
        return _with_changes(recorded(table) if record else table, changes)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error


def recorded(table: Mapping[str, Any]) -> dict[str, Any]:
    """The plain settings of a run, with what scenes were made with before there were the settings that it lacks."""
    data = table.get("data", {})
    return {**table, "data": {**data, "scenes": {**BEFORE, **data.get("scenes", {})}}}


def changed(settings: TrainingConfig, changes: Sequence[str]) -> TrainingConfig:
    """Settings with `changes` made to them. Raises: ConfigError as `load_config`."""
    return _with_changes(plain(settings), changes)


YIELDS = {"steps": "epochs", "epochs": "steps", "network.preset": "network.changes"}
"""A change of the first takes the second away: it belonged to what is changed."""

OF_KIND = {
    "simulated": ("photographs", "kernels", "easy", "hardening", "workers", "scenes"),
    "pairs": ("pairs", "mirror", "flip", "resize"),
}
"""Keys of data that say something for one kind alone."""


def _with_changes(table: dict[str, Any], changes: Sequence[str]) -> TrainingConfig:
    given = [insert(table, change) for change in changes]
    for key, other in YIELDS.items():
        if key in given and not any(name == other or name.startswith(f"{other}.") for name in given):
            *outer, last = other.split(".")
            reduce(dict.__getitem__, outer, table).pop(last, None)
    settings = absolute(read_table(TrainingConfig, table))
    for kind, names in OF_KIND.items():
        idle = [key for key in given if key.startswith("data.") and key.split(".")[1] in names]
        if kind != settings.data.kind and idle:
            raise ConfigError(
                f"{idle[0]} says nothing where data.kind is {settings.data.kind}; leave it out, or set "
                f"data.kind={kind}"
            )
    return settings


def insert(table: dict[str, Any], change: str) -> str:
    """Make one change KEY=VALUE; returns the key. A value that is no TOML, or belongs to a key of text, is text.

    Raises: ConfigError if it is none, or the key lies in something that is no table.
    """
    key, equals, text = change.partition("=")
    *tables, last = parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"--set {change!r} has not the form KEY=VALUE; give such as optimiser.clip=0.1")
    for depth, name in enumerate(tables, 1):
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{'.'.join(parts[:depth])} is no table, so it has no {key}; see the settings")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if text.lstrip()[:1] in ("[", "{"):
            raise ConfigError(f"{key} is {text}, which is no TOML ({error}); mend it") from error
        value = text
    table[last] = value if not _wants_text(TrainingConfig, parts) or isinstance(value, str) else text
    return key.strip()


def _wants_text(kind: Any, parts: list[str]) -> bool:
    for name in parts:
        if not is_dataclass(kind):
            return False
        kind = get_type_hints(kind).get(name)
    return kind is str


def read_table(kind: type[Built], table: Mapping[str, Any], prefix: str = "") -> Built:
    """A frozen dataclass, nested as it may be, from plain values of the right types.

    Raises: ConfigError with the dotted key that is unknown, missing, of the wrong type or impossible.
    """
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            advice = f"did you mean {prefix}{near[0]}?" if near else f"there are {', '.join(known)}"
            raise ConfigError(f"{prefix}{key} is unknown; {advice}")
    for key, f in known.items():
        if key not in table and f.default is MISSING and f.default_factory is MISSING:
            raise ConfigError(f"{prefix}{key} is missing; give it")
    values = {key: _value(hints[key], value, f"{prefix}{key}") for key, value in table.items()}
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{prefix}{error}") from error


def _value(kind: Any, value: Any, key: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        return _value(next(a for a in arguments if a is not NoneType), value, key)
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
        return tuple(_value(k, v, f"{key}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True)))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is float and isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{key} is {value}; it must be a finite number")
    if (kind is dict or origin is dict) and isinstance(value, dict):
        return value
    if kind not in (int, float, bool, str) or type(value) is not kind:
        raise ConfigError(f"{key} is {value!r}; it must be {_said(kind)}")
    return value


def _said(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return "a list"
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return words.get(kind, "a table")


def absolute(settings: TrainingConfig) -> TrainingConfig:
    """Settings whose paths that exist are absolute, so that the run can go on from another folder."""
    data, network = settings.data, settings.network
    data = replace(
        data,
        photographs=_absolute(data.photographs),
        kernels=_absolute(data.kernels),
        pairs=_absolute(data.pairs),
    )
    start = network.start if network.start in SHIPPED else _absolute(network.start)
    return replace(settings, data=data, network=replace(network, start=start))


def _absolute(text: str) -> str:
    return str(Path(text).absolute()) if text and Path(text).exists() else text


def plain(settings: TrainingConfig) -> dict[str, Any]:
    """Tables of plain values without those that are None."""
    return {key: value for key, value in _plain(asdict(settings)).items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items() if v is not None}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def to_toml(settings: TrainingConfig) -> str:
    """The text of a file that `load_config` reads as these settings."""
    return "\n".join(_lines(plain(settings))).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], prefix: str = "") -> list[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [f"{key} = {_literal(value)}" for key, value in table.items() if key not in inner]
    for key, value in inner.items():
        lines += ["", f"[{prefix}{key}]", *_lines(value, f"{prefix}{key}.")]
    return lines


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_literal(v)}" for key, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def differences(before: TrainingConfig, after: TrainingConfig) -> dict[str, tuple[Any, Any]]:
    """By dotted key, what was and what is, of all settings that differ."""
    old, new = (dict(_flat(asdict(settings))) for settings in (before, after))
    return {key: (old.get(key), new.get(key)) for key in new | old if old.get(key) != new.get(key)}


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        found += _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return found
