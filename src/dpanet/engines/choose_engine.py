"""Which library runs a model: chosen by the model's file, the device, the precision and what is installed."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dpanet.checkpoints.checksum import check_shipped
from dpanet.checkpoints.model_folder import ModelFolder, is_model_folder
from dpanet.checkpoints.shipped_models import SHIPPED, check_folder, shipped_file
from dpanet.engines.engine import ENGINES, PRECISIONS, Engine
from dpanet.engines.processor import INT8, count_cores, instruction_sets
from dpanet.errors import ConfigError, ImageWarning, WeightsError, counted, shown
from dpanet.extras import named_extra

if TYPE_CHECKING:
    from dpanet.engines.onnx_engine import OnnxEngine
    from dpanet.engines.openvino_engine import OpenVinoEngine
    from dpanet.engines.torch_engine import Network, TorchEngine

_OF_SUFFIX = {".onnx": "onnxruntime", ".xml": "openvino"}
"""Engines of exported files; every other file is read by torch."""

_CHECKPOINTS = (".safetensors", ".pth", ".pt", ".tar")
"""Files that torch reads."""

_PRECISIONS = {
    "onnxruntime": ("float32", "int8"),
    "openvino": ("float32", "bfloat16"),
    "torch": ("float32", "bfloat16"),
}

_TORCH_DEVICES = ("cuda", "mps")


def load_engine(
    model: Network | str | Path,
    engine: str = "auto",
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    reuse_memory: bool = False,
    passes: int | Literal["auto"] = 1,
    callers: int = 1,
) -> Engine:
    """Load a model into the engine that runs it.

    Args:
        model: a shipped name, a folder of `save_pretrained`, an exported file (.onnx, .xml), or a file that
            `load_model` reads; or a torch network.
        engine: one of `ENGINES`, or ``auto``: for an exported file the engine of its format; for a shipped name or a
            folder torch where it is installed and has an NVIDIA GPU, or the device or precision needs it, else ONNX
            Runtime, as far as the folder has their files; for any other file torch.
        device: as of the engine.
        precision: one of `PRECISIONS`; ``auto`` is what is fastest of what the model's file allows.
        threads: that compute on the processor; None for all its cores, and also a number larger than that of the
            processors that the system counts, with an ImageWarning.
        reuse_memory: let glibc reuse freed memory, see `reuse_freed_memory`.
        passes: mirror images that will be run of each pair; ``auto``: as the network describes itself. With ONNX
            Runtime, two may share the threads, see `Engine.parallel_calls`.
        callers: threads that will call the engine at the same time. With ONNX Runtime they share its threads; the
            other engines do not need to know.

    Raises:
        ConfigError: for an unknown value, or one that the engine or the model does not have.
        WeightsError: if there is no such model, or its file is damaged.
        MissingPackageError: if the engine is not installed.
    """
    if not isinstance(model, str | Path):
        options: dict[str, Any] = {"threads": threads, "reuse_memory": reuse_memory}
        return _run_by_torch(model, engine, device=device, precision=precision, **options)
    if engine not in ("auto", *ENGINES):
        raise ConfigError(f"engine is {engine!r}; it must be auto or one of {', '.join(ENGINES)}")
    if precision not in PRECISIONS:
        raise ConfigError(f"precision is {precision!r}; it must be one of {', '.join(PRECISIONS)}")
    if threads is not None and threads < 1:
        raise ConfigError(f"threads is {threads}; it must be at least 1")
    if str(model) not in SHIPPED and not Path(model).exists():
        raise WeightsError(
            f"there is no model {str(model)!r}; name a shipped one ({', '.join(SHIPPED)}) or an existing file"
        )
    if str(model) not in SHIPPED:
        check_folder(model)
    if str(model) not in SHIPPED and is_model_folder(model):
        wanted = _choose_library(device, precision) if engine == "auto" else engine
        int8 = _prefers_int8(device, precision)
        model = ModelFolder.read(Path(model)).choose(wanted, only=engine != "auto", int8=int8)
    chosen = _choose(model, device, precision) if engine == "auto" else engine
    _check(str(model), chosen, precision)
    options = {"threads": _limit_threads(threads), "reuse_memory": reuse_memory}
    loaded = _load(model, chosen, device, precision, options, {"passes": passes, "callers": callers})
    loaded.model_source = str(model)
    return loaded


def _load(
    model: str | Path,
    chosen: str,
    device: str,
    precision: str,
    options: dict[str, Any],
    calls: dict[str, Any],
) -> OnnxEngine | OpenVinoEngine | TorchEngine:
    """Check the file of a model and load it into the engine `chosen`; `calls` are options of ONNX Runtime."""
    options = {**options, "device": device}
    if chosen == "torch":
        with named_extra("the engine torch"):
            from dpanet.checkpoints.model_file import load_model
            from dpanet.engines.torch_engine import TorchEngine

        return TorchEngine(load_model(model), precision=precision, **options)
    if chosen == "openvino":
        with named_extra("the engine openvino"):
            from dpanet.engines.openvino_engine import OpenVinoEngine

        with _exported_file(model, "float32", chosen) as path:
            return OpenVinoEngine(path, precision=precision, **options)
    from dpanet.engines.onnx_engine import OnnxEngine

    with _exported_file(model, precision, chosen, device) as path:
        loaded = OnnxEngine(path, **calls, **options)
    if precision not in ("auto", loaded.precision):
        raise ConfigError(
            f"precision is {precision!r}, and {model} computes in {loaded.precision} with ONNX Runtime; leave the "
            "precision out, or choose another model or engine"
        )
    return loaded


def _choose(model: str | Path, device: str, precision: str) -> str:
    """Return the engine of ``auto``."""
    if str(model) not in SHIPPED:
        return _OF_SUFFIX.get(Path(model).suffix.lower(), "torch")
    return _choose_library(device, precision)


def _choose_library(device: str, precision: str) -> str:
    """Return the engine of ``auto`` for a model that has a file for each."""
    if device.split(":")[0] in _TORCH_DEVICES:
        return "torch"
    if precision == "bfloat16":
        return "torch" if _is_installed("torch") and not _is_installed("openvino") else "openvino"
    if device == "auto" and Path("/proc/driver/nvidia/version").exists() and _is_installed("torch"):
        return "torch"
    return "onnxruntime"


def _check(model: str, engine: str, precision: str) -> None:
    """Check, before anything is imported, that an engine can have the precision and reads files like the model's.

    Raises:
        ConfigError: if not.
        WeightsError: if the file is no model, as its name says.
    """
    if precision not in ("auto", *_PRECISIONS[engine]):
        raise ConfigError(
            f"precision is {precision!r}; with the engine {engine} it must be one of auto, "
            f"{', '.join(_PRECISIONS[engine])}"
        )
    if model in SHIPPED or Path(model).is_dir():
        return
    suffix = Path(model).suffix.lower()
    if suffix not in (*_OF_SUFFIX, *_CHECKPOINTS):
        raise WeightsError(
            f"{shown(model)} is no model; give a file of `dpanet export` (.onnx, .xml), a .safetensors file, an "
            f"official checkpoint (.pth), or a shipped name ({', '.join(SHIPPED)})"
        )
    if engine == "torch" and suffix in _OF_SUFFIX:
        raise ConfigError(
            f"{shown(model)} is a file for the engine {_OF_SUFFIX[suffix]}, not for torch; leave the engine out, or "
            "give the .safetensors file"
        )


def _limit_threads(threads: int | None) -> int | None:
    """Return the number of threads, or None, for all cores, if it is larger than that of the processors."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads is None or threads <= usable:
        return threads
    cores = count_cores()
    warnings.warn(
        f"threads is {threads}, and this process may use {counted(usable, 'processor')}; "
        f"{counted(cores, 'thread')} will compute, since more would only be slower",
        ImageWarning,
        stacklevel=4,
    )
    return None


def _run_by_torch(network: Network, engine: str, **options: Any) -> Engine:
    """Return the engine of a torch network; the options are those of `TorchEngine`."""
    if engine not in ("auto", "torch"):
        raise ConfigError(
            f"engine is {engine!r}, and the model is a torch network; name the model, or a file that `dpanet export` "
            "wrote"
        )
    from dpanet.engines.torch_engine import TorchEngine

    return TorchEngine(network, **options)


@contextmanager
def _exported_file(model: str | Path, precision: str, engine: str, device: str = "auto") -> Iterator[Path]:
    """Yield the file of a model for ONNX Runtime or OpenVINO; that of a shipped one is checked.

    Raises:
        WeightsError: if the file of a shipped model is damaged.
    """
    if str(model) not in SHIPPED:
        path = Path(model)
        if path.suffix.lower() not in _OF_SUFFIX or (path.suffix.lower() == ".xml" and engine != "openvino"):
            raise ConfigError(
                f"{model} is no file that the engine {engine} reads; export it with `dpanet export`, or use the "
                "engine torch"
            )
        yield path
        return
    quantized = shipped_file(str(model), "-int8.onnx")
    suffix = "-int8.onnx" if _prefers_int8(device, precision) and quantized.is_file() else ".onnx"
    check_shipped(str(model), suffix)
    with resources.as_file(shipped_file(str(model), suffix)) as file:
        yield file


def _prefers_int8(device: str, precision: str) -> bool:
    """Return whether ONNX Runtime should take the file in int8 where there are both."""
    fast = device in ("auto", "cpu") and bool(INT8 & instruction_sets())
    return precision == "int8" or (precision == "auto" and fast)


def _is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
