import os
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import dpanet
from dpanet.cli import main
from dpanet.errors import ImageWarning

SMALL = """
import sys
import dpanet.cli, dpanet.deblurrer.deblurrer
from dpanet.engines.torch_engine import TorchEngine
from dpanet.network.description import Description
class Left:
    description = Description(multiple_of=8, halo=8)
    def __call__(self, left, right):
        return left
dpanet.deblurrer.deblurrer.load_engine = lambda model, engine, passes, callers, **rest: TorchEngine(Left(), **rest)
sys.exit(dpanet.cli.main())
"""
"""The command line with a small network in place of every model."""

HEAVY = ("torch", "cv2", "numpy", "PIL", "skimage", "tifffile")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["deblur", "--help"], ["demo", "--help"], []]
)
def test_help_is_quick_and_light(arguments: list[str]) -> None:
    code = (
        "import sys, time, dpanet.cli; code = dpanet.cli.main(sys.argv[1:]); "
        f"print([name for name in {HEAVY} if name in sys.modules], code, time.process_time())"
    )
    seconds = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        *text, spent = done.stdout.split(" ")
        assert " ".join(text).endswith("[] 0")
        assert done.stderr == ""
        seconds.append(float(spent))
    assert min(seconds) < 0.5, "of the processor, whatever else the machine does"


def test_importing_the_front_door_is_light() -> None:
    code = f"import sys, dpanet; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_installed_program_tells_its_version() -> None:
    code = "import sys; from importlib.metadata import entry_points as e; "
    code += "sys.exit(next(iter(e(group='console_scripts', name='dpanet'))).load()(['--version']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == dpanet.__version__


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["deblru"], 'Did you mean "deblur"'),
        (["deblur"], "dpanet deblur --help"),
        (["deblur", "a", "b"], "--output is missing; name the picture to write, such as -o sharp.png"),
        (
            ["deblur", "a", "b", "-o"],
            "-o stands without a name; name the picture to write, such as -o sharp.png",
        ),
        (["deblur", "a", "b", "--outptu", "c.png"], "Did you mean --output"),
        (["deblur", "a", "b", "-o", "c.png", "--compare"], "name a page, such as --compare seen.html. See"),
        (["deblur", "a", "b", "--compare", "-o", "c.png"], "name a page, such as --compare seen.html. See"),
        (["edit", "a_left.tif", "-o", "c.tif"], "such as in: dpanet edit --edit IMG_1_left.tif --output"),
        (["simulate", "a"], "--output is missing; name the folder to write to, such as -o OUT"),
        (["deblur", "a", "b", "c", "-o", "d.png"], "c"),
        (["deblur", "a", "b", "-o", "d.png", "--device", "tpu"], "tpu"),
        (["deblur", "a", "b", "-o", "d.png", "--camera", "pixel5"], "pixel4"),
        (["deblur", "a", "b", "-o", "d.png", "--black-level", "x"], "--black-level"),
        (["deblur", "a", "b", "-o", "d.png", "--bogus"], "--bogus"),
        (["convert", "a.pth"], "dpanet convert --help"),
        (["evaluate", "a", "-o", "b"], "--layout is missing (dpdd, restormer, pixel4, pairs); give it. See"),
        (["evaluate", "a", "-o", "b", "--layout", "pair"], 'Did you mean "pairs"? See'),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--list"]])
def test_a_reader_that_leaves_is_no_error(arguments: list[str]) -> None:
    """As `dpanet --help | head -1`, with a reader that left before the first line."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dpanet", *arguments], stdout=writing, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(writing)
    assert (done.stderr, done.returncode) == ("", 1)


@pytest.mark.parametrize("closed", ["2>&-", ">&-", "2>&- >&-"])
def test_closed_streams(views: tuple[Path, Path], tmp_path: Path, closed: str) -> None:
    command = shlex.join([sys.executable, "-c", SMALL, "deblur", *map(str, views), "-o", "out.png"])
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} {closed}"], cwd=tmp_path, capture_output=True, text=True
    )
    said = "" if closed.startswith(">&-") or closed.endswith(" >&-") else "out.png: 56 x 40 px, "
    assert (done.returncode, done.stdout[:21], done.stderr) == (0, said, "")
    assert (tmp_path / "out.png").is_file()
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} {closed}"], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, ""), "an error is no output"


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(Exception, match="deblru"):
        main(["deblru", "--debug"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
@pytest.mark.parametrize("arguments", [["--version"], ["deblur", "--help"]])
def test_an_output_that_is_full_is_one_sentence(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dpanet", *arguments], stdout=full, stderr=subprocess.PIPE, text=True
        )
        assert done.returncode == 1
        assert done.stderr.startswith(
            "dpanet: error: standard output cannot be written (No space left on device)"
        )
        assert done.stderr.count("\n") == 1
        done = subprocess.run([sys.executable, "-m", "dpanet", "deblru"], stderr=full)
    assert done.returncode == 2, "the exit code tells it even where no error can be printed"


def test_a_current_folder_that_is_gone(tmp_path: Path) -> None:
    code = "import os, sys, dpanet.cli; os.rmdir(os.getcwd()); sys.exit(dpanet.cli.main())"
    for arguments, expected in ((["deblur", "a", "b", "-o", "c.png"], 1), (["--version"], 0)):
        (tmp_path / "gone").mkdir()
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=tmp_path / "gone", capture_output=True, text=True
        )
        said = "dpanet: error: the current folder does not exist any more; change to another one\n"
        assert (done.returncode, done.stderr) == (expected, said if expected else "")


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"},
    ],
)
def test_unusual_surroundings(views: tuple[Path, Path], tmp_path: Path, surroundings: dict[str, str]) -> None:
    environment = {"PATH": os.environ["PATH"], **surroundings}
    for arguments, code in ((["--help"], 0), (["deblur", *map(str, views), "-o", "ö\u2192.png"], 0)):
        done = subprocess.run(
            [sys.executable, "-c", SMALL, *arguments], cwd=tmp_path, env=environment, capture_output=True
        )
        assert (done.returncode, done.stderr) == (code, b"")
    assert len([*tmp_path.glob("*.png")]) == 3


def test_notes_are_shown_once_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert(*_: object, **__: object) -> None:
        for text, once in (
            ("a is odd", None),
            ("a is odd", None),
            ("b is odd", None),
            ("a", "alpha"),
            ("b", "alpha"),
        ):
            warnings.warn(ImageWarning(text, once), stacklevel=1)
        warnings.warn("noise of a library", RuntimeWarning, stacklevel=1)

    monkeypatch.setattr("dpanet.checkpoints.official.convert_official", convert)
    assert main(["convert", "a.pth", "/tmp/not-written.safetensors"]) == 0
    assert capsys.readouterr().err == "dpanet: note: a is odd\ndpanet: note: b is odd\ndpanet: note: a\n"


def test_the_largest_picture_is_an_option_of_one_command(
    views: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["deblur", *map(str, views), "-o", str(tmp_path / "out.png"), "--max-megapixels"]
    assert main([*words, "0.001"]) == 1
    assert "2,240" in (text := capsys.readouterr().err) or "0.00224 megapixels" in text
    assert "DPANET_MAX_MEGAPIXELS" not in os.environ
    assert main([*words, "-3"]) == 2
    assert "--max-megapixels" in capsys.readouterr().err
