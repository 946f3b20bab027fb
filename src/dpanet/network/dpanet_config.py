"""The config of a DPANet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dpanet.errors import ConfigError
from dpanet.network.config import ModelConfig

Stem = Literal["pyramid", "unshuffle"]
Pooling = Literal["max", "stride"]
Upsampling = Literal["nearest", "shuffle"]
Head = Literal["sigmoid", "residual", "pyramid"]
Bottleneck = Literal["cropped", "pooled"]
Similarity = Literal["product", "cosine"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "stem": ("pyramid", "unshuffle"),
    "pooling": ("max", "stride"),
    "upsampling": ("nearest", "shuffle"),
    "head": ("sigmoid", "residual", "pyramid"),
    "bottleneck": ("cropped", "pooled"),
    "similarity": ("product", "cosine"),
}


@dataclass(frozen=True)
class DPANetConfig(ModelConfig):
    """Everything that decides the shape of a DPANet; saved in each checkpoint.

    The ablation switches of the paper are `eam`, `dam`, `correlation`, `shared_encoder`, `single_view` and
    `bottleneck`. A level is numbered from 0, the finest.
    """

    widths: tuple[int, ...]
    """Channels of each view at each level, finest first."""
    blocks: tuple[int, ...]
    """Residual blocks of each encoder level."""
    decoder_blocks: tuple[int, ...]
    """Residual blocks of each decoder level, finest first."""
    bottleneck_blocks: int
    """Residual blocks of the bottleneck."""
    bottleneck_width: int
    """Channels of each view in the bottleneck."""
    stem: Stem
    """``pyramid``: the paper's shared features at full resolution. ``unshuffle``: each 2 x 2 px become channels, so
    that no convolution runs at full resolution."""
    pooling: Pooling
    """How a level halves the size: ``max`` pooling, or a convolution of ``stride`` 2."""
    upsampling: Upsampling
    """How a level doubles the size: ``nearest`` and a 2 x 2 convolution, or a 1 x 1 convolution and pixel
    ``shuffle``."""
    head: Head
    """``sigmoid``: the picture from the finest features. ``residual``: added to the combined picture. ``pyramid``: a
    residual from every decoder level."""
    slope: float = 0.0
    """Slope of the blocks' ReLUs for negative values; above 0, a feature that is negative everywhere still learns."""
    decoder_widths: tuple[int, ...] = ()
    """Channels of each decoder level, finest first; empty for `widths`."""
    first_aligned: int = 0
    """Finest level with EAM and DAM."""
    radius: tuple[int, int] = (4, 4)
    """(vertical, horizontal) radius of the correlation's window, in px of the level."""
    taps: int = 3
    """Side of the deformable kernel, in px of the level; odd."""
    groups: int = 1
    """Number of channel groups that have own offsets."""
    cost_width: int = 0
    """Channels of the encoded cost volume; 0 for as many as the level has."""
    similarity: Similarity = "product"
    """Similarity of two features: the mean ``product`` of the paper, or the ``cosine`` of the angle between them,
    which does not depend on their magnitude."""
    keep_unaligned: bool = False
    """Whether aligned features are added to the unaligned ones instead of replacing them."""
    eam: bool = True
    """Whether the encoder aligns the views."""
    dam: bool = True
    """Whether the decoder aligns the views."""
    correlation: bool = True
    """Whether EAM gets a cost volume."""
    shared_encoder: bool = True
    """Whether both views have one encoder, or one each."""
    single_view: bool = False
    """Whether both views are replaced by their mean."""
    bottleneck: Bottleneck = "pooled"
    """``pooled``, as the paper's figure, or ``cropped``, as the official code: its deepest features are not pooled
    but cropped to their middle."""
    defocus: bool = False
    """Whether the network has a `DefocusHead`."""
    name: str = "custom"
    """Name of the preset."""

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
        if not all(
            1 <= width <= 4096 for width in (*self.widths, *self.decoder_widths, self.bottleneck_width)
        ):
            raise ConfigError(
                f"widths are {self.widths}, {self.bottleneck_width}; each must be from 1 to 4096"
            )

    @property
    def decoder_channels(self) -> tuple[int, ...]:
        """Channels of each decoder level, finest first."""
        return self.decoder_widths or self.widths

    @property
    def multiple_of(self) -> int:
        """Number of px that both sides of the picture are padded to a multiple of."""
        halvings = len(self.widths) - 1
        if self.stem == "unshuffle":
            halvings += 1
        if self.bottleneck == "pooled":
            halvings += 1
        if self.stem == "pyramid":
            halvings = max(halvings, 2)  # its own
        return int(2**halvings)
