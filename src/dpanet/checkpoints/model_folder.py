"""A model as a folder: weights, exported files, what they are, a card for people. Standard library only."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpanet.errors import OutputError, WeightsError, shown

CONFIG = "config.json"
"""File that makes a folder a model: JSON with `FORMAT`, and what the network is."""

CARD = "README.md"
"""File for people."""

FORMAT = "dpanet-model-1"
"""Value of ``format`` in `CONFIG`."""

WEIGHTS, EXPORTED, QUANTIZED = FILES = ("model.safetensors", "model.onnx", "model-int8.onnx")
"""Files of the model, of which there is at least one: for torch; for ONNX Runtime and OpenVINO; for ONNX Runtime in
int8. Each has all its weights."""


@dataclass(frozen=True)
class ModelFolder:
    """A folder that `save_pretrained` wrote."""

    path: Path
    license: str | None = None
    """Of the weights, as an SPDX identifier."""

    @classmethod
    def read(cls, path: Path) -> ModelFolder:
        """Return a folder and what its `CONFIG` says.

        Raises:
            WeightsError: if the folder is none of `save_pretrained`.
        """
        license = read_config(path / CONFIG).get("license")
        return cls(path, license if isinstance(license, str) else None)

    def files(self) -> list[Path]:
        """Return the files of the model that exist, in the order of `FILES`."""
        return [self.path / name for name in FILES if (self.path / name).is_file()]

    def choose(self, engine: str, *, only: bool, int8: bool = False) -> Path:
        """Return the file of the model that an engine reads.

        Args:
            engine: one of `ENGINES`.
            only: no file for another engine.
            int8: with ONNX Runtime, the file in int8, if there is one; without, only if there is no other.

        Raises:
            WeightsError: if there is no such file.
        """
        exported = (QUANTIZED, EXPORTED) if int8 else (EXPORTED, QUANTIZED)
        own = {"torch": (WEIGHTS,), "openvino": (EXPORTED,), "onnxruntime": exported}[engine]
        names = own if only else (*own, WEIGHTS, *exported)
        present = {file.name: file for file in self.files()}
        for name in names:
            if name in present:
                return present[name]
        here = shown(self.path)
        remedy = (
            f"export it with `dpanet export {here}/{WEIGHTS} -o {here}/{EXPORTED}`"
            if WEIGHTS in present
            else "choose another engine, or get the folder again"
        )
        raise WeightsError(f"{here} has no {own[0]} for the engine {engine}; {remedy}")


def is_model_folder(path: str | Path) -> bool:
    """Return whether a folder has a `CONFIG`, as those of `save_pretrained` do."""
    return (Path(path) / CONFIG).is_file()


def read_config(config: Path) -> dict[str, Any]:
    """Return the values of a `CONFIG`.

    Raises:
        WeightsError: if the file is missing, or of another program.
    """
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        values = None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise WeightsError(
            f"{shown(config)} is no {CONFIG} of a model of dpanet ({FORMAT}); give a folder of save_pretrained"
        )
    return values


@contextmanager
def new_model_folder(folder: Path, facts: Mapping[str, Any], license: str | None) -> Iterator[Path]:
    """Yield a folder to put a model's files into, and give it its name at the end, with `CONFIG` and `CARD`.

    Args:
        folder: to be created; it may exist if it is empty.
        facts: what else `CONFIG` says.
        license: of the weights, as an SPDX identifier; None says nothing.

    Raises:
        OutputError: if the folder has files already, or cannot be written.
    """
    unfinished = folder.absolute().with_name(f".dpanet-{secrets.token_hex(8)}.partial")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"{shown(folder)} exists already and is not empty; name a new folder")
        unfinished.mkdir(parents=True)
        yield unfinished
        values = {"format": FORMAT, "license": license, **facts}
        (unfinished / CONFIG).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        (unfinished / CARD).write_text(_write_card(facts, license), encoding="utf-8")
        with suppress(FileNotFoundError):
            folder.rmdir()
        unfinished.replace(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{shown(folder)} cannot be written ({reason}); free space or choose another"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_card(facts: Mapping[str, Any], license: str | None) -> str:
    """Return the text of `CARD`: a header that model hubs read, and how to use the model."""
    header = [f"license: {license.lower()}"] if license else []
    header += ["library_name: dpanet", "pipeline_tag: image-to-image"]
    header += ["tags:", "- dual-pixel", "- defocus-deblurring", "- image-restoration"]
    count = f"{facts['parameters']:,} parameters. " if facts.get("parameters") else ""
    return "\n".join(["---", *header, "---", "", _CARD.format(name=facts["name"], count=count)])


_CARD = """# {name}

Removes defocus blur from dual-pixel captures: two views of one exposure, of the same size, in RGB. {count}What the
network is: `config.json`.

```python
from dpanet import Deblurrer

deblur = Deblurrer.from_pretrained("FOLDER")  # this folder, or its name on the hub
picture = deblur("left.png", "right.png")
```

Not for single pictures, motion blur or stereo cameras, and not as evidence: fine print under heavy blur may come back
as plausible strokes that were never there.

## Training data

(Which captures or simulated pairs, under which licenses.)

## Scores

(Of which captures, by which protocol, and the command that measures them.)
"""
