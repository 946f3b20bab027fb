"""Read configs from TOML files, change them, and write them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, get_args, get_type_hints

from dpanet.checkpoints.shipped_models import SHIPPED
from dpanet.errors import ConfigError, shown
from dpanet.files.config_table import read_table
from dpanet.training.config import TrainingConfig

NAMES = "surrogateescape"
"""How bytes of a path that are not UTF-8 are read and written, in the files that contain paths: as they are."""

_REPLACES = {"steps": "epochs", "epochs": "steps", "network.preset": "network.changes"}
"""By key, another key that is removed when it changes, since its value belonged to the old one."""


def shipped_configs() -> dict[str, str]:
    """Return the first comment line of each shipped config, by name."""
    folder = resources.files("dpanet.training") / "configs"
    files = {
        file.name.removesuffix(".toml"): file for file in folder.iterdir() if file.name.endswith(".toml")
    }
    return {name: files[name].read_text("utf-8").partition("\n")[0].lstrip("# ") for name in sorted(files)}


def load_config(source: str, changes: Sequence[str] = ()) -> TrainingConfig:
    """Return a shipped config, or that of a TOML file, with changes.

    Args:
        source: name of a shipped config, or path of a file.
        changes: KEY=VALUE each, with a dotted key and a TOML value.

    Raises:
        ConfigError: naming the file, and the key that is unknown, of the wrong type or impossible.
    """
    if source in shipped_configs():
        text = (resources.files("dpanet.training") / "configs" / f"{source}.toml").read_text("utf-8")
    else:
        try:
            text = Path(source).read_text("utf-8", NAMES)
        except OSError as error:
            raise ConfigError(
                f"there is no config {shown(source)!r}; name a shipped one "
                f"({', '.join(shipped_configs())}) or a TOML file"
            ) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{shown(source)} is not valid TOML ({error}); correct it") from error
    try:
        return _change_table(table, changes)
    except ConfigError as error:
        raise ConfigError(f"{shown(source)}: {error}") from error


def change_config(config: TrainingConfig, changes: Sequence[str]) -> TrainingConfig:
    """Return a config with changes.

    Raises:
        ConfigError: as `load_config`.
    """
    return _change_table(to_table(config), changes)


def _change_table(table: dict[str, Any], changes: Sequence[str]) -> TrainingConfig:
    keys = [split_change(change)[0] for change in changes]
    for key in keys:
        other = _REPLACES.get(key)
        if other is not None and not any(name == other or name.startswith(f"{other}.") for name in keys):
            _remove(table, other)
        if key == "data.kind":  # the other keys of data belong to the old kind
            table["data"] = {}
    for change in changes:
        insert_change(table, change)
    return make_paths_absolute(read_table(TrainingConfig, table))


def _remove(table: dict[str, Any], key: str) -> None:
    *outer, last = key.split(".")
    for name in outer:
        table = table.get(name, {})
    table.pop(last, None)


def split_change(change: str) -> tuple[str, str]:
    """Return the key and the text of the value of KEY=VALUE.

    Raises:
        ConfigError: if it has another form.
    """
    key, equals, text = change.partition("=")
    key = key.strip()
    if not equals or not all(key.split(".")):
        raise ConfigError(
            f"--set {change!r} does not have the form KEY=VALUE; give such as optimizer.clip=0.1"
        )
    return key, text


def insert_change(table: dict[str, Any], change: str) -> None:
    """Insert one KEY=VALUE into nested tables. A value that is not TOML, or belongs to a key of text, is text.

    Raises:
        ConfigError: if it has another form, or the key lies in a value that is not a table.
    """
    key, text = split_change(change)
    *tables, last = parts = key.split(".")
    for depth, name in enumerate(tables, 1):
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ConfigError(
                f"{'.'.join(parts[:depth])} is not a table, so it has no {key}; name another key"
            )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        if text.lstrip()[:1] in ("[", "{"):
            raise ConfigError(f"{key} is {text}, which is not valid TOML ({error}); correct it") from error
        value = text
    table[last] = value if isinstance(value, str) or not _is_text(TrainingConfig, parts) else text


def _is_text(kind: Any, parts: Sequence[str]) -> bool:
    """Return whether the field at a dotted key of a dataclass, or of one of a union of them, is text."""
    if not parts:
        return kind is str
    name, *rest = parts
    kinds = [option for option in (kind, *get_args(kind)) if is_dataclass(option)]
    return any(_is_text(get_type_hints(option).get(name), rest) for option in kinds)


def make_paths_absolute(config: TrainingConfig) -> TrainingConfig:
    """Return a config whose existing paths are absolute, so that a run can be resumed from another folder."""
    paths: dict[str, Any] = {name: _absolute(getattr(config.data, name)) for name in config.data.paths}
    data = replace(config.data, **paths)
    start = config.network.start
    network = config.network if start in SHIPPED else replace(config.network, start=_absolute(start))
    return replace(config, data=data, network=network)


def _absolute(text: str) -> str:
    return str(Path(text).absolute()) if text and Path(text).exists() else text


def to_table(config: TrainingConfig) -> dict[str, Any]:
    """Return a config as nested tables of plain values, without those that are None."""
    table: dict[str, Any] = _to_plain(asdict(config))
    return table


def _to_plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _to_plain(inner) for key, inner in value.items() if inner is not None}
    return [_to_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def to_toml(config: TrainingConfig) -> str:
    """Return the text of a file that `load_config` reads as this config."""
    import tomli_w  # of the extra `train`

    return tomli_w.dumps(to_table(config))


def differences(before: TrainingConfig, after: TrainingConfig) -> dict[str, tuple[Any, Any]]:
    """Return the old and the new value of each setting that differs, by dotted key."""
    old, new = _flatten(asdict(before)), _flatten(asdict(after))
    return {key: (old.get(key), new.get(key)) for key in new | old if old.get(key) != new.get(key)}


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in table.items():
        values |= _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return values
