"""The house: imports go along the arrows, every room has its step, no room is a lumber room."""

from pathlib import Path

import pytest
from architecture import LARGEST_ROOM, PLACE, VAGUE, faults

import dpanet

PACKAGE = Path(dpanet.__file__).parent
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES)
def test_imports_go_along_the_arrows(path: str) -> None:
    assert faults((PACKAGE / path).read_text(), path) == []


@pytest.mark.parametrize("path", FILES)
def test_every_file_has_its_room_and_says_what_it_is(path: str) -> None:
    room = Path(path).parts[0].removesuffix(".py")
    assert room in (*PLACE, "__init__"), "give the room its place in tests/architecture.py"
    assert not set(Path(path).with_suffix("").parts) & set(VAGUE)
    source = (PACKAGE / path).read_text()
    assert source.startswith('"""')
    assert source.count("\n") <= 300, "one idea a file"


@pytest.mark.parametrize("room", sorted({Path(path).parts[0] for path in FILES if "/" in path}))
def test_no_room_is_too_large(room: str) -> None:
    lines = sum((PACKAGE / path).read_text().count("\n") for path in FILES if Path(path).parts[0] == room)
    assert lines <= LARGEST_ROOM, f"{room}/ has {lines} lines; give a part of it a room of its own"


@pytest.mark.parametrize(
    ("path", "source", "says"),
    [
        ("images/reading.py", "from dpanet.network.description import Description", "imports network"),
        ("network/dpanet.py", "import dpanet.images.reading", "imports images"),
        ("network/dpanet.py", "def f():\n    from dpanet import images", "imports images"),
        ("network/ops/correlation.py", "from ...images import reading", "imports images"),
        ("network/ops/correlation.py", "from ... import images", "imports images"),
        ("network/__init__.py", "from ..images import reading", "imports images"),
        ("network/families.py", "def f():\n    import cv2", "imports cv2"),
        ("network/families.py", "from pathlib import Path", "imports pathlib"),
        ("files/output.py", "import torch", "imports torch"),
        ("simulation/render.py", "from dpanet.deconvolution import lens", "imports deconvolution"),
        ("formats/png.py", "from torch import Tensor", "imports torch"),
        ("formats/png.py", "if TYPE_CHECKING:\n    import torch.nn", "imports torch"),
        ("tiles/tiling.py", "import torch", "imports torch"),
        ("deblurrer/loop.py", "import torch", "imports torch"),
        ("engines/torch_engine.py", "import scipy", "imports scipy"),
        ("images/raw.py", "def f():\n    from scipy.ndimage import uniform_filter", "imports scipy"),
        ("formats/webp.py", "import cv2", "imports cv2"),
        ("evaluation/metrics.py", "import torch", "imports torch"),
        ("deblurrer/deblurrer.py", "from dpanet.evaluation import metrics", "imports evaluation"),
        ("simulation/render.py", "from dpanet.training.loop import train", "imports training"),
        ("evaluation/protocol.py", "from dpanet.cli import main", "imports cli"),
        ("pair.py", "from dpanet.images.reading import read_pair", "imports images"),
        ("errors.py", "from dpanet.pair import Picture", "imports pair"),
    ],
)
def test_a_planted_wrong_import_is_caught(path: str, source: str, says: str) -> None:
    assert faults(source, path) == [f"{path} {says}"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("cli/deblur.py", "from dpanet.pair import Encoding\nfrom dpanet.terminal.failure import tell"),
        ("training/loop.py", "from dpanet.evaluation.metrics import psnr\nimport dpanet.errors, torch"),
        ("network/dpanet.py", "from .ops import correlation\nfrom ..errors import ShapeError\nimport torch"),
        ("network/ops/__init__.py", "from .correlation import correlation\nfrom ...errors import ShapeError"),
        ("engines/torch_engine.py", "import torch"),
        ("deblurrer/deblurrer.py", "from dpanet.deconvolution import lens"),
    ],
)
def test_rightful_imports_pass(path: str, source: str) -> None:
    assert faults(source, path) == []
