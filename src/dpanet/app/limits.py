"""What one server does for its visitors at most."""

from __future__ import annotations

from dataclasses import dataclass, fields

from dpanet.errors import ConfigError


@dataclass(frozen=True)
class Limits:
    """Limits of a server.

    Raises:
        ConfigError: if one is not positive.
    """

    megapixels: float = 60
    """Of one picture, in millions of pixels."""
    megabytes: float = 512
    """Of one file that is sent, in 10**6 bytes."""
    queue: int = 32
    """Captures of all visitors that are sent, waiting or deblurred."""
    visitors: int = 32
    """Pages that are open at once."""
    gigabytes: float = 20
    """Of all files in the temporary folder, in 10**9 bytes."""
    idle_seconds: float = 1800
    """After which the pictures of a visitor whose page gives no sign of life are deleted."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ConfigError(f"{field.name.replace('_', ' ')} is {value}; it must be more than 0")

    @property
    def pixels(self) -> int:
        """Of one picture."""
        return round(self.megapixels * 1e6)

    @property
    def bytes(self) -> int:
        """Of one file that is sent."""
        return round(self.megabytes * 1e6)

    @property
    def stored_bytes(self) -> int:
        """Of all files in the temporary folder."""
        return round(self.gigabytes * 1e9)
