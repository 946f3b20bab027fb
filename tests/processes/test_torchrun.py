"""What the variables of torchrun and of other launchers say, and when they are ignored."""

import pytest
from processes.variables import MPI, SLURM, WHOLE

from dpanet.errors import ConfigError
from dpanet.processes.torchrun import Processes, describe_ignored_variables, describe_tasks, find_processes


def test_only_all_of_torchruns_variables_name_several_processes() -> None:
    full = {"WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "2", "RANK": "3", "LOCAL_RANK": "1", "MASTER_ADDR": "a",
            "MASTER_PORT": "1", "TORCHELASTIC_RUN_ID": "x"}  # fmt: skip
    assert find_processes(full) == Processes(6, 2, 3, 1)
    assert describe_ignored_variables(full) == describe_ignored_variables({"SLURM_NTASKS": "2"}) == ""
    for name in full:
        partial = {key: value for key, value in full.items() if key != name}
        assert find_processes(partial) == Processes()
        assert f"because {name} is not set" in describe_ignored_variables(partial)
    assert describe_ignored_variables({"RANK": "1"}).startswith(
        "RANK of the environment is ignored, and one process"
    )


def test_tasks_of_other_launchers_are_named() -> None:
    assert describe_tasks(SLURM).startswith("SLURM_NTASKS of the environment is 4, but")
    assert describe_tasks(MPI).startswith("OMPI_COMM_WORLD_SIZE of the environment is 4")
    assert describe_tasks({**SLURM, "SLURM_NTASKS": "1"}) == describe_tasks({**SLURM, **WHOLE}) == ""


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"RANK": "first"}, "RANK of the environment is 'first'; it must be a whole number"),
        ({"WORLD_SIZE": ""}, "WORLD_SIZE of the environment is ''"),
        ({"MASTER_PORT": "auto"}, "MASTER_PORT of the environment is 'auto'"),
        ({"RANK": "2"}, "RANK=2, .*contradict each other"),
        ({"LOCAL_RANK": "-1"}, "LOCAL_RANK of the environment is '-1'"),
        ({"LOCAL_WORLD_SIZE": "0"}, "contradict each other"),
        ({"WORLD_SIZE": "3"}, "WORLD_SIZE=3, LOCAL_WORLD_SIZE=2"),
    ],
)
def test_contradictions_are_named(variables: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        find_processes({**WHOLE, **variables})
