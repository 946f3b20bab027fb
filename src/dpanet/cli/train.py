"""`dpanet train`: train a network as a config says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dpanet.cli.options import MaxMegapixels, apply_max_megapixels
from dpanet.terminal.failure import DONE, INTERRUPTED, UsageError, print_line


def train(
    config: Annotated[str | None, Parameter(name="CONFIG")] = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=(), consume_multiple=True)] = (),
    resume: Path | None = None,
    list_: Annotated[bool, Parameter(name="--list", negative=())] = False,
    max_megapixels: MaxMegapixels = None,
) -> int:
    """Train a network: `dpanet train CONFIG -o RUN`; `dpanet train --resume RUN` continues a run.

    RUN/model.safetensors is the finished model, RUN/best.safetensors the best one on the validation scenes;
    `--model` of the other commands takes either. A run that was stopped or killed ends with the same weights as one
    that was not. On several GPUs or machines: torchrun ... -m dpanet train ...

    Parameters
    ----------
    config
        A shipped config (see --list), or a .toml file.
    output
        The folder of the new run; it is created if it does not exist.
    set_
        Change the config, such as --set data.photographs=FOLDER optimizer.learning_rate=1e-3.
    resume
        The folder of a run to continue.
    list_
        List the shipped configs.
    max_megapixels
        Refuse pictures of more megapixels than this; the default is 400, or DPANET_MAX_MEGAPIXELS.
    """
    apply_max_megapixels(max_megapixels)
    if list_:
        from dpanet.training.config_file import shipped_configs

        print("\n".join(f"{name:18} {text}" for name, text in shipped_configs().items()))
        return DONE
    if (config is None) == (resume is None):
        raise UsageError(
            "give either a config to start with (dpanet train --list lists the shipped ones) or --resume RUN to "
            "continue a run"
        )
    if (output is None) == (resume is None):
        raise UsageError(
            "give the folder of the new run by -o RUN"
            if resume is None
            else "--resume continues in the run's own folder; leave -o out"
        )

    from dpanet.processes.torchrun import describe_ignored_variables, describe_tasks, find_processes
    from dpanet.training.config_file import load_config
    from dpanet.training.run_folder import RunFolder

    for note in (describe_ignored_variables(), describe_tasks()):
        if note:
            print_line("note", note)
    is_first = find_processes().rank == 0  # of the processes that torchrun started, one creates the folder
    if resume is not None:
        run = RunFolder.open(resume, set_)
    else:
        assert config is not None and output is not None
        loaded = load_config(config, set_)
        run = RunFolder.create(output, loaded) if is_first else RunFolder(output, loaded)

    from dpanet.engines.allocator import reuse_freed_memory
    from dpanet.terminal.progress import Steps
    from dpanet.training.loop import train as run_training

    with reuse_freed_memory(), Steps(shown=is_first) as steps:
        ending = run_training(run, lambda line: print(line, flush=True), steps.stepped)
    if not is_first:
        return DONE
    if ending == "interrupted":
        print(f"dpanet: stopped as asked; go on with: dpanet train --resume {run.path}", file=sys.stderr)
        return INTERRUPTED
    print(run.model)
    return DONE
