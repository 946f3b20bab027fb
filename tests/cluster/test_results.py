"""Places, lists of pairs and manifests, without Ray."""

import json
from pathlib import Path

import pytest
from cluster.conftest import OPTIONS, write_pairs

from dpanet.cli import main
from dpanet.cluster.object_log import ObjectLog
from dpanet.cluster.pairs import ClusterPair, PairList
from dpanet.cluster.places import Place, find_place, is_url
from dpanet.cluster.results import Delivered, ObjectResults
from dpanet.errors import ConfigError

KEY = {"weights": "w"}
IN, OUT = find_place("store://bucket/in"), find_place("store://bucket/out")


def list_pairs(output: Place = OUT, maps: Place | None = None, recursive: bool = False) -> PairList:
    with PairList(IN, output, maps, recursive) as found:
        return found


def deliver(results: ObjectResults, pair: ClusterPair, content: bytes = b"picture") -> list[Delivered]:
    """Do what a worker does."""
    delivered = []
    for place in results.targets(pair):
        place.place.write(place.file, content)
        state = place.place.list()[place.file]
        delivered.append(Delivered(place, "hash", state.size, state.version))
    return delivered


@pytest.mark.parametrize(
    ("given", "name", "local"),
    [
        ("s3://b/k/", "s3://b/k", False),
        (Path("s3://b/k"), "s3://b/k", False),
        ("gs://b", "gs://b", False),
        ("file:///a/b", "/a/b", True),
        (Path("file:///a/b"), "/a/b", True),
        ("/a/b", "/a/b", True),
        ("C:/a", f"{Path.cwd()}/C:/a", True),
    ],
)
def test_places_are_recognized_also_where_a_path_has_shortened_them(
    given: str | Path, name: str, local: bool
) -> None:
    assert find_place(given) == Place(name, local)
    assert is_url(given) == (not local or "file" in str(given))


@pytest.mark.parametrize("url", ["memory://a", "dir::file:///a"])
def test_a_place_of_one_process_alone_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="not seen alike by all processes"):
        find_place(url)


def test_a_url_without_a_file_system_names_what_is_missing() -> None:
    with pytest.raises(ConfigError, match=r"nowhere://a cannot be used .*; install the package"):
        find_place("nowhere://a").open()


def test_objects_become_pairs_by_the_rules_of_folders(store: Path) -> None:
    folder = store / "bucket/in"
    for name in (
        "2_left.png",
        "2_right.png",
        "10_left.png",
        "10_right.png",
        "day/1_left.png",
        "day/1_right.png",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    (folder / "alone_left.png").write_bytes(b"")
    (folder / "out").mkdir()
    (folder / "out/9_left.png").write_bytes(b"a picture of an earlier run")
    output = find_place("store://bucket/in/out")
    found = list_pairs(output, recursive=True)
    assert [pair.job.name for pair in found.pairs] == ["2", "10", "day/1"]
    assert found.problems[0].startswith("store://bucket/in/alone_left.png has no right view; ")
    last = found.pairs[-1]
    assert [view.file for view in last.views] == ["day/1_left.png", "day/1_right.png"]
    assert [place.show() for place in last.outputs] == ["store://bucket/in/out/day/1.png"]
    assert last.identities is not None
    assert last.identities[0]["name"] == "1_left.png" and last.identities[0]["bytes"] == len("day/1_left.png")
    assert "store://bucket/in are not" not in "".join(found.notes)
    assert "1 folder in store://bucket/in is not searched" in "".join(list_pairs(output).notes)


def test_a_changed_object_is_another_key(store: Path) -> None:
    write_pairs(store / "bucket/in", range(1))
    before = list_pairs().pairs[0].own_key(KEY)
    assert list_pairs().pairs[0].own_key(KEY) == before
    view = store / "bucket/in/0_left.png"
    view.write_bytes(view.read_bytes()[::-1])  # of the same size
    assert list_pairs().pairs[0].own_key(KEY) != before


def test_a_run_that_is_cut_off_neither_loses_nor_repeats_what_its_manifest_has(store: Path) -> None:
    write_pairs(store / "bucket/in", range(3))
    pairs = list_pairs().pairs
    killed = ObjectResults(OUT, pairs, None, overwrite=False)
    killed.begin(pairs)
    killed.finish(pairs[0], pairs[0].own_key(KEY), deliver(killed, pairs[0]))
    killed.log.flush()
    deliver(killed, pairs[1])  # its worker was done, and the command ended before a line was written

    resumed = ObjectResults(OUT, pairs, None, overwrite=False)
    assert [resumed.is_finished(pair, pair.own_key(KEY)) for pair in pairs] == [True, False, False]
    for pair in pairs[1:]:
        resumed.finish(pair, pair.own_key(KEY), deliver(resumed, pair))
    resumed.failures.note("x", "failed")
    resumed.close()
    assert (store / "bucket/out/.dpanet/failed.jsonl").read_text() == '{"name": "x", "error": "failed"}\n'
    (part,) = (store / "bucket/out/.dpanet").glob("0*")
    assert [json.loads(line)["name"] for line in part.read_text().splitlines()] == ["0", "1", "2"]

    again = ObjectResults(OUT, pairs, None, overwrite=False)
    assert all(again.is_finished(pair, pair.own_key(KEY)) for pair in pairs)
    assert not again.is_finished(pairs[0], pairs[0].own_key({"weights": "others"}))
    again.failures.begin(pair.job.name for pair in pairs)
    again.close()
    assert not (store / "bucket/out/.dpanet/failed.jsonl").exists()


def test_maps_belong_to_a_finished_pair_where_they_are_wanted(store: Path) -> None:
    write_pairs(store / "bucket/in", range(1))
    (plain,) = list_pairs().pairs
    results = ObjectResults(OUT, [plain], None, overwrite=False)
    results.finish(plain, plain.own_key(KEY), deliver(results, plain))
    results.close()
    maps = find_place("store://bucket/maps")
    (wanted,) = list_pairs(maps=maps).pairs
    assert [place.show() for place in wanted.outputs[1:]] == [
        "store://bucket/maps/0.png",
        "store://bucket/maps/0-colour.png",
    ]
    results = ObjectResults(OUT, [wanted], maps, overwrite=False)
    assert results.is_known(wanted) and not results.is_finished(wanted, wanted.own_key(KEY))
    results.begin([wanted])
    results.finish(wanted, wanted.own_key(KEY), deliver(results, wanted))
    results.close()
    assert ObjectResults(OUT, [wanted], maps, overwrite=False).is_finished(wanted, wanted.own_key(KEY))
    assert ObjectResults(OUT, [plain], None, overwrite=False).is_finished(plain, plain.own_key(KEY))


def test_objects_of_others_are_never_replaced_unasked(store: Path) -> None:
    write_pairs(store / "bucket/in", range(1))
    (pair,) = list_pairs().pairs
    OUT.write("0.png", b"of somebody")
    refused = ObjectResults(OUT, [pair], None, overwrite=False)
    advice = "; move it elsewhere, or add --overwrite to replace it"
    assert refused.foreign["0"].sentence == f"store://bucket/out/0.png exists already{advice}"
    results = ObjectResults(OUT, [pair], None, overwrite=True)
    assert not results.foreign
    results.finish(pair, pair.own_key(KEY), deliver(results, pair))
    results.close()
    assert not ObjectResults(OUT, [pair], None, overwrite=False).foreign
    OUT.write("0.png", b"edited!")  # of the same size
    refused = ObjectResults(OUT, [pair], None, overwrite=False)
    assert (
        refused.foreign["0"].sentence == f"store://bucket/out/0.png was changed since it was written{advice}"
    )


def test_a_pair_with_an_edited_picture_is_left_out_and_no_worker_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pairs(tmp_path / "in", range(2))
    out = tmp_path / "out"
    command = ["deblur", str(tmp_path / "in"), "-o", str(out), *OPTIONS]
    assert main(command) == 0
    (out / "1.png").write_bytes(b"edited")
    capsys.readouterr()
    assert main([*command, "--cluster", "ray"]) == 1
    said = capsys.readouterr()
    assert said.out == f"{out}: 0 pairs deblurred, 1 skipped, 1 left out\n"
    assert said.err.startswith(
        "dpanet: left out: 1 pair, since a file is there that dpanet did not write or "
    )
    assert f": {out}/1.png; move it elsewhere, or add --overwrite" in said.err
    assert (out / "1.png").read_bytes() == b"edited"


def test_a_part_that_was_cut_off_loses_only_its_last_line(store: Path) -> None:
    log = ObjectLog(OUT, [])
    log.begin(["a", "b"])
    (part,) = (store / "bucket/out/.dpanet").iterdir()
    part.write_bytes(part.read_bytes()[:-3])
    assert ObjectLog(OUT, [f".dpanet/{part.name}"]).begun == {"a"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--cluster", "ray", "--compare", "pages"], "leave out --compare"),
        (["--cluster", "ray", "--threads", "0"], "--threads is 0; give 1 or more"),
        (["--workers", "2"], "--workers is for --cluster; add that, or leave it out"),
        (["--cluster", "ray", "--defocus-map", "s3://b/maps"], "give two folders or two URLs"),
        (["--cluster", "ray", "--defocus-map", "maps"], "this model has no defocus map"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_any_worker_starts(
    options: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pairs(tmp_path / "in", range(1))
    assert main(["deblur", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *OPTIONS, *options]) in (1, 2)
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1


def test_a_second_command_for_one_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dpanet.files.lock import lock_folder

    write_pairs(tmp_path / "in", range(1))
    lock = lock_folder(tmp_path / "out")
    command = ["deblur", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *OPTIONS, "--cluster", "ray"]
    assert main(command) == 1
    assert "another process writes to" in capsys.readouterr().err
    lock.release()


def test_json_of_a_cluster_is_that_of_the_plain_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no worker is needed; with workers: test_joined_cluster.py."""
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / "in", range(2))
    (tmp_path / "in/3_left.png").write_bytes(b"")
    command = ["deblur", "in", "-o", "./out", *OPTIONS, "--threads", "1", "--json"]
    assert main(command) == 1
    (tmp_path / "out/1.png").write_bytes(b"edited")
    printed = []
    for more in ([], ["--cluster", "ray"]):
        capsys.readouterr()
        assert main([*command, *more]) == 1
        printed.append(capsys.readouterr())
    assert printed[0] == printed[1]
    objects = [json.loads(line) for line in printed[1].out.splitlines()]
    assert [line["status"] for line in objects] == ["left out", "left out", "skipped"]
    assert objects[2]["output"] == "out/0.png" and objects[2]["engine"] == "onnxruntime"
