"""The settings of a network, and the named ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from dpanet.errors import ConfigError
from dpanet.network.config import from_plain

Stem = Literal["pyramid", "unshuffle"]
Pooling = Literal["max", "stride"]
Upsampling = Literal["nearest", "shuffle"]
Head = Literal["sigmoid", "residual", "pyramid"]
Bottom = Literal["cropped", "pooled"]
Similarity = Literal["product", "cosine"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "stem": ("pyramid", "unshuffle"),
    "pooling": ("max", "stride"),
    "upsampling": ("nearest", "shuffle"),
    "head": ("sigmoid", "residual", "pyramid"),
    "bottom": ("cropped", "pooled"),
    "similarity": ("product", "cosine"),
}


@dataclass(frozen=True)
class DPANetConfig:
    """Everything that decides the shape of a network; saved inside each checkpoint.

    Shape
        widths: channels of each view at each level, finest first. decoder_widths: likewise of the decoder,
        where both views are one; empty for the same. blocks: residual blocks of each encoder level;
        decoder_blocks, bottom_blocks: likewise behind.
        stem: ``pyramid`` (the paper's shared features at full resolution) or ``unshuffle`` (each 2 x 2 px
        become channels, so that no convolution runs at full resolution).
        pooling: how a level is entered, ``max`` or a convolution of ``stride`` 2.
        slope: of the ReLUs in blocks for negative values; above 0 a feature that fell silent can come back.
        upsampling: ``nearest`` and a 2 x 2 convolution, or a 1 x 1 convolution and pixel ``shuffle``.
        head: ``sigmoid`` (picture from features), ``residual`` (added to the combined picture), or ``pyramid``
        (a residual from every level of the decoder, so that each learns what its own scale can tell).
    Alignment
        first_aligned: the finest level (from 0) with EAM and DAM. radius: (vertical, horizontal) of the
        correlation. similarity: what it tells of two features, the mean ``product`` (the paper) or the ``cosine`` of
        the angle between them, which is as large for faint features as for strong ones; with it, what encodes
        the cost volume cannot fall silent.
        taps: side of the deformable kernel. groups: groups of channels moved apart.
        cost_width: channels of the encoded cost volume; 0 for as many as the level has.
        keep_unaligned: add the aligned features to the given ones instead of replacing them.
    Ablation switches (DESIGN: all presets)
        eam, dam: encoder, decoder alignment. correlation: cost volume. shared_encoder: one encoder for
        both views or one each. single_view: the mean of the views is seen twice. bottom: ``cropped``, as
        the official code (the deepest map is cut to its middle), or ``pooled``, as the paper's figure.
    Beside the picture
        defocus: a head that tells the blur of each pixel, `DPANet.with_defocus`.
    """

    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    bottom_blocks: int
    bottom_width: int
    stem: Stem
    pooling: Pooling
    upsampling: Upsampling
    head: Head
    slope: float = 0.0
    decoder_widths: tuple[int, ...] = ()
    first_aligned: int = 0
    radius: tuple[int, int] = (4, 4)
    taps: int = 3
    groups: int = 1
    cost_width: int = 0
    similarity: Similarity = "product"
    keep_unaligned: bool = False
    eam: bool = True
    dam: bool = True
    correlation: bool = True
    shared_encoder: bool = True
    single_view: bool = False
    bottom: Bottom = "pooled"
    defocus: bool = False
    name: str = "custom"

    def __post_init__(self) -> None:
        for key, allowed in _CHOICES.items():
            if getattr(self, key) not in allowed:
                raise ConfigError(f"{key} is {getattr(self, key)!r}; it must be one of {', '.join(allowed)}")
        levels = len(self.widths)
        if not levels or len(self.blocks) != levels or len(self.decoder_blocks) != levels:
            raise ConfigError(
                f"widths, blocks and decoder_blocks have {levels}, {len(self.blocks)} and "
                f"{len(self.decoder_blocks)} entries; give one for each level"
            )
        if self.decoder_widths and len(self.decoder_widths) != levels:
            raise ConfigError(
                f"decoder_widths has {len(self.decoder_widths)} entries; give one a level ({levels}), or none"
            )
        if self.taps % 2 == 0 or self.taps < 1:
            raise ConfigError(f"taps is {self.taps}; a deformable kernel has an odd side such as 1 or 3")
        if self.groups < 1 or any(width % self.groups for width in self.widths[self.first_aligned :]):
            raise ConfigError(f"groups is {self.groups}; it must divide every aligned width {self.widths}")
        if len(self.radius) != 2 or not all(0 <= r <= 16 for r in self.radius):
            raise ConfigError(f"radius is {self.radius}; give (vertical, horizontal), each from 0 to 16")
        if not all(1 <= width <= 4096 for width in (*self.widths, *self.decoder_widths, self.bottom_width)):
            raise ConfigError(f"widths are {self.widths}, {self.bottom_width}; each must be 1 to 4096")

    @property
    def fused_widths(self) -> tuple[int, ...]:
        """Channels of the decoder's levels, finest first."""
        return self.decoder_widths or self.widths

    @property
    def multiple_of(self) -> int:
        """Pixels; both sides of the picture are padded to a multiple of this."""
        halvings = len(self.widths) - 1
        if self.stem == "unshuffle":
            halvings += 1
        if self.bottom == "pooled":
            halvings += 1
        return int(2**halvings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DPANetConfig:
        """The configuration of `to_dict`. Raises: ConfigError for an unknown or missing key or a bad value."""
        return from_plain(cls, values)


PAPER = DPANetConfig(
    name="paper",
    widths=(64, 128, 256, 512),
    blocks=(2, 2, 2, 2),
    decoder_blocks=(2, 2, 2, 2),
    bottom_blocks=2,
    bottom_width=512,
    stem="pyramid",
    pooling="max",
    upsampling="nearest",
    head="sigmoid",
    bottom="cropped",
)
"""The published network, exactly: 63,983,859 parameters."""

COMPACT = DPANetConfig(
    name="compact",
    widths=(24, 48, 96, 128),
    decoder_widths=(32, 64, 128, 192),
    blocks=(1, 1, 1, 1),
    decoder_blocks=(1, 2, 2, 2),
    bottom_blocks=1,
    bottom_width=128,
    stem="unshuffle",
    pooling="stride",
    upsampling="shuffle",
    head="pyramid",
    slope=0.1,
    first_aligned=2,
    radius=(1, 4),
    taps=1,
    groups=8,
    cost_width=32,
    keep_unaligned=True,
)
"""The same four ideas for a processor."""

PRESETS: dict[str, DPANetConfig] = {"paper": PAPER, "compact": COMPACT}


def preset(name: str, /, **changes: Any) -> DPANetConfig:
    """The preset of that name, with ablation switches or other fields changed.

    Raises: ConfigError for an unknown name or field.
    """
    if name not in PRESETS:
        raise ConfigError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
    try:
        return replace(PRESETS[name], **changes)
    except TypeError as error:
        raise ConfigError(f"a preset cannot be changed that way: {error}") from error
