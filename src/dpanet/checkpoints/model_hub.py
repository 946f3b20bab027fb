"""Models on the Hugging Face Hub: fetched into its cache, and uploaded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dpanet.checkpoints.model_folder import CARD, CONFIG, FILES, read_config
from dpanet.errors import DpanetError, OutputError, WeightsError
from dpanet.extras import named_extra
from dpanet.version import __version__

_ID = re.compile(r"[\w.-]+/[\w.-]+")


def is_hub_id(name: str) -> bool:
    """Return whether a name has the form ``owner/model``."""
    return bool(_ID.fullmatch(name))


def fetch_model(name: str, revision: str | None = None, token: str | None = None) -> Path:
    """Return the folder of a model of the hub, in the cache of huggingface_hub; what is there is not fetched again.

    Args:
        name: ``owner/model``.
        revision: branch, tag or commit; None for the newest.
        token: of the user; None for the one that huggingface_hub has stored, if any.

    Raises:
        WeightsError: if there is no such model, it is none of dpanet, or the hub cannot be reached.
        MissingPackageError: if huggingface_hub is not installed.
    """
    with named_extra("a model of the hub", "hub"):
        from huggingface_hub import hf_hub_download, snapshot_download

    with _one_sentence(f"the model {name!r} cannot be fetched", WeightsError):
        config = hf_hub_download(name, CONFIG, revision=revision, token=token, library_name="dpanet")
    read_config(Path(config))
    with _one_sentence(f"the model {name!r} cannot be fetched", WeightsError):
        return Path(
            snapshot_download(
                name,
                revision=revision,
                token=token,
                allow_patterns=[CONFIG, CARD, *FILES],
                library_name="dpanet",
                library_version=__version__,
            )
        )


def upload_model(
    folder: Path,
    name: str,
    *,
    private: bool | None = None,
    token: str | None = None,
    message: str | None = None,
) -> str:
    """Upload a folder of `save_pretrained`; return the address of the commit.

    Weights and exported files that the model had on the hub before are deleted there; a model card that is there
    stays.

    Args:
        folder: to be uploaded.
        name: ``owner/model``; created if there is none.
        private: whether a new one is; None for the owner's default.
        token: of the user; None for the one that huggingface_hub has stored.
        message: of the commit.

    Raises:
        OutputError: if the hub refuses or cannot be reached.
        MissingPackageError: if huggingface_hub is not installed.
    """
    with named_extra("a model of the hub", "hub"):
        from huggingface_hub import HfApi

    api = HfApi(token=token, library_name="dpanet", library_version=__version__)
    with _one_sentence(f"the model {name!r} cannot be uploaded", OutputError):
        api.create_repo(name, private=private, exist_ok=True)
        has_card = api.file_exists(name, CARD)
        commit = api.upload_folder(
            repo_id=name,
            folder_path=folder,
            commit_message=message or "Upload a model of dpanet",
            ignore_patterns=[CARD] if has_card else None,
            delete_patterns=[*FILES],  # an older export would be of other weights
        )
    return str(commit.commit_url)


@contextmanager
def _one_sentence(failure: str, kind: type[DpanetError]) -> Iterator[None]:
    """Raise an error of `kind` instead of those of huggingface_hub, which are of many classes and lines."""
    try:
        yield
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise kind(f"{failure} ({reason}); check its name, your access and the network") from error
