"""Code on the pages works: commands exist with their options, cheap ones and all Python blocks are run."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fidelity.synthetic_capture import synthetic_capture
from pages.blocks import (
    CHECKED,
    PAGES,
    ROOT,
    SHOWN,
    WRITTEN,
    find_blocks,
    find_commands,
    find_inline_commands,
    find_joined_lines,
)
from pages.command_check import PLACEHOLDER, RUN, explain_fault, find_faults, remove_outputs, shorten
from pages.example_files import FILES, FOLDERS, write_example_files

from dpanet.cli import main

TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}

IN_PYTHON = [
    page for page in WRITTEN if any(block.language == "python" for block in find_blocks(TEXTS[page]))
]


@pytest.fixture(scope="session")
def example_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    write_example_files(folder)
    return folder


@pytest.fixture
def copy(example_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the example files, which is the current one."""
    folder = tmp_path / "copy"
    shutil.copytree(example_files, folder)
    monkeypatch.chdir(folder)
    return folder


def all_commands(text: str) -> Iterator[list[str]]:
    """Yield the command lines of a page, of blocks and of sentences."""
    yield from (words for _, words in find_commands(text))
    yield from find_inline_commands(text)


def runnable_commands() -> list[str]:
    """Return the command lines of all pages that can be run, in their cheapest form, each once."""
    lines = {}
    for page in WRITTEN:
        for words in all_commands(TEXTS[page]):
            short = shorten(words)
            if short and explain_fault(["dpanet", *short]) is None:
                lines["\t".join(short)] = None
    return list(lines)


RUNNABLE = runnable_commands()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_block_states_its_language(page: Path) -> None:
    known = (*CHECKED, *SHOWN, *(() if page in WRITTEN else ("pycon", "py")))
    blocks = find_blocks(TEXTS[page])
    assert [f"line {block.line}: {block.language!r}" for block in blocks if block.language not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lists_and_tables_stand_apart(page: Path) -> None:
    if page.parent.name == "docs":  # others are no part of the site
        assert find_joined_lines(TEXTS[page]) == []


def test_a_list_without_an_empty_line_before_it_is_noticed() -> None:
    text = "Text:\n- a\n  more of a\n- b\n\n- c\n    - inner\n  - not inner\n\nText\n| a |\n|---|\n"
    assert find_joined_lines(text) == ["- a", "  - not inner", "| a |"]


def test_few_blocks_are_only_to_be_read() -> None:
    blocks = [block for page in WRITTEN for block in find_blocks(TEXTS[page])]
    shown = sum(block.language in SHOWN for block in blocks)
    assert shown <= len(blocks) // 4, f"{shown} of {len(blocks)} blocks are neither run nor checked"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_commands_and_options_exist(page: Path) -> None:
    assert find_faults(TEXTS[page]) == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_words_in_capitals_are_explained(page: Path) -> None:
    known = {*re.findall(r"`([A-Z][A-Z0-9]+)`", TEXTS[ROOT / "docs/notation.md"])}
    lines = [" ".join(words) for words in all_commands(TEXTS[page])]
    used = {word for line in lines for word in PLACEHOLDER.findall(line)}
    assert used - known == set()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("dpanet deblurr LEFT RIGHT -o OUT", "dpanet has no deblurr"),
        ("dpanet deblur LEFT RIGHT --output OUT --colour 3", "--colour"),
        ("dpanet deblur LEFT RIGHT -o OUT --engine tensorflow", "tensorflow"),
        ("torchrun --nnodes 2 -m dpanet trian tiny -o RUN", "dpanet has no trian"),
        ("dpanet train compact --set network.widht=3 -o RUN", "widht"),
        ("python benchmarks/absent.py", "benchmarks/absent.py does not exist"),
        ("python benchmarks/fuzz_files.py --hours 1", "has no --hours"),
        ("python -m tools.absent", "tools.absent does not exist"),
        ("make lunch", "make has no lunch"),
        ("pytest tests/absent", "tests/absent does not exist"),
        ("rm -rf OUT", "the program rm is unknown"),
    ],
)
def test_a_wrong_command_is_noticed(line: str, fault: str) -> None:
    [found] = find_faults(f"```bash\n{line}  # a comment\n```\n")
    assert fault in found


def test_a_wrong_command_in_a_block_for_windows_is_noticed() -> None:
    text = (
        "```powershell\npy -m venv .venv\n.venv\\Scripts\\dpanet deblur `\n  C:\\a\\l.png R -o OUT {}\n```\n"
    )
    assert find_faults(text.format("--strength 0.5")) == []
    [found] = find_faults(text.format("--strenght 0.5"))
    assert "--strenght" in found
    assert [words[-3] for words in all_commands(text.format(""))][1] == "R"


def test_a_sentence_may_leave_out_arguments_but_not_misname_options() -> None:
    assert (
        find_faults(
            "With `dpanet deblur FOLDER --recursive` and `dpanet train compact --set steps=1` it works."
        )
        == []
    )
    assert len(find_faults("With `dpanet deblur FOLDER -o OUT --recursively` it does not.")) == 1


def test_commands_are_cut_where_a_shell_cuts_them() -> None:
    text = "```bash\ndpanet deblur A \\\n  -o 'B C' 2>errors  # why\ndpanet --help | head -1\n```\n"
    text += "and `dpanet deblur <(zcat l.gz) X -o Y`\n"
    words = [["dpanet", "deblur", "A", "-o", "B C"], ["dpanet", "--help"], ["head", "-1"]]
    assert [*all_commands(text)] == [*words, ["dpanet", "deblur", "./-", "X", "-o", "Y"]]


def test_the_example_files_exist(example_files: Path) -> None:
    assert [name for name in (*FILES, *FOLDERS) if not (example_files / name).exists()] == []


def test_each_kind_of_command_is_run() -> None:
    assert {line.split("\t")[0] for line in RUNNABLE} == {*RUN}


@pytest.mark.parametrize("line", RUNNABLE, ids=lambda line: line.replace("\t", " "))
def test_commands_run(line: str, copy: Path) -> None:
    words = line.split("\t")
    remove_outputs(words, copy)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        code = main(words)
    assert code == 0, printed.getvalue()


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small simulated capture in place of the published ones, which are no part of the package."""
    capture = synthetic_capture(0.5, cells=1, cell=168)
    published = SimpleNamespace(scenes=[SimpleNamespace(name="001", load=lambda: capture)])
    monkeypatch.setattr("dpanet.datasets.open_dataset", lambda *arguments, **options: published)


@pytest.mark.parametrize("page", IN_PYTHON, ids=lambda page: page.name)
def test_python_blocks_run(page: Path, copy: Path, captures: None) -> None:
    names: dict[str, object] = {"__name__": "__main__"}  # the blocks of a page follow one another
    for block in find_blocks(TEXTS[page]):
        if block.language == "python":
            code = compile("\n" * block.line + block.code, str(page), "exec")
            with contextlib.redirect_stdout(io.StringIO()):
                exec(code, names)
