"""ONNX Runtime, told to send nothing about its use to its maker, as it does by default since its version 1.29.

It reads the variable once, when it is imported; so nothing else in the package imports it.
"""

from __future__ import annotations

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

__all__ = ["onnxruntime"]
