"""Alignment: tensors in, tensors out. Knows torch, never files of pictures."""

from dpanet.network.build import build
from dpanet.network.description import Description
from dpanet.network.dpanet import DPANet
from dpanet.network.presets import PRESETS, DPANetConfig, preset

__all__ = ["PRESETS", "DPANet", "DPANetConfig", "Description", "build", "preset"]
