import json
from pathlib import Path
from shlex import split

import numpy as np
import png
import pytest
import tifffile
from cli.conftest import Run
from inspection.planted_pair import planted_pair

from dpanet.inspection.file_facts import FileFacts, describe_values
from dpanet.inspection.inspection import Inspection
from dpanet.inspection.text import format_text
from dpanet.inspection.verdict import Finding, Verdict

GOOD = planted_pair(6.0)
NO_PAIR = Finding("no-pair", "unusable", "no pair")


@pytest.fixture(autouse=True)
def no_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the width of the terminal that runs the tests not matter."""
    monkeypatch.setenv("COLUMNS", "80")


def write(path: Path, view: np.ndarray, bits: int = 16) -> Path:
    codes = np.rint(np.clip(view[..., 0], 0, 1) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    png.from_array(codes, f"L;{bits}").save(path)
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "left.png", GOOD.left), write(tmp_path / "right.png", GOOD.right)


def test_a_good_pair_is_described_on_one_screen(
    run: Run, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files[0].parent)
    result = run("inspect", "left.png", "right.png", "--encoding", "linear")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert "480 x 320 px, 16 bits, gray" in lines[0] and "by --encoding" in result.out
    assert "verdict     usable: nothing speaks against it" in result.out
    assert lines[-1] == "deblur it   dpanet deblur left.png right.png -o sharp.png --encoding linear"


def test_json_says_the_same_with_stable_keys(run: Run, files: tuple[Path, Path]) -> None:
    result = run("inspect", files[1], files[0], "--encoding", "linear", "--json")
    found = json.loads(result.out)
    assert set(found) == {"verdict", "findings", "files", "values", "measures"}
    assert found["verdict"] == "usable" and found["findings"][0]["key"] == "swapped"
    measures = found["measures"]
    assert measures["order"] == "swapped" and measures["order_by"] == "habit"
    assert measures["noise_codes"][0] == pytest.approx(0.002 * 65535, rel=0.2)
    assert abs(measures["vertical_shift_px"]) < 0.2 and measures["disparity_px"]["5"] < -2
    assert "NaN" not in result.out


def test_files_that_are_no_pair_are_refused_with_the_reason(run: Run, files: tuple[Path, Path]) -> None:
    cut = write(files[0].parent / "cut.png", GOOD.right[:, :400])
    single = run("inspect", files[0])
    assert single.code == 1 and "one picture is not a pair" in single.out
    result = run("inspect", files[0], cut)
    assert result.code == 1 and "verdict     unusable" in result.out and "400 x 320" in result.out
    assert json.loads(run("inspect", files[0], cut, "--json").out)["measures"] is None


@pytest.mark.parametrize("second", ["absent.png", "text.png", "folder"])
def test_a_file_that_cannot_be_read_has_a_verdict_too(
    run: Run, files: tuple[Path, Path], second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files[0].parent)
    Path("text.png").write_text("no picture", encoding="utf-8")
    Path("folder").mkdir()
    text, document = (run("inspect", "left.png", second, *flag) for flag in ((), ("--json",)))
    assert (text.code, text.err, document.code, document.err) == (1, "", 1, "")
    assert f"right       {second}: not read" in text.out and f"verdict     unusable: {second} " in text.out
    found = json.loads(document.out)
    assert (found["verdict"], found["measures"]) == ("unusable", None)
    (finding,) = found["findings"]
    assert finding["key"] == "no-pair" and finding["text"].startswith(second)
    assert [file["width"] for file in found["files"]] == [480, None]


def test_a_raw_file_that_cannot_be_read_has_a_verdict_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "IMG.CR2").write_bytes(b"II*\0\x10\0\0\0CR\2\0" + bytes(100))
    result = run("inspect", tmp_path / "IMG.CR2", "--json")
    assert result.code == 1 and json.loads(result.out)["findings"][0]["key"] == "no-pair"


def test_the_command_names_files_and_options(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "72")
    for view, name in ((GOOD.left, "-a.png"), (GOOD.right, "my right.png")):
        write(Path(name), np.clip(view * 0.5, 0, 1) + np.float32(0.5))
    options = ("--black-level", "30000", "--white-level", "65535")
    result = run("inspect", "./-a.png", "my right.png", *options, "--max-megapixels", "300")
    at = result.out.index("deblur it ")
    assert split(result.out[at:].replace("\\\n", ""))[2:] == [
        *("dpanet", "deblur", "./-a.png", "my right.png", "-o", "sharp.png"),
        *(*options, "--max-megapixels", "300"),
    ]
    assert max(map(len, result.out.splitlines())) <= 72
    monkeypatch.setenv("COLUMNS", "300")
    assert 80 < max(map(len, run("inspect", "./-a.png", "my right.png", *options).out.splitlines())) <= 100


def test_views_of_the_pixel_app_are_recognized_and_not_stated(run: Run, tmp_path: Path) -> None:
    views = []
    for view, name in ((GOOD.left, "left.pgm"), (GOOD.right, "right.pgm")):
        light = np.tile(view[..., 0], (3, 5))[:756, :2016] * (0.7 if name == "right.pgm" else 1)
        codes = (np.rint(64 + light * 900) * 64).astype(">u2")
        (tmp_path / name).write_bytes(b"P5 2016 756 65535\n" + codes.tobytes())
        views.append(tmp_path / name)
    result = run("inspect", *views)
    assert "stated by the file" not in result.out and "by size and depth" in " ".join(result.out.split())
    assert "give them with --camera pixel-app --flat-field" in " ".join(result.out.split())
    stated_by = [
        describe_values({"camera": "pixel-app"}, "linear", option).stated_by for option in (None, "-x")
    ]
    assert stated_by == ["size and depth", "-x"]


def test_raw_values_that_are_read_as_a_picture_are_doubtful(run: Run, tmp_path: Path) -> None:
    views = [
        write(tmp_path / name, (1024 + view * 8000) / 65535)
        for view, name in ((GOOD.left, "left.png"), (GOOD.right, "right.png"))
    ]
    result = run("inspect", *views)
    assert (result.code, result.err) == (0, "")
    verdict = " ".join(result.out[result.out.index("verdict") :].split())
    assert verdict.startswith("verdict doubtful:") and "--black-level and --white-level" in verdict
    assert "deblur it" not in verdict


def test_raw_views_of_8_bits_are_refused_in_plain_words(run: Run, tmp_path: Path) -> None:
    views = [write(tmp_path / name, GOOD.left, 8) for name in ("left.png", "right.png")]
    verdict = " ".join(run("inspect", *views, "--camera", "pixel4").out.split())
    assert "the left view has 8 bits, expected 16" in verdict and "uint" not in verdict


def test_metadata_of_a_tiff_without_exif_are_named_as_tags(run: Run, tmp_path: Path) -> None:
    for view, name in ((GOOD.left, "left.tif"), (GOOD.right, "right.tif")):
        tifffile.imwrite(
            tmp_path / name, (view * 65535).astype(np.uint16), software="a program", metadata=None
        )
    result = run("inspect", tmp_path / "left.tif", tmp_path / "right.tif")
    assert "metadata    tag Software\n" in result.out


@pytest.mark.parametrize(
    ("count", "text"), [(5, "5 bytes"), (31_400, "31 kB"), (3_100, "3.1 kB"), (2_360_000, "2.4 MB")]
)
def test_sizes_of_files_are_never_0(count: int, text: str) -> None:
    facts = FileFacts(Path("a.png"), "PNG", count, 40, 30, 8, 3, 1)
    assert (
        format_text(Inspection((facts,), None, 0.0, None, Verdict("unusable", (NO_PAIR,))))
        .splitlines()[0]
        .endswith(f", {text}")
    )


def test_the_picture_is_written_once_and_never_over_a_view(run: Run, files: tuple[Path, Path]) -> None:
    picture = files[0].parent / "maps.png"
    assert run("inspect", *files, "--picture", picture).code == 0
    width, height, *_ = png.Reader(bytes=picture.read_bytes()).read()
    assert width > 3 * height / 2 > 300
    assert "exists already" in run("inspect", *files, "--picture", picture).sentence
    assert run("inspect", *files, "--picture", picture, "--overwrite").code == 0
    before = files[0].read_bytes()
    assert run("inspect", *files, "--picture", files[0], "--overwrite").code == 2
    assert files[0].read_bytes() == before
