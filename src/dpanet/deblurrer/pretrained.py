"""A Deblurrer's model in a folder or on the hub: read, saved, uploaded."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dpanet.checkpoints.model_folder import ModelFolder, is_model_folder, new_model_folder
from dpanet.checkpoints.model_folder_files import write_files
from dpanet.checkpoints.shipped_models import SHIPPED
from dpanet.engines.engine import Engine
from dpanet.errors import ConfigError
from dpanet.version import __version__

if TYPE_CHECKING:
    from dpanet.engines.torch_engine import Network


class Pretrained:
    """What a `Deblurrer` has for models in folders and on the hub."""

    model: Network | str | Path
    """What the Deblurrer was made of."""
    engine: Engine
    """What runs it."""

    def __init__(self, model: Network | str | Path, **options: Any) -> None:
        raise NotImplementedError

    @classmethod
    def from_pretrained(
        cls, model: str | Path, *, revision: str | None = None, token: str | None = None, **options: Any
    ) -> Self:
        """Return a Deblurrer with a model that was saved.

        Args:
            model: a name of `SHIPPED`; a folder of `save_pretrained`; a file, as of `Deblurrer`; or ``owner/model``,
                which is fetched from the Hugging Face Hub (extra ``hub``) if no file or folder has this name.
            revision: branch, tag or commit of a model of the hub; its newest by default.
            token: for a private model of the hub; by default the one that huggingface_hub has stored.
            **options: of the Deblurrer.

        Raises:
            WeightsError: if there is no such model.
            ConfigError: for an impossible option.
            MissingPackageError: if an extra is missing.

        >>> from dpanet import Deblurrer
        >>> Deblurrer.from_pretrained("compact", device="cpu").engine.family
        'dpanet'
        """
        from dpanet.checkpoints.model_hub import fetch_model, is_hub_id

        if str(model) in SHIPPED or Path(model).exists() or not is_hub_id(str(model)):
            return cls(model, **options)
        return cls(fetch_model(str(model), revision, token), **options)

    def save_pretrained(self, folder: str | Path, *, license: str | None = None) -> None:
        """Save the model as a folder, which `from_pretrained` and ``--model`` read; it appears whole or not at all.

        The folder has the weights, ``model.safetensors``; of a model that has exported files also ``model.onnx`` and
        ``model-int8.onnx``; ``config.json``; and ``README.md``, a model card to be completed. To weights alone,
        ``dpanet export FOLDER/model.safetensors -o FOLDER/model.onnx`` adds a file for the other engines.

        Args:
            folder: a new one, or an empty one.
            license: of the weights, as an SPDX identifier such as ``CC-BY-4.0``; by default that of the shipped
                model, or of the folder, that was loaded.

        Raises:
            OutputError: if the folder has files already, or cannot be written.
            ConfigError: for a network that is none of this package, or a file that has no place in such a folder.

        >>> from dpanet import Deblurrer
        >>> Deblurrer("nano", device="cpu").save_pretrained("mine")
        >>> Deblurrer.from_pretrained("mine", device="cpu").engine.family
        'unet'
        """
        network = getattr(self.engine, "network", None)
        with new_model_folder(Path(folder), self._facts(), license or self._license()) as unfinished:
            write_files(self.model, unfinished, network=network, int8=self.engine.precision == "int8")

    def push_to_hub(
        self,
        model: str,
        *,
        private: bool | None = None,
        token: str | None = None,
        message: str | None = None,
        license: str | None = None,
    ) -> str:
        """Upload the model to the Hugging Face Hub (extra ``hub``), as `save_pretrained` writes it.

        Args:
            model: ``owner/model``; created if there is none. Its model card stays if it has one; weights and
                exported files that it had before are deleted.
            private: whether a new one is; by default as its owner has chosen.
            token: by default the one that huggingface_hub has stored.
            message: of the commit.
            license: as of `save_pretrained`.

        Returns:
            the address of the commit.

        Raises:
            OutputError: if the hub refuses or cannot be reached.
            ConfigError: for a name that is not ``owner/model``, and as of `save_pretrained`.
            MissingPackageError: if huggingface_hub is not installed.

        >>> from dpanet import Deblurrer
        >>> Deblurrer("nano", device="cpu").push_to_hub("nano")
        Traceback (most recent call last):
        dpanet.errors.ConfigError: the model is 'nano'; on the hub it must be owner/model
        """
        from dpanet.checkpoints.model_hub import is_hub_id, upload_model

        if not is_hub_id(model):
            raise ConfigError(f"the model is {model!r}; on the hub it must be owner/model")
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            self.save_pretrained(folder, license=license)
            return upload_model(folder, model, private=private, token=token, message=message)

    def _license(self) -> str | None:
        """Return the license that the model comes with."""
        if not isinstance(self.model, str | Path):
            return None
        if str(self.model) in SHIPPED:
            return "MIT"
        return ModelFolder.read(Path(self.model)).license if is_model_folder(self.model) else None

    def _facts(self) -> dict[str, Any]:
        """Return what ``config.json`` says of the network."""
        engine = self.engine
        exported, network = getattr(engine, "model", None), getattr(engine, "network", None)
        config: Any = exported.config if exported else getattr(network, "config", None)
        values = config.to_dict() if hasattr(config, "to_dict") else config or {}
        return {
            "name": str(self.model) if str(self.model) in SHIPPED else values.get("name", "model"),
            "family": engine.family,
            "config": values,
            "description": asdict(engine.description),
            "parameters": engine.parameters,
            "version": __version__,
        }
