"""The scores of an evaluation: what `dpanet evaluate` measures, ``scores.json`` stores and the report shows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

METRICS = ("psnr", "ssim", "mae", "lpips")
"""Fields of `Score`, in the order of the tables."""
GAIN = "gain"
"""Key of the gain over doing nothing, beside `METRICS` in a summary."""
DEFOCUS_METRICS = ("aiwe1", "aiwe2", "spearman")
"""Fields of `DefocusScore`, in the order of the tables."""
NOTHING = "none"
"""Name of the method that every evaluation has: doing nothing."""
TRUTH = "truth"
"""Name of the truth's pictures, beside those of the methods; no method may have it."""

Kind = Literal["baseline", "model", "finished"]
"""Of a method; ``finished`` pictures came as files, so that nothing was run or timed."""


@dataclass(frozen=True)
class Score:
    """One picture against its truth."""

    psnr: float
    """Peak signal-to-noise ratio in dB; infinite for a perfect picture."""
    ssim: float
    """Structural similarity, -1..1; 1 for a perfect picture."""
    mae: float
    """Mean absolute error, white = 1; 0 for a perfect picture."""
    lpips: float | None = None
    """Perceptual distance, 0 for a perfect picture; None without LPIPS weights."""


@dataclass(frozen=True)
class DefocusScore:
    """A defocus map against the true one, or the mean of several such scores."""

    aiwe1: float
    """Affine-invariant weighted mean absolute error; 0 for a perfect map."""
    aiwe2: float
    """Affine-invariant weighted root mean square error; 0 for a perfect map."""
    spearman: float
    """1 - |Spearman's rank correlation|, 0..1; 0 for a perfect map."""


@dataclass(frozen=True)
class MethodScores:
    """One method on one scene."""

    seconds: float | None
    """Wall-clock time of the method alone; None for finished pictures."""
    protocols: Mapping[str, Score]
    """Score by protocol."""
    notes: tuple[str, ...] = ()
    """What was noted while it ran, such as the lens that it found."""


@dataclass(frozen=True)
class WindowScore:
    """One method in a square of a scene, by the last protocol."""

    x: int
    """Left edge, px."""
    y: int
    """Top edge, px."""
    side: int
    """In px."""
    nothing: float
    """PSNR of doing nothing in dB; infinite for a perfect picture."""
    psnr: float
    """PSNR of the method in dB; infinite for a perfect picture."""

    @property
    def gain(self) -> float:
        """PSNR over doing nothing in dB; 0 if both are infinite."""
        return 0.0 if self.psnr == self.nothing else self.psnr - self.nothing


@dataclass(frozen=True)
class SceneScores:
    """All methods on one scene."""

    name: str
    """Unique in the evaluation, safe as a file name."""
    label: str | None
    """``indoor``, ``outdoor``, or None where the data set does not say."""
    width: int
    """Of the truth, px."""
    height: int
    """Of the truth, px."""
    crop: tuple[int, int, int]
    """Left edge, top edge and side in px of the square that the report shows at full size."""
    methods: Mapping[str, MethodScores]
    """Scores by method."""
    defocus: Mapping[str, DefocusScore]
    """Scores of the defocus map by method; only of methods that have one, in scenes with a true map."""
    windows: Mapping[str, tuple[WindowScore, ...]] = field(default_factory=dict)
    """By method but doing nothing: where it gains least and most, the least first."""

    def gain(self, method: str, protocol: str) -> float:
        """Return the PSNR over doing nothing in dB; 0 if both are infinite."""
        ours, nothing = (self.methods[name].protocols[protocol].psnr for name in (method, NOTHING))
        return 0.0 if ours == nothing else ours - nothing


@dataclass(frozen=True)
class Spread:
    """One figure over several scenes."""

    mean: float
    """Infinite if a value is; NaN if both infinities are among the values."""
    median: float
    """NaN only if it lies between both infinities."""
    low: float | None
    """Lower end of the 95 % bootstrap interval of the mean; None if the mean is not finite."""
    high: float | None
    """Upper end of that interval; None if the mean is not finite."""


Spreads = Mapping[str, Mapping[str, Spread | None]]
"""By protocol, then by metric (`METRICS` and `GAIN`); None for a metric that a scene lacks."""


@dataclass(frozen=True)
class Summary:
    """One method over all scenes."""

    seconds: float | None
    """Median over the scenes; None for finished pictures."""
    protocols: Spreads
    """Over all scenes."""
    labels: Mapping[str, Spreads] = field(default_factory=dict)
    """Over the scenes of each label; empty where the data set has no labels."""


@dataclass(frozen=True)
class Computation:
    """How a network made its pictures."""

    engine: str
    """Library and its version, such as ``onnxruntime 1.32.0``."""
    device: str
    """Where it ran, such as ``cpu``."""
    precision: str
    """``float32``, ``bfloat16`` or ``int8``."""
    passes: int
    """Mirror images of each pair whose pictures were averaged."""
    scale: str
    """``auto``, or by how much pictures were made smaller at most."""
    tile: str
    """``auto``, or the largest side in px that was worked on at once; ``0`` for the whole picture."""
    lens: str | None = None
    """The lens by which pictures were refined, and the start of the hash of its kernels; None: they were not."""

    def text(self) -> str:
        """Return all of it in one line."""
        parts = [
            f"{self.engine}, {self.precision}, {self.device}",
            "1 pass" if self.passes == 1 else f"{self.passes} passes",
            f"scale {self.scale}",
            *(() if self.tile == "auto" else (f"tile {self.tile}",)),
            "not refined" if self.lens is None else f"refined by the lens {self.lens}",
        ]
        return "; ".join(parts)


@dataclass(frozen=True)
class MethodInfo:
    """A row of the tables."""

    name: str
    """Unique in the evaluation, safe as a file name; `NOTHING` is the first."""
    kind: Kind
    """Where the pictures come from."""
    identity: str
    """Changes whenever the method's pictures may change; empty for finished pictures."""
    checkpoint: str | None = None
    """File of the weights, or the name of shipped ones."""
    checkpoint_sha256: str | None = None
    """SHA-256 of that file in hexadecimal digits."""
    parameters: int | None = None
    """Number of learned parameters."""
    computation: Computation | None = None
    """How its pictures were made; None for what is no network, and for finished pictures."""


@dataclass(frozen=True)
class Scores:
    """One evaluation."""

    dpanet: str
    """Version of this package."""
    command: tuple[str, ...]
    """The command line, program first."""
    date: str
    """UTC, such as ``2026-01-31T12:00:00Z``."""
    layout: str
    """Layout of the data set."""
    root: str
    """Name of the data set's folder."""
    split: str | None
    """Split of the data set; None where the layout has none."""
    bits: int
    """Bit depth of the comparison, 8 or 16."""
    official: bool
    """Whether pictures were read and truncated to 8 bits as the published code does."""
    lpips: str
    """SHA-256 of the LPIPS weights, or ``absent``."""
    device: str
    """Where the networks ran."""
    versions: Mapping[str, str]
    """Version by library that decides numbers, and of Python."""
    protocols: tuple[str, ...]
    """``as_published``, and ``aligned`` where it is scored."""
    methods: tuple[MethodInfo, ...]
    """In the order of the tables."""
    scenes: tuple[SceneScores, ...]
    """In the order of the data set."""
    summary: Mapping[str, Summary]
    """By method."""
    defocus: Mapping[str, DefocusScore]
    """Means over the scenes with a true map, by method; empty where there is none."""


def can_name_a_file(name: str) -> bool:
    """Whether a scene or a method of this name can have files and folders of that name, with a short ending."""
    separators = {"/", "\0", os.sep}
    return name not in ("", ".", "..") and not separators & set(name) and len(os.fsencode(name)) <= 240
