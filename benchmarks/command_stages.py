"""Show when each stage of a cold `dpanet deblur` begins and ends, and the processor time of its thread.

python benchmarks/command_stages.py LEFT RIGHT -o OUT.png [options of deblur]
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

START = time.perf_counter()


def show(stage: str, begin: float, processor: float) -> None:
    """Print one line, on standard error."""
    where = "" if threading.current_thread() is threading.main_thread() else "  in a thread"
    now = time.perf_counter()
    print(
        f"{stage:16} {1000 * (begin - START):6.0f} to {1000 * (now - START):6.0f} ms, "
        f"processor {1000 * processor:5.0f} ms{where}",
        file=sys.stderr,
    )


def watch(owner: Any, name: str, stage: str) -> None:
    """Replace a function by one that shows when it was called."""
    function = getattr(owner, name)

    def watched(*arguments: Any, **options: Any) -> Any:
        begin, processor = time.perf_counter(), time.thread_time()
        try:
            return function(*arguments, **options)
        finally:
            show(stage, begin, time.thread_time() - processor)

    setattr(owner, name, watched)


def main() -> int:
    """Run the command line with its stages watched."""
    from dpanet.cli import main as run

    show("command line", START, time.process_time())
    before = time.process_time()
    import dpanet.cli.deblur as command
    import dpanet.images.reading as reading
    import dpanet.jobs.job as jobs

    show("NumPy, formats", START, time.process_time() - before)
    watch(reading, "_decode", "decode a view")
    watch(jobs.PairReader, "__call__", "read the pair")
    watch(jobs.Task, "deblur", "deblur")
    watch(jobs.Task, "write", "write")
    watch(command, "_load", "load the model")
    before = time.process_time()
    import dpanet.engines.onnx_engine as engine

    show("ONNX Runtime", START, time.process_time() - before)
    watch(engine.OnnxEngine, "__call__", "one pass")
    return run(["deblur", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
