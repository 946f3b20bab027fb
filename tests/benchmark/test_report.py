import io
from dataclasses import replace

import pytest
from benchmark.example import RESULTS
from rich.console import Console

from dpanet.benchmark.picture import draw
from dpanet.benchmark.report import Table, make_tables, to_markdown, to_rich


def table(title: str) -> Table:
    return next(table for table in make_tables(RESULTS) if table.title.startswith(title))


def test_figures_are_those_of_the_results() -> None:
    row = dict(zip(table("One run").columns, table("One run").rows[0], strict=True))
    assert row == {
        "model": "compact",
        "engine": "onnxruntime",
        "precision": "float32",
        "size": "1000 x 500",
        "ms (quartiles)": "250 (200 to 300)",
        "s / megapixel": "0.50",
        "G multiply-adds": "4.00",
        "GFLOP/s": "32",
        "share": "16 %",
    }
    row = dict(zip(table("Parts").columns, table("Parts").rows[0], strict=True))
    assert (row["ms"], row["GFLOP/s"], row["share"]) == ("150.0", "40", "20 %")
    row = dict(zip(table("Whole").columns, table("Whole").rows[1], strict=True))
    assert (row["megapixels"], row["s (quartiles)"], row["peak MB"]) == ("1.35", "0.25 (0.20 to 0.30)", "300")
    assert table("dpanet deblur by size").notes == (
        "compact: 0.33 s + 0.67 s a megapixel; no size is farther than 1 % from this line.",
    )


def test_a_share_that_cannot_be_is_no_number() -> None:
    """Planted: a rate that was measured while the machine was busy, so that every part is faster."""
    busy = replace(
        RESULTS,
        passes=tuple(replace(one, share=3.4) for one in RESULTS.passes),
        parts=tuple(
            replace(part, share=share) for part, share in zip(RESULTS.parts, (1.004, 1.7), strict=True)
        ),
    )
    text = to_markdown(make_tables(busy))
    assert "340 %" not in text and "170 %" not in text and "100 % |" in text
    assert text.count("> 100 %: this ran faster than the best rate above, so that the machine was busy") == 2
    assert "the machine was busy" not in to_markdown(make_tables(RESULTS))
    assert "340 %" not in draw(busy) and ", &gt; 100 %" in draw(busy)


def test_a_note_says_that_the_package_was_changed() -> None:
    assert not any("note" in row for row in table("Machine").rows)
    files = tuple(f"engines/file_{number}.py" for number in range(7))
    changed = replace(RESULTS, commit="0123456789abcdef-dirty", changed_files=files)
    rows = dict(make_tables(changed)[0].rows)
    assert "commit 0123456789ab with changes;" in rows["software"]
    named = f"changed since that commit: {', '.join(files[:5])} and 2 more; "
    assert rows["note"] == named + "the commit alone does not repeat these figures"
    older = replace(changed, changed_files=())  # written before the files were named
    assert dict(make_tables(older)[0].rows)["note"] == "the commit alone does not repeat these figures"


def test_columns_without_values_are_left_out() -> None:
    assert not any("J / megapixel" in table.columns for table in make_tables(RESULTS))


def test_markdown_has_rows_of_one_width() -> None:
    text = to_markdown(make_tables(RESULTS))
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(line) for line in lines}) <= 1
        assert len({line.replace("\\|", "").count("|") for line in lines}) <= 1
    assert "a\\|b" in text and "torch: it is not installed" in text


@pytest.mark.parametrize("table", make_tables(RESULTS), ids=lambda table: table.title)
def test_a_terminal_shows_every_cell(table: Table) -> None:
    stream = io.StringIO()
    Console(file=stream, width=250).print(to_rich(table))
    assert all(cell in stream.getvalue() for row in table.rows for cell in row)
