"""Files that state their own SHA-256, and the sums of the shipped files."""

import hashlib
import shutil
from pathlib import Path

import pytest

import dpanet.checkpoints.checksum as checksum
from dpanet.checkpoints.checksum import (
    NOT_STATED,
    SUMS,
    check_file,
    check_shipped,
    state_checksum,
    write_sums,
)
from dpanet.checkpoints.shipped_models import shipped_file
from dpanet.errors import WeightsError

SHIPPED = Path(str(shipped_file("nano"))).parent


def test_what_is_stated_is_the_sum_with_zeros_in_its_place(tmp_path: Path) -> None:
    begin, end = b'weights {"sha256": "', b'", "version": "1"} more weights'
    path = tmp_path / "a.onnx"
    path.write_bytes(begin + NOT_STATED.encode() + end)
    check_file(path)  # not stated yet
    state_checksum(path)
    expected = hashlib.sha256(begin + b"0" * 64 + end).hexdigest()
    assert path.read_bytes() == begin + expected.encode() + end
    check_file(path)


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors", ".xml"])
def test_every_byte_counts(tmp_path: Path, suffix: str) -> None:
    quote = "&quot;" if suffix == ".xml" else '"'
    path, weights = tmp_path / f"a{suffix}", tmp_path / "a.bin"
    path.write_text(f"ab sha256{quote}:{quote}{NOT_STATED}{quote} cd")
    weights.write_text("weights")
    state_checksum(path)
    check_file(path)
    first = path.read_text().index(f":{quote}") + 1 + len(quote)
    places = [(path, place) for place in (0, 1, first, first + 63, first + 64, -1)]
    for file, place in [*places, *((weights, place) for place in (0, -1) if suffix == ".xml")]:
        content = file.read_text()
        digit = "1" if content[place] == "0" else "0"
        file.write_text(content[:place] + digit + (content[place:][1:]))
        with pytest.raises(WeightsError, match=rf"a\{suffix} .*is damaged or was changed"):
            check_file(path)
        file.write_text(content)
    check_file(path)


def test_files_that_state_nothing_pass(tmp_path: Path) -> None:
    for content in (b"", b"PK\3\4 other", b"sha256"):
        (tmp_path / "a.onnx").write_bytes(content)
        check_file(tmp_path / "a.onnx")
    check_file(tmp_path / "absent.onnx")
    check_file(tmp_path)


def test_the_sums_of_the_shipped_files_are_up_to_date(tmp_path: Path) -> None:
    files = [file for file in SHIPPED.iterdir() if file.suffix in (".onnx", ".safetensors")]
    assert files
    for file in files:
        shutil.copy(file, tmp_path)
    write_sums(tmp_path)
    assert (tmp_path / SUMS).read_bytes() == (SHIPPED / SUMS).read_bytes(), (
        "run python -m dpanet.export.shipped_files after the weights were replaced"
    )


@pytest.mark.parametrize("suffix", [".onnx", "-int8.onnx", ".safetensors"])
def test_a_damaged_shipped_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    for name in (f"nano{suffix}", "nano.safetensors"):
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.setattr(checksum, "shipped_file", lambda name, ending: tmp_path / f"{name}{ending}")
    monkeypatch.setattr(
        checksum,
        "_read_sums",
        lambda: {f.name: hashlib.sha256(f.name.encode()).hexdigest() for f in tmp_path.iterdir()},
    )
    check_shipped("nano", suffix)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes() + b"!")
        with pytest.raises(WeightsError, match=rf"{file.name} is damaged: .*install dpanet again"):
            check_shipped("nano", suffix)
        file.write_bytes(file.read_bytes()[:-1])
