"""A cluster that `ray start` has started, with a token: joined, and its lines; what is said where that fails."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster.conftest import OPTIONS, write_pairs

from dpanet.cli import main
from dpanet.cluster.ray_session import ray_session
from dpanet.errors import WorkerError


@pytest.fixture
def joined(temporary: Path) -> Iterator[dict[str, str]]:
    """The environment in which a cluster of one core is joined; it is started, and ends afterwards."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    token = temporary / "token"
    token.write_text(secrets.token_hex(32))
    environment |= {"HOME": str(temporary), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    environment["RAY_USAGE_STATS_ENABLED"] = "0"
    words = [
        "--head",
        "--port=0",
        "--num-cpus=1",
        "--object-store-memory=80000000",
        "--include-dashboard=false",
    ]
    head = subprocess.Popen(
        [
            Path(sys.executable).with_name("ray"),
            "start",
            *words,
            f"--temp-dir={temporary / 'ray'}",
            "--block",
        ],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert head.stdout is not None
        said = ""
        for line in head.stdout:
            said += line
            address = re.search(r"--address='([0-9.]+:\d+)'", line)
            if address:
                yield {**environment, "RAY_ADDRESS": address[1]}
                break
        else:
            pytest.fail(said)
    finally:
        head.send_signal(signal.SIGTERM)  # it ends its processes
        head.communicate(timeout=60)


def read_objects(text: str) -> list[dict[str, Any]]:
    """Return the objects on lines, in the order of their inputs, without the seconds."""
    objects = [json.loads(line) for line in text.splitlines()]
    for line in objects:
        assert (line.pop("seconds") is None) == (line["status"] != "deblurred")
    return sorted(objects, key=lambda line: line["inputs"])


@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="Ray's sockets need a short path in /tmp")
def test_a_cluster_with_a_token_is_joined_and_prints_the_objects_of_the_plain_command(
    joined: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    views = tmp_path / "in"
    write_pairs(views, range(3))
    (views / "1_right.png").write_bytes(b"no picture")
    (views / "9_left.png").write_bytes(b"alone")
    command = ["deblur", str(views), *OPTIONS, "--threads", "1", "--json", "-o"]
    assert main([*command, str(tmp_path / "plain")]) == 1
    plain = capsys.readouterr()
    done = subprocess.run(
        [sys.executable, "-m", "dpanet", *command, str(tmp_path / "out"), "--cluster", "ray"],
        env=joined,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    expected = plain.out.replace(str(tmp_path / "plain"), str(tmp_path / "out"))
    assert read_objects(done.stdout) == read_objects(expected)
    assert [line["status"] for line in read_objects(expected)] == [
        "left out",
        "deblurred",
        "failed",
        "deblurred",
    ]
    for name in (0, 2):
        picture = (tmp_path / f"out/{name}.png").read_bytes()
        assert picture == (tmp_path / f"plain/{name}.png").read_bytes()


def use_fake_ray(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> list[tuple[dict[str, Any], str]]:
    """Put a module in the place of Ray; return how it is started, and the token that it sees."""
    started: list[tuple[dict[str, Any], str]] = []

    def init(**options: Any) -> None:
        started.append((options, os.environ.get("RAY_AUTH_TOKEN", "")))
        if error is not None:
            raise error

    fake = types.SimpleNamespace(init=init, shutdown=lambda: None)
    monkeypatch.setitem(sys.modules, "ray", fake)  # type: ignore[arg-type]
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    return started


def test_a_cluster_that_cannot_be_joined_says_how_a_token_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    use_fake_ray(monkeypatch, ConnectionError("Failed to connect to Ray cluster at 192.0.2.2:6379"))
    monkeypatch.setenv("RAY_ADDRESS", "192.0.2.2:6379")
    with (
        pytest.raises(
            WorkerError, match=r"joined at .* set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH=FILE,"
        ),
        ray_session(1),
    ):
        pass


def test_a_ray_of_this_machine_has_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    started = use_fake_ray(monkeypatch, None)
    for _ in range(2):
        with ray_session(1):
            pass
    (_, first), (_, second) = started
    assert first == second and len(first) == 64
    assert "RAY_AUTH_TOKEN" not in os.environ
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", "mine")
    with ray_session(1):
        pass
    assert started[-1][1] == "", "that of the user is kept"
