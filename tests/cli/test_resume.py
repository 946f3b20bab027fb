"""The same `dpanet deblur FOLDER` given again: what is finished is skipped, what changed is redone."""

import json
import os
from pathlib import Path

import pytest
from cli.conftest import Run, Weighted, listing, use_model, write_view

import dpanet.checkpoints.shipped_models
from dpanet.images.reading import read_codes


def test_finished_pairs_are_skipped(run: Run, folder: Path, tmp_path: Path, small_model: Weighted) -> None:
    out = tmp_path / "out"
    first = run("deblur", folder, "-o", out)
    assert (first.code, first.summary, small_model.runs) == (0, f"{out}: 3 pairs deblurred, 0 skipped\n", 3)
    lines = [line.rpartition(",")[0] for line in first.out.splitlines()[:3]]
    assert lines == [f"{out}/{name}.png: 56 x 40 px" for name in (1, 2, 10)], "also where nobody watches"
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")}
    again = run("deblur", folder, "-o", out)
    assert (again.code, again.err, small_model.runs) == (0, "", 3)
    assert again.out == f"{out}: 0 pairs deblurred, 3 skipped\n"
    assert {path.name: path.stat().st_mtime_ns for path in out.glob("*.png")} == before


def test_a_stopped_command_goes_on(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_at_third(left: object, right: object) -> object:
        if small_model.runs == 2:
            raise KeyboardInterrupt
        return Weighted.forward(small_model, left, right)

    monkeypatch.setattr(small_model, "forward", stop_at_third)
    assert run("deblur", folder, "-o", tmp_path / "out").code == 130
    monkeypatch.undo()
    use_model(monkeypatch, small_model)
    result = run("deblur", folder, "-o", tmp_path / "out")
    assert result.code == 0 and "1 pair deblurred, 2 skipped" in result.out
    assert small_model.runs == 3


@pytest.mark.parametrize(
    "options",
    [
        ("--tta", "2"),
        ("--precision", "bfloat16"),
        ("--tile", "32"),
        ("--encoding", "linear"),
        ("--output-encoding", "linear"),
        ("--black-level", "3", "--white-level", "60000"),
        ("--defocus-map", "MAPS"),
        ("--overwrite",),
    ],
)
def test_changed_options_redo_all_pairs(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted, options: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    plain = ("deblur", folder, "-o", out, "--precision", "float32")
    if "--black-level" in options:  # raw views are gray
        for view in folder.glob("*.png"):
            write_view(view, 1, shape=(40, 56))
    assert run(*plain).code == 0
    old = read_codes(out / "1.png")
    small_model.runs = 0
    words = [tmp_path / "maps" if word == "MAPS" else word for word in options]
    if "--precision" in options:
        plain = plain[:-2]
    result = run(*plain, *words)
    said = f"{out}: 3 pairs are deblurred again, since options, views or the program changed\n"
    said = "" if "--overwrite" in options else said
    assert (result.code, result.err) == (0, "")
    assert result.summary == f"{said}{out}: 3 pairs deblurred, 0 skipped\n"
    assert small_model.runs >= 3
    if options[0] in ("--encoding", "--output-encoding", "--black-level"):
        assert (read_codes(out / "1.png") != old).any()


def test_other_weights_redo_all_pairs(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("deblur", folder, "-o", tmp_path / "out").code == 0
    monkeypatch.setattr(dpanet.checkpoints.shipped_models, "weights_hash", lambda source: "other")
    assert run("deblur", folder, "-o", tmp_path / "out").code == 0
    assert small_model.runs == 6


def test_a_changed_view_redoes_its_pair(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    assert run("deblur", folder, "-o", tmp_path / "out").code == 0
    write_view(folder / "2_right.png", 77)
    os.utime(folder / "2_right.png", ns=(1, 1))
    result = run("deblur", folder, "-o", tmp_path / "out")
    assert (result.code, small_model.runs) == (0, 4) and "1 pair deblurred, 2 skipped" in result.out
    left, right = (read_codes(folder / f"2_{side}.png").astype(float) for side in ("left", "right"))
    assert (
        abs(read_codes(tmp_path / "out" / "2.png") - (0.75 * left + 0.25 * right)).max() < 400
    )  # bfloat16 at worst


def test_a_deleted_picture_is_made_again(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    assert run("deblur", folder, "-o", tmp_path / "out").code == 0
    (tmp_path / "out" / "10.png").unlink()
    assert run("deblur", folder, "-o", tmp_path / "out").code == 0
    assert (small_model.runs, (tmp_path / "out" / "10.png").is_file()) == (4, True)


def test_pictures_made_with_their_maps_need_no_second_run_without(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    plain = ("deblur", folder, "-o", tmp_path / "out")
    with_maps = (*plain, "--defocus-map", tmp_path / "maps")
    for command, runs in ((with_maps, 3), (plain, 3), (with_maps, 3)):
        result = run(*command)
        assert (result.code, result.err, small_model.runs) == (0, "", runs)
    (tmp_path / "maps" / "2-colour.png").unlink()
    assert run(*plain).out.endswith("0 pairs deblurred, 3 skipped\n")
    assert run(*with_maps).out.endswith("1 pair deblurred, 2 skipped\n")


def test_maps_of_another_folder_do_not_count(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    for maps, runs in (("a", 3), ("b", 6), ("a", 6)):
        assert run("deblur", folder, "-o", tmp_path / "out", "--defocus-map", tmp_path / maps).code == 0
        assert small_model.runs == runs


def test_pictures_that_somebody_edited_are_left_and_the_others_deblurred(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    out = tmp_path / "out"
    assert run("deblur", folder, "-o", out).code == 0
    write_view(out / "2.png", 5)
    edited = (out / "2.png").read_bytes()
    result = run("deblur", folder, "-o", out, "--tta", "2")
    assert (result.code, (out / "2.png").read_bytes()) == (1, edited)
    assert result.summary.endswith(f"{out}: 2 pairs deblurred, 0 skipped, 1 left out\n")
    assert result.err == (
        "dpanet: left out: 1 pair, since a file is there that dpanet did not write or that was changed since: "
        f"{out}/2.png; move it elsewhere, or add --overwrite to replace it\n"
    )
    again = run("deblur", folder, "-o", out, "--tta", "2")
    assert (again.code, again.out) == (1, f"{out}: 0 pairs deblurred, 2 skipped, 1 left out\n")
    assert run("deblur", folder, "-o", out, "--tta", "2", "--overwrite").code == 0
    assert (out / "2.png").read_bytes() != edited


def test_of_many_foreign_pictures_the_first_are_named(
    run: Run, folder: Path, tmp_path: Path, small_model: Weighted
) -> None:
    for name in (4, 5, 6):
        for side in ("left", "right"):
            write_view(folder / f"{name}_{side}.png", name)
    out = tmp_path / "out"
    for name in (1, 2, 4, 5):
        write_view(out / f"{name}.png", name)
    result = run("deblur", folder, "-o", out)
    named = ", ".join(f"{out}/{name}.png" for name in (1, 2, 4))
    assert "left out: 4 pairs, since 4 files are there that dpanet did not write" in result.err
    assert f": {named} and 1 more; move them elsewhere, or add --overwrite to replace them\n" in result.err
    assert (result.code, small_model.runs) == (1, 2)
    objects = [json.loads(line) for line in run("deblur", folder, "-o", out, "--json").out.splitlines()]
    assert [line["status"] for line in objects] == ["left out"] * 4 + ["skipped"] * 2
    assert objects[0]["inputs"] == [str(folder / f"1_{side}.png") for side in ("left", "right")]
    assert objects[0]["output"] is None and objects[0]["error"].startswith(
        f"{out}/1.png exists already; move"
    )


def test_a_pair_is_left_out_as_a_whole(run: Run, folder: Path, tmp_path: Path, small_model: Weighted) -> None:
    maps = tmp_path / "maps"
    write_view(maps / "10-colour.png", 3)
    result = run("deblur", folder, "-o", tmp_path / "out", "--defocus-map", maps)
    assert result.code == 1 and "10-colour.png; move it" in result.err
    assert listing(maps) == [
        f"{n}{end}.png" for n in (1, 10, 2) for end in ("-colour", "") if (n, end) != (10, "")
    ]
    assert not (tmp_path / "out" / "10.png").exists()


@pytest.mark.usefixtures("small_model")
def test_the_log_is_no_view(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("deblur", folder, "-o", folder).code == 0, "pictures beside their views"
    assert run("deblur", folder, "-o", tmp_path / "out").code == 0
    assert listing(tmp_path / "out") == [".dpanet.jsonl", ".lock", "1.png", "10.png", "2.png"]
