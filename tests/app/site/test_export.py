import base64
import hashlib
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from dpanet.app import runtime as runtime_files
from dpanet.app.site import LARGEST, export_site
from dpanet.cli import main
from dpanet.errors import ConfigError, DpanetError, OutputError

Runtime = tuple[Path, dict[str, str]]


def listed(site: Path) -> dict[str, str]:
    table = json.loads((site / "files.json").read_text())
    return {entry["path"]: entry["sha256"] for entry in table["files"]}


def test_all_files_are_listed_with_their_hashes(site: Path) -> None:
    paths = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert paths == {*listed(site), "files.json", "service_worker.js"}
    for name, digest in listed(site).items():
        assert hashlib.sha256((site / name).read_bytes()).hexdigest() == digest


def test_the_service_worker_has_the_same_list(site: Path) -> None:
    text = (site / "service_worker.js").read_text()
    start = text.index("const FILES = ") + len("const FILES = ")
    table = json.loads(text[start : text.index("};", start) + 1])
    assert {name: base64.b64decode(value).hex() for name, value in table.items()} == listed(site)


def test_the_site_has_what_it_needs_and_nothing_of_the_server(site: Path) -> None:
    names = listed(site)
    for name in ("index.html", "deblur.js", "browser/worker.js", "model/nano.onnx", "runtime/LICENSE"):
        assert name in names
    assert not [name for name in names if "server" in name or name.endswith(".py")]
    assert (site / "runtime/LICENSE").read_text().startswith("MIT License")
    assert "Content-Security-Policy" in (site / "index.html").read_text()


def test_a_change_of_one_file_changes_the_version_of_the_service_worker(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        site = export_site(tmp_path / name, runtime=runtime[0], sha256=runtime[1]).folder
        return (site / "service_worker.js").read_text().splitlines()[0]

    first = version("first")
    assert version("again") == first
    monkeypatch.setattr("dpanet.app.site._POLICY", "default-src 'none'")
    assert version("changed") != first


def test_the_runtime_comes_from_a_package_too(runtime: Runtime, tmp_path: Path) -> None:
    archive = tmp_path / "runtime.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(runtime[0], "package")
    site = export_site(tmp_path / "site", runtime=archive, sha256=runtime[1])
    assert site.files == len(listed(site.folder)) + 2
    assert site.size == sum(path.stat().st_size for path in site.folder.rglob("*") if path.is_file())


def test_another_runtime_is_refused_and_leaves_nothing(runtime: Runtime, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has another SHA-256 than that of onnxruntime-web"):
        export_site(tmp_path / "site", runtime=runtime[0])
    with pytest.raises(ConfigError, match="has no file dist/"):
        export_site(tmp_path / "site", runtime=tmp_path)
    (tmp_path / "wrong.tgz").write_bytes(b"no archive")
    with pytest.raises(ConfigError, match=r"wrong\.tgz cannot be unpacked"):
        export_site(tmp_path / "site", runtime=tmp_path / "wrong.tgz")
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.tgz"]


def test_without_npm_the_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_files.shutil, "which", lambda name: None)
    with pytest.raises(DpanetError, match=r"npm is missing.*--runtime"):
        export_site(tmp_path / "site")
    assert not list(tmp_path.iterdir())


def test_npm_packs_the_version_whose_hashes_are_known(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "packed.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(runtime[0], "package")
    npm = tmp_path / "npm"
    npm.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncp {archive} "$5/some.tgz"\n')
    npm.chmod(0o755)
    monkeypatch.setattr(runtime_files.shutil, "which", lambda name: str(npm))
    export_site(tmp_path / "site", sha256=runtime[1])
    assert (tmp_path / "arguments").read_text().startswith(f"pack onnxruntime-web@{runtime_files.VERSION} ")
    npm.write_text("#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    with pytest.raises(DpanetError, match=r"npm cannot fetch .*no network.*--runtime"):
        export_site(tmp_path / "site", sha256=runtime[1])
    assert (tmp_path / "site/index.html").is_file()


def test_an_exported_site_is_replaced_and_other_folders_are_not(runtime: Runtime, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    export_site(folder, runtime=runtime[0], sha256=runtime[1])
    (folder / "old.js").write_text("")
    export_site(folder, runtime=runtime[0], sha256=runtime[1])
    assert not (folder / "old.js").exists()
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="contains other files than an exported site"):
        export_site(folder, runtime=runtime[0], sha256=runtime[1])
    assert [path.name for path in tmp_path.rglob("*")] == ["site", "letter.txt"]
    with pytest.raises(OutputError, match="does not exist; create it first"):
        export_site(tmp_path / "a/b", runtime=runtime[0], sha256=runtime[1])


def test_a_site_that_is_too_large_is_refused(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpanet.app.site.LARGEST", 1_000_000)
    with pytest.raises(ConfigError, match=r"the site has \d\.\d MB, more than 1"):
        export_site(tmp_path / "site", runtime=runtime[0], sha256=runtime[1])
    assert not list(tmp_path.iterdir())
    assert LARGEST == 25_000_000


def test_the_command_writes_a_site(
    runtime: Runtime, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpanet.app.runtime.SHA256", runtime[1])
    folder = tmp_path / "my site"
    assert main(["app", "--export-site", str(folder), "--runtime", str(runtime[0])]) == 0
    assert (folder / "index.html").is_file()
    printed = capsys.readouterr().out
    assert " files, " in printed and f"python -m http.server --directory '{folder}'" in printed


def test_a_runtime_without_a_site_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["app", "--runtime", str(tmp_path)]) == 2
    assert "--runtime is for --export-site; leave it out" in capsys.readouterr().err
