"""Checks of numbers in a config; each names the field that is wrong."""

from __future__ import annotations

from dpanet.errors import ConfigError


def require_above(config: object, minimum: float, *fields: str) -> None:
    """Raise ConfigError unless fields of a config are above a minimum; None passes."""
    for field in fields:
        value = getattr(config, field)
        if value is not None and not value > minimum:
            raise ConfigError(f"{field} is {value}; it must be above {minimum:g}")


def require_at_least(config: object, minimum: float, *fields: str) -> None:
    """Raise ConfigError if fields of a config are below a minimum; None passes."""
    for field in fields:
        value = getattr(config, field)
        if value is not None and not value >= minimum:
            raise ConfigError(f"{field} is {value}; it must be at least {minimum:g}")


def require_fraction(config: object, *fields: str) -> None:
    """Raise ConfigError unless fields of a config lie within 0..1."""
    for field in fields:
        value = getattr(config, field)
        if not 0 <= value <= 1:
            raise ConfigError(f"{field} is {value}; it must be from 0 to 1")
