"""The entries of torch.hub, loaded from this clone as a user would."""

import subprocess
import sys
from pathlib import Path
from runpy import run_path

import numpy as np
import torch

from dpanet import Deblurrer
from dpanet.checkpoints.shipped_models import SHIPPED

ROOT = str(Path(__file__).parents[1])


def test_each_shipped_model_has_an_entry() -> None:
    entries = run_path(f"{ROOT}/hubconf.py")
    assert all(callable(entries[name]) for name in (*SHIPPED, "deblurrer"))


def test_an_entry_is_the_network_of_its_name() -> None:
    views = torch.rand(2, 1, 3, 32, 64, generator=torch.Generator().manual_seed(1))
    for name in SHIPPED:
        network = torch.hub.load(ROOT, name, source="local")  # type: ignore[no-untyped-call]
        assert not network.training
        with torch.inference_mode():
            picture = network(*views)
        deblur = Deblurrer(name, engine="torch", device="cpu", precision="float32", tta=1)
        torch.testing.assert_close(deblur(*views), picture, atol=1e-5, rtol=0)


def test_a_deblurrer_with_its_options() -> None:
    deblur = torch.hub.load(ROOT, "deblurrer", "nano", source="local", device="cpu", tta=1)  # type: ignore[no-untyped-call]
    views = np.zeros((2, 32, 48, 3), np.uint8)
    assert len(deblur.mirrors) == 1
    np.testing.assert_array_equal(deblur(*views), Deblurrer("nano", device="cpu", tta=1)(*views))


def test_a_clone_is_enough(tmp_path: Path) -> None:
    """Where dpanet is not installed, but for what it needs."""
    program = f"""
import importlib.util, sys
sys.path = [place for place in sys.path if not place.rstrip("/").endswith("/src")]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder)]
assert importlib.util.find_spec("dpanet") is None
import torch
print(torch.hub.load({ROOT!r}, "nano", source="local").family)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == "unet\n"
