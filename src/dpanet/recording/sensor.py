"""Record light as a file: noise, saturation, encoding, and the flaws of rendered files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from dpanet.recording.development import compress, sharpen
from dpanet.recording.display import to_display
from dpanet.recording.video_codec import BLOCK, code_as_video


@dataclass(frozen=True)
class Sensor:
    """How one scene is recorded."""

    shot: float = 1e-6
    """Variance of the noise per unit of signal, linear light."""
    read: float = 3e-4
    """Standard deviation of the noise in the dark, linear light."""
    tilt: float = 0.0
    """Relative gain between the views, from -tilt / 2 at the left to tilt / 2 at the right border."""
    balance: float = 0.0
    """Relative gain between the views, everywhere."""
    contrast: float = 0.0
    """Strength of an S-shaped tone curve on display values, as cameras render."""
    grain: float = 0.0
    """Standard deviation, in display values, of the fine grain that 8-bit palettes and compression leave."""
    levels: int = 0
    """Number of steps that display values are rounded to; 0 for no rounding."""
    bits: int = 0
    """Bits of the raw reading, rounded to 2**bits - 1 even steps of linear light; 0 for no rounding."""
    black: float = 0.0
    """Reading of the dark as a share of the largest one, on a whole step; it is subtracted after rounding."""
    gamma: float = 1.0
    """Power of a tone curve on display values."""
    halo: float = 0.0
    """Amount of the camera's sharpening of the views (`sharpen`); 0 for none. The truth has no halos."""
    halo_sigma: float = 1.0
    """Sigma of the blur in that sharpening, px."""
    quality: int = 0
    """JPEG quality of the views, 1 to 100; 0 for no compression. The truth is never compressed."""
    video: float = 0.0
    """Step in display values of a video codec through which both views went (`code_as_video`); 0 for none."""
    video_start: tuple[int, int] = (0, 0)
    """(y, x) in px of the codec's first block."""

    @property
    def steps(self) -> int:
        """Number of steps of the raw reading; 0 if it is not rounded."""
        return int(2**self.bits) - 1


BITS = (10, 14)
"""Least and most bits of a raw reading: those of phones and of cameras."""

BLACKS = (1 / 64, 1 / 32, 1 / 16)
"""Usual black levels as shares of the largest reading, such as 512 and 1024 of 16383."""


VIDEO_STEPS = (4.0, 56.0)
"""Least and largest step of a video codec, in 1/255 of white."""


def draw_sensor(
    rng: np.random.Generator,
    raw: bool,
    unbalanced: float = 0.0,
    quantized: float = 0.0,
    developed: float = 0.0,
    video: float = 0.0,
    shaded: float = 0.0,
) -> Sensor:
    """Draw the sensor of a scene: a clean raw reading, or a rendered file of some camera.

    Args: rng: decides it. raw: whether clean raw readings may be drawn. unbalanced: probability of views that differ
          in brightness. quantized: probability that a clean raw reading is in whole steps. developed: probability
          that a rendered file had a camera's tone curve, sharpening or compression. video: probability that it is a
          frame of a video. shaded: probability of views that differ in brightness as much as those of a camera whose
          white sheets are not known. With 0 for one of the last four no number is drawn for it, and the rest of the
          scene is that of a generator without this property.
    """
    strength = float(np.exp(rng.uniform(np.log(0.3), np.log(10))))
    sensor = Sensor(shot=1e-6 * strength, read=3e-4 * strength**0.5)
    if rng.random() < 0.4:
        sensor = replace(sensor, tilt=float(rng.normal(0, 0.015)))
    if rng.random() < unbalanced:
        sensor = replace(sensor, balance=float(rng.normal(0, 0.01)))
    if shaded > 0 and rng.random() < shaded:
        sensor = replace(sensor, tilt=float(rng.normal(0, 0.03)), balance=float(rng.normal(0, 0.06)))
    if raw and rng.random() < 0.8:
        if quantized > 0 and rng.random() < quantized:
            bits, black = int(rng.integers(BITS[0], BITS[1] + 1)), float(rng.choice(BLACKS))
            return replace(sensor, bits=bits, black=black)
        return sensor
    if rng.random() < 0.6:
        sensor = replace(sensor, contrast=float(rng.uniform(-0.2, 0.7)))
    if rng.random() < 0.4:
        sensor = replace(sensor, grain=float(rng.uniform(0.002, 0.02)))
    if rng.random() < 0.3:
        sensor = replace(sensor, levels=int(rng.choice((31, 63, 127, 255))))
    if developed > 0 and rng.random() < developed:
        sensor = _draw_development(rng, sensor)
    if video > 0 and rng.random() < video:
        step = float(np.exp(rng.uniform(*np.log(VIDEO_STEPS)))) / 255
        down, across = rng.integers(0, BLOCK, 2)
        sensor = replace(sensor, video=step, video_start=(int(down), int(across)))
    return sensor


def _draw_development(rng: np.random.Generator, sensor: Sensor) -> Sensor:
    if rng.random() < 0.5:
        sensor = replace(sensor, gamma=float(np.exp(rng.normal(0, 0.15))))
    if rng.random() < 0.6:
        sensor = replace(sensor, halo=float(rng.uniform(0.1, 1.2)), halo_sigma=float(rng.uniform(0.5, 1.5)))
    if rng.random() < 0.4:
        sensor = replace(sensor, quality=int(rng.integers(55, 98)))
    return sensor


def record(
    left: Tensor, right: Tensor, truth: Tensor, sensors: Sequence[Sensor], noise: Sequence[Generator]
) -> tuple[Tensor, Tensor, Tensor]:
    """Record a batch of linear views and truth as display-encoded files.

    Args:    left, right, truth: (B, C, H, W), linear light. sensors: one for each scene. noise: a generator for each
             scene, on the device of `left`.
    Returns: left, right, truth, each (B, C, H, W), 0..1.
    """

    def column(name: str) -> Tensor:
        """Return a field of all sensors as (B, 1, 1, 1)."""
        values = [float(getattr(s, name)) for s in sensors]
        return torch.tensor(values, device=left.device).reshape(-1, 1, 1, 1)

    def white(wanted: Sequence[bool]) -> Tensor:
        """Draw Gaussian noise for the wanted scenes, zero for the others, each from its own generator."""
        total = torch.zeros_like(left)
        for scene, generator in enumerate(noise):
            if wanted[scene]:
                total[scene].normal_(generator=generator)
        return total

    def develop(light: Tensor) -> Tensor:
        """Turn linear light into display values, as the camera does to views and truth alike."""
        return _tone(to_display(light.clamp(0, 1)) ** gamma, contrast)

    def sharpened(display: Tensor) -> Tensor:
        if not any(sensor.halo for sensor in sensors):
            return display
        return torch.stack(
            [
                sharpen(part, sensor.halo, sensor.halo_sigma) if sensor.halo else part
                for part, sensor in zip(display, sensors, strict=True)
            ]
        )

    def compressed(display: Tensor) -> Tensor:
        if not any(sensor.quality for sensor in sensors):
            return display
        return torch.stack(
            [
                compress(part, sensor.quality) if sensor.quality else part
                for part, sensor in zip(display, sensors, strict=True)
            ]
        )

    slope = torch.linspace(-0.5, 0.5, left.shape[-1], device=left.device) * column("tilt") + column("balance")
    contrast, grain, levels, gamma = (column(key) for key in ("contrast", "grain", "levels", "gamma"))
    files = []
    for view, gain in ((left, 1 + slope), (right, 1 - slope)):
        light = view.clamp(min=0) * gain
        light = light + white([True] * len(sensors)) * torch.sqrt(
            column("shot") * light + column("read") ** 2
        )
        if any(sensor.bits or sensor.black for sensor in sensors):
            light = _read_raw(light, column("steps"), column("black"))
        file = sharpened(develop(light))
        grainy = [sensor.grain > 0 for sensor in sensors]
        if any(grainy):
            fine = white(grainy)
            fine = fine - F.avg_pool2d(fine, 3, stride=1, padding=1, count_include_pad=False)
            file = (file + grain * fine).clamp(0, 1)
        rounded = (file * levels.clamp(min=1)).round() / levels.clamp(min=1)
        files.append(compressed(torch.where(levels > 0, rounded, file)))
    left, right = files
    if any(sensor.video for sensor in sensors):
        coded = [
            code_as_video(one, other, sensor.video, sensor.video_start) if sensor.video else (one, other)
            for one, other, sensor in zip(left, right, sensors, strict=True)
        ]
        left, right = (torch.stack(list(views)) for views in zip(*coded, strict=True))
    return left, right, develop(truth)


def _read_raw(light: Tensor, steps: Tensor, black: Tensor) -> Tensor:
    """Read noisy linear light as raw values: saturated, in whole steps, less the black level."""

    def rounded(reading: Tensor) -> Tensor:
        return torch.where(steps > 0, (reading * steps).round() / steps.clamp(min=1), reading)

    black = rounded(black)
    return (rounded(black + (1 - black) * light).clamp(0, 1) - black) / (1 - black)


def _tone(display: Tensor, contrast: Tensor) -> Tensor:
    """Apply an S-shaped tone curve: blend in the smooth step 3x^2 - 2x^3 by `contrast`."""
    return display + contrast * (display * display * (3 - 2 * display) - display)
