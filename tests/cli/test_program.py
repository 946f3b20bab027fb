import subprocess
import sys
import time

import pytest

import dpanet
from dpanet.cli import main

HEAVY = ("torch", "cv2", "numpy", "PIL", "skimage", "tifffile")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["deblur", "--help"], ["demo", "--help"], []]
)
def test_help_is_quick_and_light(arguments: list[str]) -> None:
    code = (
        "import sys, dpanet.cli; code = dpanet.cli.main(sys.argv[1:]); "
        f"print([name for name in {HEAVY} if name in sys.modules], code)"
    )
    times = []
    for _ in range(3):
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        times.append(time.perf_counter() - began)
    assert done.stdout.rstrip().endswith("[] 0")
    assert done.stderr == ""
    assert min(times) < 0.5


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
        (["deblur", "a", "b"], "--output"),
        (["deblur", "a", "b", "c", "-o", "d.png"], "c"),
        (["deblur", "a", "b", "-o", "d.png", "--device", "tpu"], "tpu"),
        (["deblur", "a", "b", "-o", "d.png", "--camera", "pixel5"], "pixel4"),
        (["deblur", "a", "b", "-o", "d.png", "--black-level", "x"], "--black-level"),
        (["deblur", "a", "b", "-o", "d.png", "--bogus"], "--bogus"),
        (["convert", "a.pth"], "dpanet convert --help"),
        (["evaluate", "a", "-o", "b"], "--layout requires an argument (dpdd, restormer, pixel4, pairs). See"),
        (["evaluate", "a", "-o", "b", "--layout", "pair"], 'Did you mean "pairs"? See'),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and says in err


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(Exception, match="deblru"):
        main(["deblru", "--debug"])
