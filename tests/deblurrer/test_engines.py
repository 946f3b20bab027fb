"""The engines that run exported networks: the same picture from each, and one sentence for what they cannot do."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from dpanet.checkpoints.exported_model import KEY
from dpanet.checkpoints.shipped_models import shipped_file
from dpanet.deblurrer.deblurrer import Deblurrer
from dpanet.engines import choose_engine, onnx_engine
from dpanet.engines.choose_engine import load_engine
from dpanet.engines.engine import ENGINES
from dpanet.engines.processor import count_cores, instruction_sets
from dpanet.errors import ConfigError, ImageWarning, MissingPackageError, WeightsError
from dpanet.pair import DualPixelPair, Pixels

NANO = Path(str(shipped_file("nano", ".onnx")))

CLOSE = 1 / 255
"""Greatest difference between the pictures of two engines in float32."""


@pytest.fixture(scope="module")
def views() -> tuple[Pixels, Pixels]:
    """Two views, 64 x 96 px, waves whose right view is moved by a px."""
    y, x, channel = np.mgrid[:64, :97, :3]
    waves = 0.5 + 0.2 * np.sin(x / 5 + channel) + 0.2 * np.cos(y / 7 + x / 11)
    waves += np.random.default_rng(3).normal(0, 0.02, waves.shape)
    left, right = (np.ascontiguousarray(waves[:, i : i + 96], np.float32) for i in (0, 1))
    return left, right


@pytest.fixture(scope="module")
def oracle(views: tuple[Pixels, Pixels]) -> dict[str, NDArray[np.float32]]:
    """What torch makes of the views with each shipped model; of compact with its map."""
    return {
        name: load_engine(name, "torch", device="cpu", precision="float32")(*views, defocus=name == "compact")
        for name in ("nano", "compact")
    }


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "torch"])
@pytest.mark.parametrize("model", ["nano", "compact"])
def test_each_engine_returns_what_torch_does(
    engine: str, model: str, views: tuple[Pixels, Pixels], oracle: dict[str, NDArray[np.float32]]
) -> None:
    loaded = load_engine(model, engine, precision="float32", threads=1)
    assert (loaded.name, loaded.device, loaded.precision) == (engine, "cpu", "float32")
    output = loaded(*views, defocus=model == "compact")
    assert output.shape == oracle[model].shape and output.dtype == np.float32
    assert np.abs(output[..., :3] - oracle[model][..., :3]).max() < CLOSE
    if model == "compact":
        assert np.abs(output[..., 3] - oracle[model][..., 3]).max() < 0.05, "px of blur radius"
    other = loaded(views[1], views[0])
    assert np.abs(other - oracle[model][..., :3]).max() > CLOSE, "swapped views show"
    output[:] = 0  # the caller may change it


def test_a_deblurrer_returns_the_same_picture_and_map_with_each_engine(views: tuple[Pixels, Pixels]) -> None:
    pair = DualPixelPair(*views)
    results = [
        Deblurrer("compact", engine=engine, precision="float32", device="cpu").with_defocus_map(pair)
        for engine in ENGINES
    ]
    for picture, radius in results[1:]:
        assert np.abs(picture.pixels - results[0][0].pixels).max() < CLOSE
        assert np.abs(radius - results[0][1]).max() < 0.05


def test_any_strides(views: tuple[Pixels, Pixels]) -> None:
    engine = load_engine("nano", "onnxruntime", precision="float32", threads=1)
    mirrored = [view[::-1, ::-1] for view in views]
    np.testing.assert_array_equal(engine(*mirrored), engine(*(view.copy() for view in mirrored)))


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The options of all sessions of ONNX Runtime that a test loads."""
    seen: list[Any] = []
    session = onnxruntime.InferenceSession

    def note(path: Path, options: onnxruntime.SessionOptions, **more: Any) -> Any:
        seen.append(options)
        return session(path, options, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", note)
    return seen


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_threads(threads: int | None, options: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    load_engine("nano", "onnxruntime", precision="float32", threads=threads)
    assert [one.intra_op_num_threads for one in options] == [threads or count_cores()]
    with pytest.warns(
        ImageWarning, match=r"threads is 64, and this process may use 3 processors; \d threads? will"
    ):
        load_engine("nano", "onnxruntime", precision="float32", threads=64)
    assert [one.intra_op_num_threads for one in options[1:]] == [count_cores()]


@pytest.mark.parametrize(
    ("threads", "passes", "calls", "inner"),
    [
        (1, 2, 1, 1),
        (2, 1, 1, 2),
        (2, 2, 2, 1),
        (2, 4, 2, 1),
        (3, 2, 2, 2),
        (3, "auto", 2, 2),
        (2, "auto", 2, 1),
        (1, "auto", 1, 1),
    ],
)
def test_passes_at_the_same_time_share_the_threads(
    threads: int, passes: Any, calls: int, inner: int, options: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    engine = load_engine("nano", "onnxruntime", threads=threads, passes=passes)
    assert (engine.parallel_calls, [one.intra_op_num_threads for one in options]) == (calls, [inner])


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_network_that_needs_much_memory_runs_one_pass_at_a_time_and_its_threads_sleep(
    precision: str, options: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    for model, calls in (("compact", 1), ("nano", 2)):
        engine = load_engine(model, "onnxruntime", precision=precision, threads=2, passes="auto")
        assert engine.parallel_calls == calls
    assert options[0].get_session_config_entry("session.intra_op.allow_spinning") == "0"
    with pytest.raises(RuntimeError, match="allow_spinning"):  # there is no such entry
        options[1].get_session_config_entry("session.intra_op.allow_spinning")


@pytest.mark.parametrize("model", ["nano", "compact"])
@pytest.mark.parametrize(("threads", "callers", "inner"), [(2, 2, 1), (3, 2, 2), (1, 2, 1), (3, 1, 3)])
def test_callers_share_the_threads(
    model: str, threads: int, callers: int, inner: int, options: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    passes: Any = "auto" if callers > 1 else 1
    engine = load_engine(model, "onnxruntime", threads=threads, passes=passes, callers=callers)
    assert (engine.parallel_calls, [one.intra_op_num_threads for one in options]) == (1, [inner])


@pytest.mark.parametrize("callers", [0, -1, 1.5, "two"])
def test_callers_that_cannot_be(callers: Any) -> None:
    with pytest.raises(ConfigError, match="it must be a number of threads, at least 1"):
        Deblurrer("nano", callers=callers)


def test_two_callers_get_the_picture_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    views = [np.random.default_rng(seed).random((2, 200, 136, 3), np.float32) for seed in range(8)]
    one, two = Deblurrer("nano", threads=1), Deblurrer("nano", threads=2, callers=2)
    with ThreadPoolExecutor(2) as pool:
        pictures = list(pool.map(lambda pair: two(*pair), views))
    for pair, picture in zip(views, pictures, strict=True):
        np.testing.assert_array_equal(picture, one(*pair))


def test_a_network_of_one_pass_keeps_all_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    network = onnx.load(NANO)
    (entry,) = (entry for entry in network.metadata_props if entry.key == KEY)
    entry.value = entry.value.replace('"tta": 2', '"tta": 1')
    onnx.save(network, tmp_path / "a.onnx")
    assert load_engine(tmp_path / "a.onnx", threads=2, passes="auto").parallel_calls == 1
    assert load_engine(tmp_path / "a.onnx", threads=2, passes=2).parallel_calls == 2


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_other_engines_run_one_pass_after_the_other(engine: str) -> None:
    assert Deblurrer("nano", engine=engine, device="cpu", threads=1).engine.parallel_calls == 1


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("tile", ["auto", 448])
def test_passes_at_the_same_time_make_the_same_picture(
    precision: str, tile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    views = np.random.default_rng(2).random((2, 500, 40, 3), np.float32)
    one, two = (Deblurrer("nano", precision=precision, tile=tile, threads=threads) for threads in (1, 2))
    assert (one.engine.parallel_calls, two.engine.parallel_calls) == (1, 2)
    np.testing.assert_array_equal(one(*views), two(*views))


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    for data in (onnx.load(NANO).SerializeToString()[:100_000], b"text", b""):
        path.write_bytes(data)
        for engine in ("onnxruntime", "auto"):
            with pytest.raises(WeightsError, match=r"a\.onnx .*export"):
                load_engine(path, engine)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_file_of_another_program(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "a.onnx"
    network = onnx.load(NANO)
    onnx.save(network, path)
    assert load_engine(path, engine).description == load_engine("nano", engine).description
    (entry,) = (entry for entry in network.metadata_props if entry.key == KEY)
    for value in ("", "{}", entry.value.replace("dpanet-export-1", "dpanet-export-9")):
        entry.value = value
        onnx.save(network, path)
        with pytest.raises(WeightsError, match="does not say what network it holds"):
            load_engine(path, engine)
    network.metadata_props.remove(entry)
    onnx.save(network, path)
    with pytest.raises(WeightsError, match="does not say what network it holds"):
        load_engine(path, engine)


@pytest.mark.parametrize(
    ("model", "options", "sentence"),
    [
        ("nano", {"engine": "tflite"}, "engine is 'tflite'; it must be auto or one of onnxruntime"),
        ("nano", {"precision": "float16"}, "precision is 'float16'; it must be one of auto"),
        ("nano", {"threads": 0}, "threads is 0; it must be at least 1"),
        ("nano", {"engine": "onnxruntime", "device": "cuda"}, "device is 'cuda', but ONNX Runtime has only cpu"),
        ("nano", {"engine": "onnxruntime", "device": "cuda:1"}, "device is 'cuda:1', but ONNX Runtime has only"),
        ("nano", {"engine": "openvino", "device": "cuda"}, "device is 'cuda'; with OpenVINO it must be auto or cpu"),
        ("nano", {"engine": "onnxruntime", "precision": "bfloat16"}, "it must be one of auto, float32, int8"),
        ("nano", {"engine": "openvino", "precision": "int8"}, "openvino it must be one of auto, float32, bfloat16"),
        ("FILE.safetensors", {"engine": "onnxruntime"}, "is no file that the engine onnxruntime reads; export it"),
        ("FILE.safetensors", {"engine": "openvino"}, "is no file that the engine openvino reads; export it"),
        ("FILE.xml", {"engine": "onnxruntime"}, "is no file that the engine onnxruntime reads; export it"),
        ("FILE.onnx", {"precision": "int8"}, "precision is 'int8', and .* computes in float32 with ONNX Runtime"),
    ],
)  # fmt: skip
def test_what_an_engine_cannot_do(tmp_path: Path, model: str, options: dict[str, Any], sentence: str) -> None:
    if model.startswith("FILE"):
        path = tmp_path / model
        onnx.save(onnx.load(NANO), path, format="protobuf")
        model = str(path)
    with pytest.raises(ConfigError, match=sentence):
        load_engine(model, **options)


_INTERRUPTED = """
import gc, signal, sys, threading, time
from dpanet import Deblurrer
import numpy as np

view = np.full((16, 16, 3), 0.5, np.float32)
loaded = [Deblurrer("nano", engine=sys.argv[1], threads=1)]
loaded[0](view, view)
beside = threading.Thread(target=lambda: (loaded.clear(), gc.collect()))
beside.start()
beside.join()
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    signal.raise_signal(signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals come otherwise there")
@pytest.mark.parametrize("engine", ENGINES)
def test_an_interrupt_after_another_thread_freed_the_engine(engine: str) -> None:
    ended = subprocess.run([sys.executable, "-c", _INTERRUPTED, engine], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "interrupted\n"), ended.stderr


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
@pytest.mark.parametrize("model", ["nono", "nosuch.onnx", "nosuch.safetensors"])
def test_a_model_that_does_not_exist(engine: str, model: str) -> None:
    with pytest.raises(WeightsError, match=f"there is no model '{model}'; name a shipped one"):
        load_engine(model, engine)


def test_int8_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def float_alone(name: str, suffix: str) -> Path:
        return tmp_path / "none" if suffix == "-int8.onnx" else NANO

    monkeypatch.setattr(choose_engine, "shipped_file", float_alone)
    with pytest.raises(ConfigError, match="precision is 'int8', and nano computes in float32"):
        load_engine("nano", "onnxruntime", precision="int8")
    assert load_engine("nano", "onnxruntime").precision == "float32"


def test_openvino_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dpanet.engines.openvino_engine", raising=False)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(
        MissingPackageError,
        match=r"the extra openvino .openvino is missing.*pip install -c constraints\.txt '\.\[openvino\]",
    ):
        load_engine("nano", "openvino")


def test_a_device_that_the_build_has_and_the_machine_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda path, options, providers: session(path, options, providers=["CPUExecutionProvider"]),
    )
    with pytest.raises(ConfigError, match="device is 'cuda', but ONNX Runtime cannot use it here"):
        load_engine("nano", "onnxruntime", device="cuda")


@pytest.mark.parametrize(
    ("model", "device", "precision", "engine"),
    [
        ("nano", "auto", "auto", "onnxruntime"),
        ("nano", "cpu", "int8", "onnxruntime"),
        ("nano", "cuda:0", "auto", "torch"),
        ("nano", "mps", "auto", "torch"),
        ("nano", "cpu", "bfloat16", "openvino"),
        ("a.onnx", "cuda", "auto", "onnxruntime"),
        ("a.XML", "auto", "auto", "openvino"),
        ("a.safetensors", "auto", "auto", "torch"),
    ],
)
def test_the_engine_of_auto(
    model: str, device: str, precision: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose_engine, "_is_installed", lambda package: package == "openvino")
    assert choose_engine._choose(model, device, precision) == engine


def test_the_processor(tmp_path: Path) -> None:
    cpuinfo, other = tmp_path / "cpuinfo", tmp_path / "other"
    cpuinfo.write_text("processor : 0\nflags\t\t: fpu avx512_vnni amx_bf16\n\nprocessor : 1\nflags : fpu\n")
    assert instruction_sets(cpuinfo) == {"fpu", "avx512_vnni", "amx_bf16"}
    other.write_text("Features : fp asimddp bf16\n")
    assert instruction_sets(other) == {"fp", "asimddp", "bf16"}
    assert instruction_sets(tmp_path / "none") == frozenset()
    assert count_cores() >= 1


def test_providers_have_one_name_each() -> None:
    assert len(set(onnx_engine.PROVIDERS.values())) == len(onnx_engine.PROVIDERS)
