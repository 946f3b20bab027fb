"""A plain installation from local files: its size, what it lacks, and that it deblurs.

What pip has not in its cache is downloaded, before the installation that is tested.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from architecture import EXTRAS

from dpanet.evaluation.metrics import psnr
from dpanet.images.demo_pair import read_demo_pair
from dpanet.images.reading import read_picture
from dpanet.images.writing import write_picture
from dpanet.pair import Picture

ROOT = Path(__file__).parents[1]

MEGABYTE = 10**6

INSTALLED, DOWNLOADED = 260, 90
"""Most that a plain installation may take, in MB."""


@dataclass(frozen=True)
class Installation:
    """A fresh virtual environment with nothing but dpanet and what it requires."""

    python: Path
    packages: Path
    """Folder of the installed packages."""
    wheels: Path
    """Folder of the files that were installed."""

    def run(self, *arguments: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments; nothing of this process's packages can be imported."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [self.python, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder or self.wheels,
            timeout=120,
        )

    def dpanet(self, *arguments: object) -> str:
        """Run a command that must succeed in silence; returns what it prints."""
        done = self.run("-m", "dpanet", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


def pip(*arguments: object) -> None:
    """Run pip, and show what it says if it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=280)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("installation")
    wheels, environment = folder / "wheels", folder / "environment"
    pip("wheel", "--wheel-dir", wheels, "--constraint", "constraints.txt", ".")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    pip("--python", python, "install", "--no-index", "--find-links", wheels, "dpanet")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    purelib = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    yield Installation(python, Path(purelib), wheels)


def sizes(folder: Path) -> dict[str, float]:
    """Return the MB of each entry of a folder, with all files below it, the largest first."""
    total = {
        entry.name: sum(file.stat().st_size for file in (entry, *entry.rglob("*")) if file.is_file())
        / MEGABYTE
        for entry in folder.iterdir()
    }
    return dict(sorted(total.items(), key=lambda item: -item[1]))


def test_it_is_small(installation: Installation) -> None:
    installed, downloaded = sizes(installation.packages), sizes(installation.wheels)
    for what, table in (("installed", installed), ("downloaded", downloaded)):
        print(f"{what}: {sum(table.values()):.1f} MB")
        print(*(f"{size:7.2f} {name}" for name, size in table.items()), sep="\n")
    assert sum(installed.values()) < INSTALLED, installed
    assert sum(downloaded.values()) < DOWNLOADED, downloaded


def test_it_brings_no_package_of_an_extra(installation: Installation) -> None:
    code = "import json, sys; from importlib.util import find_spec\n"
    code += "print(json.dumps([name for name in json.loads(sys.argv[1]) if find_spec(name)]))"
    done = installation.run("-c", code, json.dumps(["dpanet", "numpy", *EXTRAS]))
    assert json.loads(done.stdout) == ["dpanet", "numpy"]


def test_help_costs_little_more_than_the_library_that_prints_it(installation: Installation) -> None:
    def cost(*arguments: str) -> float:
        """CPU seconds, of three runs the least."""
        spent = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            assert installation.run(*arguments).returncode == 0
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(spent)

    assert cost("-m", "dpanet", "--help") < 2.5 * cost("-c", "import cyclopts")


def test_a_command_that_needs_more_says_what_to_install(installation: Installation) -> None:
    done = installation.run("-m", "dpanet", "evaluate")
    assert done.returncode == 1
    assert "pip install -c constraints.txt '.[evaluate]'" in done.stderr and done.stderr.count("\n") == 1


def test_the_demo_gains(installation: Installation, tmp_path: Path) -> None:
    text = installation.dpanet("demo", "-o", tmp_path / "demo")
    gain = text.splitlines()[2].split()
    assert gain[0] == "gain" and float(gain[1]) > 3
    _, truth = read_demo_pair()
    before, after = (read_picture(tmp_path / "demo" / f"{name}.png") for name in ("before", "after"))
    assert (
        psnr(after.pixels, truth.pixels, data_range=1) > psnr(before.pixels, truth.pixels, data_range=1) + 3
    )


def test_it_deblurs_a_pair_of_files(installation: Installation, tmp_path: Path) -> None:
    pair, truth = read_demo_pair()
    part = np.s_[100:356, 200:456]
    for name, view in (("left", pair.left), ("right", pair.right)):
        write_picture(Picture(view[part], "srgb", metadata={"bits": 16}), tmp_path / f"{name}.png")
    output = tmp_path / "sharp.png"
    installation.dpanet("deblur", tmp_path / "left.png", tmp_path / "right.png", "-o", output)
    sharp = read_picture(output)
    assert sharp.metadata["bits"] == 16
    blurred = pair.combined.pixels[part]
    known = truth.pixels[part]
    assert psnr(sharp.pixels, known, data_range=1) > psnr(blurred, known, data_range=1) + 2
