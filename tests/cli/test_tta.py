from pathlib import Path

import pytest
from cli.conftest import Run

from dpanet.deblurrer import deblurrer


@pytest.mark.usefixtures("mean_model")
@pytest.mark.parametrize(("given", "count"), [((), 1), (("--tta", "2"), 2), (("--passes", "4"), 4)])
def test_passes_reach_the_deblurrer(
    run: Run, views: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    given: tuple[str, ...], count: int,
) -> None:  # fmt: skip
    seen = []
    plain = deblurrer.Deblurrer._run
    monkeypatch.setattr(
        deblurrer.Deblurrer,
        "_run",
        lambda self, *views: seen.append(len(self.mirrors)) or plain(self, *views),
    )
    assert run("deblur", *views, "-o", tmp_path / "out.png", *given).code == 0
    assert seen == [count]


@pytest.mark.usefixtures("mean_model")
def test_other_numbers_are_misuse(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--passes", "3")
    assert result.code == 2 and "tta" in result.sentence.lower()
