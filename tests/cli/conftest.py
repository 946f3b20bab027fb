"""The command line in this process, with a small network in place of the shipped one."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from torch import Tensor, nn

import dpanet.deblurrer.deblurrer
from dpanet.cli import main
from dpanet.engines.torch_engine import TorchEngine
from dpanet.network.description import Description


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def summary(self) -> str:
        """Standard output of a folder, without the line for each picture."""
        lines = self.out.splitlines(keepends=True)
        return "".join(line for line in lines if not re.search(r" px, [0-9.]+ s$", line))

    @property
    def sentence(self) -> str:
        """The one line on standard error, without the program's name."""
        assert self.err.count("\n") == 1 and self.err.startswith("dpanet: error: "), self.err
        assert "Traceback" not in self.err and len(self.err) > 40
        return self.err.removeprefix("dpanet: error: ").strip()


Run = Callable[..., Result]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `dpanet` with these arguments; everything on the process's own streams is caught, C code's too."""

    def call(*arguments: object) -> Result:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Result(code, *capfd.readouterr())

    return call


class Weighted(nn.Module):
    """Three parts of the left view and one of the right, so that swapped views show; the map is their difference."""

    description = Description(multiple_of=8, halo=8, has_defocus=True)

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        self.runs += 1
        return left * 0.75 + right * 0.25

    def with_defocus(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        return self(left, right), (left - right).mean(dim=1, keepdim=True) * 8


def weighted(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """What `Weighted` makes of two views."""
    return left * 0.75 + right * 0.25


@pytest.fixture
def small_model(monkeypatch: pytest.MonkeyPatch) -> Weighted:
    """This small network runs, whatever model is asked for."""
    network = Weighted()
    use_model(monkeypatch, network)
    return network


def use_model(monkeypatch: pytest.MonkeyPatch, network: nn.Module) -> None:
    """Let `Deblurrer` run a network by torch, whatever model and engine it is asked for."""

    def load(
        model: object, engine: str = "auto", passes: object = 1, callers: int = 1, **options: object
    ) -> TorchEngine:
        return TorchEngine(network, **options)

    monkeypatch.setattr(dpanet.deblurrer.deblurrer, "load_engine", load)


def write_view(path: Path, seed: int, kind: type = np.uint16, shape: tuple[int, ...] = (40, 56, 3)) -> Path:
    path.parent.mkdir(exist_ok=True)
    codes = np.random.default_rng(seed).integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)
    assert cv2.imwrite(str(path), codes)
    return path


@pytest.fixture
def views(tmp_path: Path) -> tuple[Path, Path]:
    return write_view(tmp_path / "l.png", 1), write_view(tmp_path / "r.png", 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pairs: 1, 2, 10."""
    for name in (1, 2, 10):
        for side, seed in (("left", 1), ("right", 2)):
            write_view(tmp_path / "in" / f"{name}_{side}.png", 10 * name + seed)
    return tmp_path / "in"


def listing(folder: Path) -> list[str]:
    """Every file and folder below, so that nothing written can hide."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
