import shutil
import subprocess
from pathlib import Path

import pytest

from dpanet.benchmark import benchmark
from dpanet.benchmark.benchmark import Plan


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_that_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> str:
        names = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
        command = ["git", "-C", str(tmp_path), *names, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    file = tmp_path / "dpanet" / "benchmark" / "benchmark.py"
    file.parent.mkdir(parents=True)
    file.write_text("one")
    (tmp_path / "page.md").write_text("one")
    monkeypatch.setattr(benchmark, "__file__", str(file))
    assert benchmark.find_commit() is None, "no checkout"
    assert benchmark.find_changed_files() == ()
    git("init", "-q")
    assert benchmark.find_commit() is None, (
        "a checkout that does not have this file, such as around an installation"
    )
    git("add", "dpanet", "page.md")
    git("commit", "-qm", "One")
    assert benchmark.find_commit() == git("rev-parse", "HEAD")
    (tmp_path / "page.md").write_text("two")
    assert benchmark.find_commit() == git("rev-parse", "HEAD"), "no file of the package"
    file.write_text("two")
    assert benchmark.find_commit() == git("rev-parse", "HEAD") + "-dirty"
    assert benchmark.find_changed_files() == ("benchmark/benchmark.py",)


def test_a_quick_plan_is_smaller() -> None:
    quick, full = Plan(quick=True), Plan()
    assert quick.sizes == (0.25, 1.0, 4.0) and full.sizes == (0.25, 1.0, 4.0, 12.0, 24.0, 50.0)
    assert Plan(largest=12).sizes[-1] == 12 and Plan(largest=0).sizes == ()
    assert quick.runs < full.runs and quick.pass_size < full.pass_size
