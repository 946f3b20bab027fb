"""Results of a machine that does not exist."""

from dpanet.benchmark.results import (
    Command,
    ConvolutionRate,
    Growth,
    Machine,
    Part,
    Pass,
    Results,
    Timing,
)

TIMING = Timing(0.25, 0.2, 0.3, 5)

RESULTS = Results(
    version="1.2.3",
    commit="0123456789abcdef",
    date="2026-01-02T03:04:05+00:00",
    packages={"numpy": "2.0", "onnxruntime": "1.30"},
    quick=False,
    threads=2,
    machine=Machine("A & B", 2, ("avx2", "fma"), 8 * 2**30, 2.5e10, "Linux", "3.11.7"),
    rates=(ConvolutionRate("onnxruntime", "float32", 200.0, 64, 256),),
    passes=(
        Pass("compact", "onnxruntime", "cpu", "float32", 1000, 500, TIMING, 4e9, 0.16, None),
        Pass(
            "compact", "openvino", "cpu", "bfloat16", 1000, 500, Timing(0.125, 0.1, 0.2, 5), 4e9, None, None
        ),
    ),
    parts=(
        Part("compact", "float32", "encoder 0", 3e9, 0.15, 0.2),
        Part("compact", "float32", "a|b", 0.0, 0.1, None),
    ),
    commands=(
        Command("dpanet --help", None, None, TIMING, 0.2, 30 * 10**6, None),
        Command("dpanet deblur", "compact", 1.35, TIMING, 0.4, 300 * 10**6, None),
    ),
    sizes=(
        Command("dpanet deblur", "compact", 0.25, Timing(0.5, 0.5, 0.5, 1), 0.9, 10**8, None),
        Command("dpanet deblur", "compact", 1.0, Timing(1.0, 1.0, 1.0, 1), 1.9, 2 * 10**8, None),
        Command("dpanet deblur", "compact", 4.0, Timing(3.0, 3.0, 3.0, 1), 5.9, 4 * 10**8, None),
    ),
    growth=(Growth("compact", 0.33, 0.67, 0.012),),
    left_out=("torch: it is not installed",),
)
