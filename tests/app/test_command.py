"""The command `dpanet app` before it serves anything."""

import socket
from pathlib import Path

import pytest

from dpanet.cli import main


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--device", "nonsense"), 2, "device is 'nonsense'"),
        (("--model", "missing.onnx"), 1, "there is no model 'missing.onnx'"),
        (("--max-megapixels", "0"), 2, "megapixels is 0"),
        (("--host", "256.1.1.1"), 1, "256.1.1.1 port 7860 cannot be used"),
        (("--port", "99999"), 2, "port is 99999"),
        (
            ("--export-site", "site", "--model", "compact"),
            2,
            "--export-site writes the model nano; leave --model out",
        ),
    ],
    ids=str,
)
def test_impossible_options_are_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["app", "--no-browser", *options]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["app", "--no-browser", "--port", str(port)]) == 1
    assert f"127.0.0.1 port {port} cannot be used (Address already in use)" in capsys.readouterr().err
