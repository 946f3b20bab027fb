"""The files for containers and Kubernetes: they parse, and name only what there is."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dpanet.cli.program import build_app

ROOT = Path(__file__).parents[2]
CONTAINER = (ROOT / "deploy/Containerfile").read_text()
KUBERNETES = (ROOT / "deploy/kubernetes.yaml").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read_instructions(text: str) -> list[tuple[str, str]]:
    lines = re.sub(r"\\\n", " ", text).splitlines()
    words = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, rest in words]


def check_container(text: str) -> None:
    """Assert what a linter of container files would."""
    instructions = read_instructions(text)
    known = {"FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions} <= known
    values: dict[str, list[str]] = {name: [] for name in known}
    for name, rest in instructions:
        values[name].append(rest)
    assert instructions[0][0] == "FROM"
    assert re.fullmatch(r"python:3\.\d+-slim", values["FROM"][0]), "a plain name with its version"
    for sources in values["COPY"]:
        for source in sources.split()[:-1]:
            assert (ROOT / source).exists(), f"{source} does not exist"
    (install,) = [run for run in values["RUN"] if "pip install" in run]
    assert "--constraint constraints.txt" in install
    (extras,) = re.findall(r'"\.\[([a-z,]+)\]"', install)
    for extra in extras.split(","):
        required = PROJECT["optional-dependencies"][extra]
        assert not any("torch" in package for package in required)
    order = [name for name, _ in instructions]
    assert order.index("USER") > max(place for place, name in enumerate(order) if name == "RUN")
    assert values["USER"] not in (["root"], ["0"])
    assert yaml.safe_load(values["ENTRYPOINT"][0])[0] in PROJECT["scripts"]


def commands(script: str) -> list[list[str]]:
    return [shlex.split(line) for line in script.splitlines() if line.strip()]


def check_command(words: list[str]) -> None:
    """Assert that a command is one of ours, or starts Ray, with options that exist."""
    program, *rest = words[1:] if words[0] == "exec" else words
    if program == "ray":
        from click.testing import CliRunner
        from ray.scripts.scripts import start

        assert rest[0] == "start"
        known = {option for parameter in start.params for option in parameter.opts}
        assert {word.partition("=")[0] for word in rest[1:]} <= known
        assert CliRunner().invoke(start, ["--help"]).exit_code == 0
        return
    assert program in PROJECT["scripts"]
    function, bound, _ = build_app(rest[0]).parse_args(rest, exit_on_error=False, print_error=False)
    assert function.__name__ == "deblur" and bound.arguments["cluster"] == "ray"


def test_the_container_file_names_only_what_there_is() -> None:
    check_container(CONTAINER)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("COPY src ./src", "COPY source ./src"),
        ("USER dpanet", "USER root"),
        ("USER dpanet", "# USER dpanet"),
        ("FROM python:3.11-slim", "FROM registry.example/python:3.11-slim"),
        ("--constraint constraints.txt", ""),
        ('".[cluster]"', '".[torch]"'),
        ('ENTRYPOINT ["dpanet"]', 'ENTRYPOINT ["deblur"]'),
    ],
)
def test_a_fault_in_the_container_file_is_noticed(right: str, wrong: str) -> None:
    assert CONTAINER.count(right) == 1
    with pytest.raises((AssertionError, ValueError)):
        check_container(CONTAINER.replace(right, wrong))


def test_the_kubernetes_example_names_only_what_there_is() -> None:
    parts: dict[str, Any] = {part["kind"]: part for part in yaml.safe_load_all(KUBERNETES)}
    assert set(parts) == {"Service", "Job", "Deployment"}
    for kind in ("Job", "Deployment"):
        template = parts[kind]["spec"]["template"]
        assert template["spec"]["securityContext"]["runAsNonRoot"]
        (container,) = template["spec"]["containers"]
        assert container["image"] == "dpanet" and container["command"] == ["sh", "-c"]
        (script,) = container["args"]
        for words in commands(script):
            check_command(words)
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in template["spec"]["volumes"]}
        assert container["resources"]["limits"]["memory"]
        secrets = [source["secretRef"] for source in container["envFrom"]]
        assert [(one["name"], one["optional"]) for one in secrets] == [
            ("dpanet-store", True),
            ("dpanet-ray", True),
        ]
    head = parts["Job"]["spec"]["template"]["metadata"]["labels"]
    assert parts["Service"]["spec"]["selector"] == head
    worker = parts["Deployment"]["spec"]
    assert worker["selector"]["matchLabels"] == worker["template"]["metadata"]["labels"] != head
    assert (
        f"--address={parts['Service']['metadata']['name']}:6379" in KUBERNETES and "--port=6379" in KUBERNETES
    )


@pytest.mark.parametrize(
    "command",
    [
        "dpanet deblurr a -o b --cluster ray",
        "dpanet deblur a -o b --clusters ray",
        "ray start --heads",
        "sleep 1",
    ],
)
def test_a_fault_in_a_command_is_noticed(command: str) -> None:
    with pytest.raises(Exception):  # noqa: B017  # of each its own
        check_command(command.split())
