"""`dpanet train`: a network is trained as a configuration says."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dpanet.cli.failure import DONE, INTERRUPTED, UsageError


def train(
    config: Annotated[str | None, Parameter(name="CONFIG")] = None,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    set_: Annotated[tuple[str, ...], Parameter(name="--set", negative=(), consume_multiple=True)] = (),
    resume: Path | None = None,
    list_: Annotated[bool, Parameter(name="--list", negative=())] = False,
) -> int:
    """Train a network: `dpanet train CONFIG -o RUN`, and `dpanet train --resume RUN` to go on.

    RUN/model.safetensors is the finished model, RUN/best.safetensors the best one on the validation scenes;
    `--model` of the other commands takes either. A run that was stopped or killed ends with the same weights as one
    that was not. On many GPUs or machines: torchrun ... -m dpanet train ...

    Parameters
    ----------
    config
        A shipped configuration (see --list), or a .toml file.
    output
        The folder of the new run; it is made if there is none.
    set_
        Change settings, such as --set data.photographs=FOLDER optimiser.learning_rate=1e-3.
    resume
        The folder of a run to go on with.
    list_
        Tell the shipped configurations.
    """
    if list_:
        from dpanet.training.config_file import shipped

        print("\n".join(f"{name:18} {text}" for name, text in shipped().items()))
        return DONE
    if (config is None) == (resume is None):
        raise UsageError(
            "give either a configuration to begin with (dpanet train --list tells the shipped ones) or --resume RUN "
            "to go on with"
        )
    if (output is None) == (resume is None):
        raise UsageError(
            "give the folder of the new run by -o RUN"
            if resume is None
            else "--resume goes on in the run's own folder; leave -o out"
        )

    from dpanet.training.launch import check_installed

    check_installed()

    from dpanet.training.config_file import load_config
    from dpanet.training.run_folder import RunFolder

    first = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun started, one makes the folder
    if resume is not None:
        run = RunFolder.held(resume, set_)
    else:
        assert config is not None and output is not None
        settings = load_config(config, set_)
        run = RunFolder.new(output, settings) if first else RunFolder(output, settings)

    from dpanet.cli.progress import Steps
    from dpanet.training.loop import train as run_to_its_end

    with Steps(shown=first) as steps:
        ending = run_to_its_end(run, lambda line: print(line, flush=True), steps.stepped)
    if not first:
        return DONE
    if ending == "interrupted":
        print(f"dpanet: stopped as asked; go on with: dpanet train --resume {run.path}", file=sys.stderr)
        return INTERRUPTED
    print(run.model)
    return DONE
