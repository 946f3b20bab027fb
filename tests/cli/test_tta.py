from pathlib import Path

import pytest
from cli.conftest import Run, Weighted


@pytest.mark.parametrize(
    ("options", "count"), [((), 1), (("--tta", "2"), 2), (("--tta", "4"), 4), (("--passes", "2"), 2)]
)
def test_the_network_runs_once_for_each_mirror_image(
    run: Run,
    views: tuple[Path, Path],
    tmp_path: Path,
    small_model: Weighted,
    options: tuple[str, ...],
    count: int,
) -> None:
    assert run("deblur", *views, "-o", tmp_path / "out.png", *options).code == 0
    assert small_model.runs == count


@pytest.mark.usefixtures("small_model")
def test_other_numbers_are_misuse(run: Run, views: tuple[Path, Path], tmp_path: Path) -> None:
    result = run("deblur", *views, "-o", tmp_path / "out.png", "--tta", "3")
    assert result.code == 2 and "--tta" in result.sentence
