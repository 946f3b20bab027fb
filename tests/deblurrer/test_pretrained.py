"""Models in folders and on the hub: what is saved is what is loaded, by each engine, without a network connection."""

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import torch
from huggingface_hub.errors import RepositoryNotFoundError
from torch import nn

from dpanet.checkpoints.embedded_weights import embed_weights
from dpanet.checkpoints.model_file import load_model, save_model
from dpanet.checkpoints.model_folder import CARD, CONFIG, FILES, FORMAT, WEIGHTS
from dpanet.checkpoints.shipped_models import shipped_file, weights_hash
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.engines import choose_engine
from dpanet.engines.engine import ENGINES
from dpanet.errors import ConfigError, MissingPackageError, OutputError, WeightsError
from dpanet.network.description import Description
from dpanet.network.unet import UNet, UNetConfig

VIEWS = np.random.default_rng(8).random((2, 32, 48, 3), np.float32)

ON_CPU: dict[str, Any] = {"device": "cpu", "precision": "float32", "tta": 1}


def small_network(seed: int = 0) -> UNet:
    """A network of a few thousand parameters whose output is not its input."""
    torch.manual_seed(seed)
    network = UNet(UNetConfig((8, 8), (1, 1), (1, 1), 8, 1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.1)
    return network.eval()


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "nano"
    Deblurrer("nano", **ON_CPU).save_pretrained(folder)
    return folder


def test_a_shipped_model_with_all_its_files(nano: Path) -> None:
    assert {file.name for file in nano.iterdir()} == {*FILES, CONFIG, CARD}
    assert not list(nano.parent.glob(".dpanet-*"))
    assert (nano / WEIGHTS).read_bytes() == shipped_file("nano").read_bytes()
    values = json.loads((nano / CONFIG).read_text())
    network = load_model("nano")
    assert (values["format"], values["name"], values["family"]) == (FORMAT, "nano", network.family)
    assert values["config"] == json.loads(json.dumps(network.config.to_dict()))
    assert Description(**values["description"]) == network.description
    assert values["parameters"] == sum(p.numel() for p in network.parameters())
    card = (nano / CARD).read_text()
    assert card.startswith("---\nlicense: mit\nlibrary_name: dpanet\n") and "# nano\n" in card
    assert weights_hash(nano) == weights_hash("nano")


@pytest.mark.parametrize("engine", ENGINES)
def test_each_engine_reads_its_file_of_a_folder(engine: str, nano: Path) -> None:
    ours, named = (Deblurrer(model, engine=engine, **ON_CPU) for model in (nano, "nano"))
    assert ours.engine.name == engine
    np.testing.assert_array_equal(ours(*VIEWS), named(*VIEWS))


@pytest.mark.parametrize("engine", ["auto", "onnxruntime"])
def test_a_folder_is_read_in_int8_where_a_name_is(
    engine: str, nano: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fast, wanted in ((True, "int8"), (False, "float32")):
        instructions = choose_engine.INT8 if fast else frozenset()
        monkeypatch.setattr(choose_engine, "instruction_sets", lambda found=instructions: found)
        for model in (str(nano), "nano"):
            assert Deblurrer(model, engine=engine, device="cpu").precision == wanted
    assert Deblurrer(nano, engine=engine, precision="int8").precision == "int8"


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    deblur = Deblurrer(small_network(), **ON_CPU)
    deblur.save_pretrained(tmp_path / "mine", license="CC-BY-4.0")
    assert {file.name for file in (tmp_path / "mine").iterdir()} == {"model.safetensors", CONFIG, CARD}
    again = Deblurrer.from_pretrained(tmp_path / "mine", **ON_CPU)
    assert again.engine.name == "torch"
    np.testing.assert_array_equal(again(*VIEWS), deblur(*VIEWS))
    assert "license: cc-by-4.0\n" in (tmp_path / "mine" / CARD).read_text()
    again.save_pretrained(tmp_path / "copy")
    assert (tmp_path / "copy/model.safetensors").read_bytes() == (
        tmp_path / "mine/model.safetensors"
    ).read_bytes()
    assert (tmp_path / "copy" / CARD).read_text() == (tmp_path / "mine" / CARD).read_text()
    deblur.save_pretrained(tmp_path / "unlicensed")
    assert "license:" not in (tmp_path / "unlicensed" / CARD).read_text()


def test_files_of_weights_and_of_exports(tmp_path: Path, nano: Path) -> None:
    save_model(small_network(), tmp_path / "a.safetensors", torch.float16)
    Deblurrer(tmp_path / "a.safetensors", **ON_CPU).save_pretrained(tmp_path / "a")
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "a.safetensors").read_bytes()
    Deblurrer(nano / "model-int8.onnx", device="cpu").save_pretrained(tmp_path / "b")
    assert {file.name for file in (tmp_path / "b").iterdir()} == {"model-int8.onnx", CONFIG, CARD}
    loaded = Deblurrer.from_pretrained(str(tmp_path / "b"), device="cpu")
    assert (loaded.engine.name, loaded.precision) == ("onnxruntime", "int8")
    with pytest.raises(
        WeightsError, match=r"b has no model\.onnx for the engine openvino; choose another engine"
    ):
        Deblurrer(tmp_path / "b", engine="openvino")
    with pytest.raises(
        WeightsError, match=r"a has no model\.onnx .* export it with `dpanet export .*a/model\.safetensors -o"
    ):
        Deblurrer(tmp_path / "a", engine="openvino")


def test_an_exported_file_that_was_added(tmp_path: Path) -> None:
    """As `dpanet export FOLDER/model.safetensors -o FOLDER/model.onnx` does."""
    Deblurrer(small_network(), **ON_CPU).save_pretrained(tmp_path / "mine")
    (tmp_path / "mine/model.onnx").write_bytes(embed_weights(Path(str(shipped_file("nano", ".onnx")))))
    assert Deblurrer(tmp_path / "mine", device="cpu").engine.name == "onnxruntime"
    assert Deblurrer(tmp_path / "mine", device="cpu", engine="torch").engine.name == "torch"


class Foreign(nn.Module):
    description = Description(multiple_of=8, halo=8)


def test_what_cannot_be_saved(tmp_path: Path, nano: Path) -> None:
    deblur = Deblurrer(nano, **ON_CPU)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    for folder in ("full", "full/file"):
        with pytest.raises(OutputError, match="exists already and is not empty; name a new folder"):
            deblur.save_pretrained(tmp_path / folder)
    with pytest.raises(ConfigError, match="the model is a Foreign, no network of dpanet"):
        Deblurrer(Foreign(), **ON_CPU).save_pretrained(tmp_path / "foreign")
    with pytest.raises(OutputError, match="cannot be written"):
        deblur.save_pretrained(tmp_path / "full/file/folder")
    (tmp_path / "empty").mkdir()
    deblur.save_pretrained(tmp_path / "empty")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "full"]


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"format": "other", "name": "nano"}'],
)
def test_a_folder_of_another_program(text: str, tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text(text)
    with pytest.raises(
        WeightsError, match=r"is no config\.json of a model of dpanet \(dpanet-model-1\); give"
    ):
        Deblurrer.from_pretrained(tmp_path)


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
def test_a_folder_without_a_model_is_named_before_any_engine_is_asked_for(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("torch", "safetensors", "openvino"):
        monkeypatch.setitem(sys.modules, package, None)
    expected = r"empty is a folder that holds no model; expected model\.safetensors or model\.onnx"
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeightsError, match=expected):
        Deblurrer.from_pretrained(tmp_path / "empty", engine=engine)
    (tmp_path / "empty/model.onnx").touch()
    with pytest.raises(WeightsError, match=r"is a folder, not a model; give .*empty/model\.onnx"):
        Deblurrer(tmp_path / "empty", engine=engine)


class Hub:
    """Stands for the hub and its client: models in folders, and a cache of links like the client's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []

    def model(self, name: str, revision: str | None) -> Path:
        folder = self.folder / "models" / name / (revision or "main")
        if not folder.is_dir():
            response = SimpleNamespace(headers={}, status_code=404, request=None)
            raise RepositoryNotFoundError("404 Client Error.\n\nRepository Not Found", response=response)  # type: ignore[arg-type]
        return folder

    def hf_hub_download(self, name: str, file: str, *, revision: str | None = None, **_: Any) -> str:
        folder = self.model(name, revision)
        snapshot = self.folder / "cache" / name / "snapshots" / (revision or "main")
        blob = snapshot.parents[1] / "blobs" / str(abs(hash((revision, file))))
        for place in (blob.parent, snapshot):
            place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file, blob)
        if not (snapshot / file).is_symlink():
            (snapshot / file).symlink_to(os.path.relpath(blob, snapshot))
        self.fetched.append(file)
        return str(snapshot / file)

    def snapshot_download(
        self, name: str, *, allow_patterns: list[str], revision: str | None = None, **_: Any
    ) -> str:
        present = sorted(set(allow_patterns) & {file.name for file in self.model(name, revision).iterdir()})
        files = [self.hf_hub_download(name, file, revision=revision) for file in present]
        return str(Path(files[0]).parent)

    def api(self, **options: Any) -> "Hub":
        assert options["library_name"] == "dpanet"
        return self

    def create_repo(self, name: str, *, private: bool | None, exist_ok: bool) -> None:
        assert exist_ok
        folder = self.folder / "models" / name / "main"
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "private").write_text(str(private))

    def file_exists(self, name: str, file: str) -> bool:
        return (self.folder / "models" / name / "main" / file).exists()

    def upload_folder(
        self,
        *,
        repo_id: str,
        folder_path: Path,
        commit_message: str,
        ignore_patterns: list[str] | None,
        delete_patterns: list[str],
    ) -> SimpleNamespace:
        folder = self.model(repo_id, None)
        for pattern in delete_patterns:
            for file in folder.glob(pattern):
                file.unlink()
        for file in folder_path.iterdir():
            if file.name not in (ignore_patterns or []):
                shutil.copyfile(file, folder / file.name)
        return SimpleNamespace(commit_url=f"https://hub/{repo_id}/commit/{commit_message}")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    stand_in = Hub(tmp_path / "hub")
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", stand_in.hf_hub_download)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", stand_in.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "HfApi", stand_in.api)
    monkeypatch.chdir(tmp_path)
    return stand_in


@pytest.mark.parametrize("engine", ENGINES)
def test_to_the_hub_and_back(engine: str, hub: Hub, nano: Path) -> None:
    deblur = Deblurrer(nano, engine=engine, **ON_CPU)
    assert deblur.push_to_hub("somebody/nano", private=True, message="first") == (
        "https://hub/somebody/nano/commit/first"
    )
    assert (hub.folder / "models/somebody/nano/private").read_text() == "True"
    again = Deblurrer.from_pretrained("somebody/nano", engine=engine, **ON_CPU)
    assert Path(again.model).is_relative_to(hub.folder / "cache")  # type: ignore[arg-type]
    assert again.engine.name == engine
    np.testing.assert_array_equal(again(*VIEWS), deblur(*VIEWS))


def test_a_second_upload_keeps_the_card_and_no_older_export(hub: Hub, nano: Path) -> None:
    Deblurrer(nano, **ON_CPU).push_to_hub("somebody/mine")
    card = hub.folder / "models/somebody/mine/main" / CARD
    card.write_text("written by hand")
    deblur = Deblurrer(small_network(), **ON_CPU)
    deblur.push_to_hub("somebody/mine")
    assert card.read_text() == "written by hand"
    again = Deblurrer.from_pretrained("somebody/mine", **ON_CPU)
    assert {file.name for file in Path(str(again.model)).iterdir()} >= {"model.safetensors", CONFIG, CARD}
    np.testing.assert_array_equal(again(*VIEWS), deblur(*VIEWS))


def test_a_revision(hub: Hub) -> None:
    pictures = []
    for seed, revision in enumerate(("main", "v1")):
        deblur = Deblurrer(small_network(seed), **ON_CPU)
        deblur.save_pretrained(hub.folder / "models/a/b" / revision)
        pictures.append(deblur(*VIEWS))
    for picture, revision in zip(pictures, (None, "v1"), strict=True):
        loaded = Deblurrer.from_pretrained("a/b", revision=revision, **ON_CPU)
        np.testing.assert_array_equal(loaded(*VIEWS), picture)


def test_a_folder_goes_before_the_hub(hub: Hub, nano: Path, tmp_path: Path) -> None:
    shutil.copytree(nano, tmp_path / "somebody/nano")
    Deblurrer.from_pretrained("somebody/nano", **ON_CPU)
    assert hub.fetched == []


def test_a_model_of_the_hub_that_is_none_of_ours_is_not_fetched(hub: Hub) -> None:
    folder = hub.folder / "models/a/foreign/main"
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text('{"architectures": ["Llama"]}')
    (folder / "model.safetensors").touch()
    with pytest.raises(WeightsError, match=r"is no config\.json of a model of dpanet"):
        Deblurrer.from_pretrained("a/foreign")
    assert hub.fetched == [CONFIG]


def test_what_the_hub_refuses(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        WeightsError, match=r"the model 'a/b' cannot be fetched \(404 Client Error\); check its name"
    ):
        Deblurrer.from_pretrained("a/b")

    def refuse(**_: Any) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(hub, "upload_folder", refuse)
    with pytest.raises(OutputError, match=r"'a/b' cannot be uploaded \(no route\); check"):
        Deblurrer(small_network(), **ON_CPU).push_to_hub("a/b")


def test_a_name_that_is_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match="there is no model 'gone'"):
        Deblurrer.from_pretrained("gone")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingPackageError, match=r"a model of the hub needs packages of the extra hub"):
        Deblurrer.from_pretrained("a/b")
