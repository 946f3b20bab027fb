import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dpanet.datasets.photographs import find_photographs
from dpanet.errors import DatasetError, OutputError
from dpanet.images.defocus_map import decode_defocus_map
from dpanet.images.reading import read_codes
from dpanet.simulation.config import PsfConfig, SimulationConfig, config_from_identity
from dpanet.simulation.generator import SceneGenerator
from dpanet.simulation.replay import replay
from dpanet.simulation.scene_config import SceneConfig
from dpanet.simulation.scene_folder import SceneFolder, encode_scene, scene_files
from dpanet.simulation.thin_lens import ThinLens
from dpanet.simulation.workers import default_workers, write_scenes

UNCOMPRESSED = [cv2.IMWRITE_PNG_COMPRESSION, 0]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(3):
        codes = np.random.default_rng(seed).integers(0, 256, (90, 110, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{seed}.png"), cv2.GaussianBlur(codes, (0, 0), 2), UNCOMPRESSED)
    return folder


@pytest.fixture(scope="module")
def config(photographs: Path) -> SimulationConfig:
    return SimulationConfig(find_photographs(photographs), seed=4, size=32)


@pytest.fixture(scope="module")
def other(config: SimulationConfig) -> SimulationConfig:
    return replace(config, seed=5)


@pytest.fixture(scope="module")
def scenes(config: SimulationConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of five scenes."""
    folder = tmp_path_factory.mktemp("simulated") / "scenes"
    write_scenes(config, SceneFolder(folder, config), 5)
    return folder


@pytest.fixture(scope="module")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibration")
    x = np.exp(-((np.arange(61) - 27) ** 2) / 60)
    np.save(folder / "blur_kernels_left.npy", (x * x[:, None])[None])
    np.save(folder / "blur_kernels_right.npy", (x[::-1] * x[:, None])[None])
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def stored(folder: Path, name: str) -> dict[str, bytes]:
    return {part: path.read_bytes() for part, path in scene_files(folder, name).items()}


def test_two_workers_write_the_same_bytes_as_one(
    config: SimulationConfig, scenes: Path, tmp_path: Path
) -> None:
    written: list[int] = []
    write_scenes(config, SceneFolder(tmp_path / "two", config), 5, 2, written.append)
    assert sorted(written) == [0, 1, 2, 3, 4]
    assert files(tmp_path / "two") == files(scenes)


def test_the_files_of_a_folder(scenes: Path, config: SimulationConfig) -> None:
    names = {f"{i:06d}_{part}.png" for i in range(5) for part in ("left", "right", "sharp")}
    assert set(files(scenes)) == names | {"settings.json", "scenes.jsonl", ".lock"} | {
        f"defocus/{i:06d}.png" for i in range(5)
    }
    scene = SceneGenerator(config).generate(3)
    codes = read_codes(scenes / "000003_right.png")
    assert codes.dtype == np.uint16
    np.testing.assert_allclose(codes / 65535, scene.right.permute(1, 2, 0).numpy(), atol=1e-5)
    radius = decode_defocus_map(read_codes(scenes / "defocus" / "000003.png"))
    np.testing.assert_allclose(radius, scene.radius.numpy(), atol=1e-3)


def test_another_seed_and_another_number_are_other_scenes(
    config: SimulationConfig, other: SimulationConfig
) -> None:
    pictures = {
        encode_scene(SceneGenerator(c).generate(index))["left"] for c in (config, other) for index in (0, 1)
    }
    assert len(pictures) == 4


def test_a_scene_does_not_depend_on_those_before_it(config: SimulationConfig) -> None:
    generator = SceneGenerator(config)
    for index in (2, 0, 2):
        last = encode_scene(generator.generate(index))
    assert last == encode_scene(SceneGenerator(config).generate(2))


def test_a_stored_scene_replays_exactly(scenes: Path, photographs: Path) -> None:
    assert encode_scene(replay(scenes, "000002", photographs)) == stored(scenes, "000002")
    with pytest.raises(DatasetError, match="no finished scene 000009"):
        replay(scenes, "000009", photographs)


def test_scenes_through_measured_kernels_replay_from_their_folder(
    photographs: Path, calibration: Path, tmp_path: Path
) -> None:
    """In whole steps, too; without the folder of the kernels, the error names it."""
    measured = PsfConfig("measured", calibration)
    config = SimulationConfig(find_photographs(photographs), 4, 32, measured, SceneConfig(quantized=1.0))
    write_scenes(config, SceneFolder(tmp_path, config), 2)
    assert encode_scene(replay(tmp_path, "000001", photographs, calibration)) == stored(tmp_path, "000001")
    with pytest.raises(DatasetError, match="was made with measured kernels; name their folder"):
        replay(tmp_path, "000001", photographs)


def test_scenes_through_the_pixel4_need_no_files(photographs: Path, tmp_path: Path) -> None:
    config = SimulationConfig(find_photographs(photographs), 4, 32, PsfConfig.parse("pixel4"))
    write_scenes(config, SceneFolder(tmp_path, config), 2)
    assert encode_scene(replay(tmp_path, "000001", photographs)) == stored(tmp_path, "000001")
    ideal = SceneGenerator(replace(config, psf=PsfConfig())).generate(1)
    assert encode_scene(ideal) != stored(tmp_path, "000001")


def test_replaying_with_another_version_is_refused(
    config: SimulationConfig, photographs: Path, tmp_path: Path
) -> None:
    write_scenes(config, SceneFolder(tmp_path, config), 1)
    identity = json.loads((tmp_path / "settings.json").read_text())
    identity["versions"]["torch"] = "1.0"
    (tmp_path / "settings.json").write_text(json.dumps(identity))
    with pytest.raises(DatasetError, match=r"made with other versions\.torch"):
        replay(tmp_path, "000000", photographs)
    with pytest.raises(OutputError, match=r"made with versions\.torch"):
        SceneFolder(tmp_path, config)


def test_only_one_process_writes_to_a_folder(
    config: SimulationConfig, other: SimulationConfig, tmp_path: Path
) -> None:
    first = SceneFolder(tmp_path, config)
    for second, overwrite in ((config, False), (other, True)):
        with pytest.raises(OutputError, match=r"another process writes to .*; wait for its end"):
            SceneFolder(tmp_path, second, overwrite)
    first.close()
    write_scenes(config, SceneFolder(tmp_path, config), 1)
    SceneFolder(tmp_path, config).close()


def test_replaying_from_other_photographs_is_refused(scenes: Path, photographs: Path, tmp_path: Path) -> None:
    for path in photographs.iterdir():
        cv2.imwrite(str(tmp_path / path.name), cv2.imread(str(path))[::-1], UNCOMPRESSED)
        assert (tmp_path / path.name).stat().st_size == path.stat().st_size
    lines = [json.loads(text) for text in (scenes / "scenes.jsonl").read_text().splitlines()]
    name = next(line["name"] for line in lines if line["value"]["sources"])
    with pytest.raises(DatasetError, match="is not what scene"):
        replay(scenes, name, tmp_path)
    (tmp_path / "1.png").unlink()
    with pytest.raises(DatasetError, match=r"1\.png is missing"):
        replay(scenes, name, tmp_path)


def test_a_run_goes_on_with_what_is_missing(config: SimulationConfig, scenes: Path, tmp_path: Path) -> None:
    """A line cut off, a picture gone, half of a file: as after a kill."""
    folder = tmp_path / "scenes"
    write_scenes(config, SceneFolder(folder, config), 4)
    log = folder / "scenes.jsonl"
    log.write_bytes(log.read_bytes()[:-30])
    (folder / "000001_sharp.png").unlink()
    written: list[int] = []
    write_scenes(config, SceneFolder(folder, config), 5, 1, written.append)
    assert written == [1, 3, 4]
    assert files(folder) == files(scenes)


def test_lines_of_the_log_that_are_no_scenes_are_dropped(
    config: SimulationConfig, scenes: Path, tmp_path: Path
) -> None:
    write_scenes(config, SceneFolder(tmp_path, config), 5)
    with (tmp_path / "scenes.jsonl").open("a") as log:
        for value in (3, {}, {"index": "2"}):
            log.write(json.dumps({"name": "000900", "key": "k", "value": value, "files": []}) + "\n")
    SceneFolder(tmp_path, config).close()
    assert files(tmp_path) == files(scenes)


def test_a_folder_of_other_scenes_is_left_alone_without_overwrite(
    config: SimulationConfig, other: SimulationConfig, tmp_path: Path
) -> None:
    write_scenes(config, SceneFolder(tmp_path / "s", config), 2)
    before = files(tmp_path / "s")
    with pytest.raises(OutputError, match=r"made with seed \d+, not \d+; .*--overwrite"):
        SceneFolder(tmp_path / "s", other)
    assert files(tmp_path / "s") == before
    for part in ("left", "right", "sharp"):  # of a scene that was not finished
        (tmp_path / "s" / f"000007_{part}.png").write_bytes(b"png")
    (tmp_path / "s" / "cover_left.png").write_bytes(b"the user's")
    write_scenes(other, SceneFolder(tmp_path / "s", other, overwrite=True), 1)
    left = {name for name in files(tmp_path / "s") if not name.startswith(("000000", "defocus/000000"))}
    assert left == {"settings.json", "scenes.jsonl", ".lock", "cover_left.png"}


def test_a_folder_of_other_files_is_refused(config: SimulationConfig, tmp_path: Path) -> None:
    (tmp_path / "mine_left.png").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="holds other files"):
            SceneFolder(tmp_path, config, overwrite)
    with pytest.raises(OutputError, match="is a file"):
        SceneFolder(tmp_path / "mine_left.png", config)
    assert set(files(tmp_path)) == {"mine_left.png"}


def test_a_damaged_config_is_named(config: SimulationConfig, tmp_path: Path) -> None:
    write_scenes(config, SceneFolder(tmp_path, config), 1)
    for text in ("{", "[]"):
        (tmp_path / "settings.json").write_text(text)
        with pytest.raises(OutputError, match=r"settings\.json is damaged"):
            SceneFolder(tmp_path, config, overwrite=True)


def test_other_photographs_of_the_same_names_are_not_mixed_with_the_first(
    photographs: Path, tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    for path in photographs.iterdir():
        (copies / path.name).write_bytes(path.read_bytes())
    config = SimulationConfig(find_photographs(copies), seed=4, size=32)
    write_scenes(config, SceneFolder(tmp_path / "scenes", config), 1)
    cv2.imwrite(str(copies / "1.png"), np.zeros((90, 111, 3), np.uint8), UNCOMPRESSED)
    with pytest.raises(OutputError, match="made with other photographs"):
        SceneFolder(tmp_path / "scenes", config)


def test_a_scene_whose_depth_map_was_edited_is_simulated_again(photographs: Path, tmp_path: Path) -> None:
    maps = tuple(tmp_path / f"{place}.npy" for place in range(3))
    for path in maps:
        np.save(path, np.full((90, 110), 2.5))
    lens = ThinLens(50, 2, 2, pitch=25)
    config = SimulationConfig(find_photographs(photographs), seed=4, size=None, depth_maps=maps, lens=lens)
    folder = tmp_path / "scenes"
    write_scenes(config, SceneFolder(folder, config), 3)
    before = files(folder)
    np.save(maps[1], np.full((90, 110), 3.0))
    written: list[int] = []
    write_scenes(config, SceneFolder(folder, config), 3, 1, written.append)
    assert written == [1]
    changed = {name for name, data in files(folder).items() if data != before[name]}
    assert changed == {"000001_left.png", "000001_right.png", "defocus/000001.png", "scenes.jsonl"}
    assert encode_scene(replay(folder, "000001", photographs, depth=tmp_path)) == stored(folder, "000001")


def test_an_identity_is_plain_and_comes_back(photographs: Path, tmp_path: Path) -> None:
    for side in ("left", "right"):
        np.save(tmp_path / f"blur_kernels_{side}.npy", np.ones((1, 3, 3)))
    measured = SimulationConfig(find_photographs(photographs), 1, 64, PsfConfig.parse(f"measured:{tmp_path}"))
    plain = json.loads(json.dumps(measured.identity()))
    assert plain == measured.identity()
    assert config_from_identity(plain, photographs, tmp_path) == measured
    np.save(tmp_path / "blur_kernels_left.npy", np.eye(3)[None])
    assert measured.identity()["psf"] != plain["psf"], "other kernels are another lens"


def test_few_scenes_are_not_worth_a_worker() -> None:
    assert default_workers(0) == default_workers(20) == 1
    assert default_workers(10**6) >= 1


def test_a_folder_without_a_finished_scene_takes_another_config(
    config: SimulationConfig, other: SimulationConfig, tmp_path: Path
) -> None:
    """After a refusal, such as of too strong a lens, the command is given again with other options."""
    SceneFolder(tmp_path, other).close()
    write_scenes(config, SceneFolder(tmp_path, config), 1)
    with pytest.raises(OutputError, match=r"holds scenes made with seed \d+, not \d+;"):
        SceneFolder(tmp_path, other)
