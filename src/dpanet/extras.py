"""The extras of the installation: which packages they bring, and which command needs which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from dpanet.errors import MissingPackageError, counted

PACKAGES = {
    "torch": ("torch", "safetensors"),
    "evaluate": ("scipy", "skimage", "cv2", "PIL", "matplotlib", "jinja2", "cachetools"),
    "train": ("lightning_fabric", "tensorboard", "tomli_w"),
    "openvino": ("openvino",),
    "export": ("openvino", "onnx", "onnx_ir", "onnxscript"),
    "restorers": ("spandrel",),
    "docs": ("zensical",),
    "app": ("starlette", "uvicorn"),
    "hub": ("huggingface_hub",),
    "cluster": ("ray", "fsspec"),
}
"""Modules that each extra brings beyond those of the extra that it includes."""

INCLUDES = {"evaluate": "torch", "train": "evaluate", "export": "evaluate", "restorers": "evaluate"}
"""The extra that an extra includes."""

COMMANDS = {
    "deblur": None,
    "edit": None,
    "demo": None,
    "app": "app",
    "benchmark": None,
    "inspect": "evaluate",
    "evaluate": "evaluate",
    "simulate": "evaluate",
    "prepare-dpdd": "evaluate",
    "prepare-canon-video": "evaluate",
    "check-fidelity": "evaluate",
    "train": "train",
    "train-defocus": "train",
    "convert": "torch",
    "export": "export",
}
"""The extra that each command needs; None for what a plain installation can do."""

_NAMES = {"skimage": "scikit-image", "cv2": "opencv-python-headless", "PIL": "pillow"}
"""Packages that are installed under another name than they are imported by, if it is not the same with hyphens."""


def modules_of(extra: str) -> tuple[str, ...]:
    """Return all modules that an extra brings, those of the extra it includes first."""
    included = INCLUDES.get(extra)
    return (modules_of(included) if included else ()) + PACKAGES[extra]


def install_command(extra: str) -> str:
    """Return what to type in the folder of the repository to add an extra; no package index has the package."""
    return f"pip install -c constraints.txt '.[{extra}]'"


def check_command(command: str) -> None:
    """Check that the packages that a command needs are installed, without importing them.

    Raises:
        MissingPackageError: naming those that are not.
    """
    extra = COMMANDS.get(command)
    if extra is None:
        return
    missing = [module for module in modules_of(extra) if find_spec(module) is None]
    if missing:
        raise MissingPackageError(_sentence(f"dpanet {command}", extra, missing))


@contextmanager
def named_extra(user: str, extra: str | None = None) -> Iterator[None]:
    """Replace the error of an import that fails for a package of an extra by the sentence that names the extra.

    Args:
        user: what needs the package, such as ``dpanet.ssim``.
        extra: to be named if the package is part of it; by default the smallest extra that brings the package.

    Raises:
        MissingPackageError: instead of the ModuleNotFoundError.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        sentence = describe_missing(error, user, extra)
        if sentence is None:
            raise
        raise MissingPackageError(sentence, name=error.name) from error


def describe_missing(error: ModuleNotFoundError, user: str, extra: str | None = None) -> str | None:
    """Return the sentence for an import that failed; None if no extra brings the module.

    Args:
        error: of the import.
        user: as of `named_extra`.
        extra: as of `named_extra`.
    """
    module = (error.name or "").partition(".")[0]
    owner = next((name for name, modules in PACKAGES.items() if module in modules), None)
    if owner is None:
        return None
    return _sentence(user, extra if extra and module in modules_of(extra) else owner, [module])


def _sentence(user: str, extra: str, modules: list[str]) -> str:
    names = [_NAMES.get(module, module.replace("_", "-")) for module in modules]
    text = f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {counted(len(names) - 1, 'other')} are"
    return (
        f"{user} needs packages of the extra {extra} ({text} missing); "
        f"install them in the repository's folder: {install_command(extra)}"
    )
