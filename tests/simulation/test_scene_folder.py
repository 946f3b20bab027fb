import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dpanet.errors import DatasetError, OutputError
from dpanet.images.defocus import read_defocus_map
from dpanet.images.reading import read_codes
from dpanet.simulation.config import Psf, SimulationConfig, config_of
from dpanet.simulation.generator import SceneGenerator
from dpanet.simulation.photo_cache import find_photographs
from dpanet.simulation.replay import replay
from dpanet.simulation.scene_config import SceneConfig
from dpanet.simulation.scene_folder import SceneFolder, encode_scene, scene_files
from dpanet.simulation.workers import make_scenes, suitable_workers


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(3):
        codes = np.random.default_rng(seed).integers(0, 256, (90, 110, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{seed}.png"), cv2.GaussianBlur(codes, (0, 0), 2))
    return folder


@pytest.fixture(scope="module")
def recipe(photographs: Path) -> SimulationConfig:
    return SimulationConfig(find_photographs(photographs), seed=4, size=32)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(recipe: SimulationConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "scenes"
    make_scenes(recipe, SceneFolder(folder, recipe.identity()), 5)
    return folder


def test_two_workers_write_the_same_bytes_as_one(
    recipe: SimulationConfig, made: Path, tmp_path: Path
) -> None:
    told = []
    held = SceneFolder(tmp_path / "two", recipe.identity())
    make_scenes(recipe, held, 5, 2, lambda line: told.append(line["index"]))
    assert sorted(told) == [0, 1, 2, 3, 4]
    assert files(tmp_path / "two") == files(made)


def test_what_is_written(made: Path, recipe: SimulationConfig) -> None:
    names = {f"{i:06d}_{part}.png" for i in range(5) for part in ("left", "right", "sharp")}
    assert set(files(made)) == names | {"settings.json", "scenes.jsonl", ".lock"} | {
        f"defocus/{i:06d}.png" for i in range(5)
    }
    scene = SceneGenerator(recipe).scene(3)
    found = read_codes(made / "000003_right.png")
    assert found.dtype == np.uint16
    np.testing.assert_allclose(found / 65535, scene.right.permute(1, 2, 0).numpy(), atol=1e-5)
    radius = read_defocus_map(read_codes(made / "defocus" / "000003.png"))
    np.testing.assert_allclose(radius, scene.radius.numpy(), atol=1e-3)


def test_another_seed_and_another_number_are_other_scenes(recipe: SimulationConfig) -> None:
    other = SimulationConfig(recipe.photographs, seed=5, size=32)
    pictures = {
        encode_scene(SceneGenerator(r).scene(index))["left"] for r in (recipe, other) for index in (0, 1)
    }
    assert len(pictures) == 4


def test_a_scene_does_not_depend_on_those_before_it(recipe: SimulationConfig) -> None:
    studio = SceneGenerator(recipe)
    for index in (2, 0, 2):
        last = encode_scene(studio.scene(index))
    assert last == encode_scene(SceneGenerator(recipe).scene(2))


def test_a_stored_scene_replays_exactly(made: Path, photographs: Path) -> None:
    again = encode_scene(replay(made, "000002", photographs))
    stored = {part: path.read_bytes() for part, path in scene_files(made, "000002").items()}
    assert again == stored
    with pytest.raises(DatasetError, match="no finished scene 000009"):
        replay(made, "000009", photographs)


@pytest.fixture(scope="module")
def lens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lens")
    x = np.exp(-((np.arange(61) - 27) ** 2) / 60)
    np.save(folder / "blur_kernels_left.npy", (x * x[:, None])[None])
    np.save(folder / "blur_kernels_right.npy", (x[::-1] * x[:, None])[None])
    return folder


def test_scenes_through_measured_kernels_replay_from_their_folder(
    photographs: Path, lens: Path, tmp_path: Path
) -> None:
    """In whole steps, too; and it is told what the caller has to name."""
    scenes = SceneConfig(quantized=1.0)
    recipe = SimulationConfig(find_photographs(photographs), 4, 32, Psf("measured", lens), scenes)
    make_scenes(recipe, SceneFolder(tmp_path, recipe.identity()), 2)
    stored = {part: path.read_bytes() for part, path in scene_files(tmp_path, "000001").items()}
    assert encode_scene(replay(tmp_path, "000001", photographs, lens)) == stored
    with pytest.raises(DatasetError, match="was made with measured kernels; name their folder"):
        replay(tmp_path, "000001", photographs)


def test_a_folder_of_before_replays_as_it_was_made(photographs: Path, lens: Path, tmp_path: Path) -> None:
    """Its settings know no share of quantized readings, and not all the packages that are noted now."""
    then = SimulationConfig(
        find_photographs(photographs), 4, 32, Psf("measured", lens), SceneConfig(quantized=0.0)
    )
    make_scenes(then, SceneFolder(tmp_path, then.identity()), 3)
    stored = [
        {part: path.read_bytes() for part, path in scene_files(tmp_path, f"{i:06d}").items()}
        for i in range(3)
    ]
    settings = json.loads((tmp_path / "settings.json").read_text())
    del settings["scenes"]["quantized"], settings["versions"]["scipy"]
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    again = [encode_scene(replay(tmp_path, f"{i:06d}", photographs, lens)) for i in range(3)]
    assert again == stored
    now = replace(then, scenes=SceneConfig(quantized=1.0))
    assert [encode_scene(SceneGenerator(now).scene(i)) for i in range(3)] != stored, "the share does matter"
    with pytest.raises(OutputError, match=r"made with other scenes\.quantized"):
        SceneFolder(tmp_path, now.identity())
    settings["versions"]["torch"] = "1.0"
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(DatasetError, match=r"made with other versions\.torch"):
        replay(tmp_path, "000000", photographs, lens)


def test_only_one_process_writes_to_a_folder(recipe: SimulationConfig, tmp_path: Path) -> None:
    first = SceneFolder(tmp_path, recipe.identity())
    (tmp_path / ".000004_left-0123abcd.png").write_bytes(b"it is writing this")
    for identity, overwrite in ((recipe.identity(), False), ({**recipe.identity(), "seed": 9}, True)):
        with pytest.raises(OutputError, match=r"another process writes to .*; wait for its end"):
            SceneFolder(tmp_path, identity, overwrite)
    assert (tmp_path / ".000004_left-0123abcd.png").exists()
    first.close()
    again = SceneFolder(tmp_path, recipe.identity())
    assert not (tmp_path / ".000004_left-0123abcd.png").exists()
    make_scenes(recipe, again, 1)
    SceneFolder(tmp_path, recipe.identity()).close()


def test_replaying_from_other_photographs_is_refused(made: Path, photographs: Path, tmp_path: Path) -> None:
    for path in photographs.iterdir():
        codes = cv2.imread(str(path))
        cv2.imwrite(str(tmp_path / path.name), codes[::-1])
    lines = [json.loads(text) for text in (made / "scenes.jsonl").read_text().splitlines()]
    name = next(line["name"] for line in lines if line["photographs"])
    with pytest.raises(DatasetError, match="not the file that scene"):
        replay(made, name, tmp_path)


def test_a_run_goes_on_with_what_is_missing(recipe: SimulationConfig, made: Path, tmp_path: Path) -> None:
    """A line cut off, a picture gone, a stray half of a file: as after a kill."""
    folder = tmp_path / "scenes"
    make_scenes(recipe, SceneFolder(folder, recipe.identity()), 4)
    journal = folder / "scenes.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    (folder / "000001_sharp.png").unlink()
    (folder / ".000004_left-0123abcd.png").write_bytes(b"half")
    told = []
    make_scenes(recipe, SceneFolder(folder, recipe.identity()), 5, 1, lambda line: told.append(line["index"]))
    assert told == [1, 3, 4]
    assert files(folder) == files(made)


def test_a_folder_of_other_scenes_is_left_alone_unless_told(recipe: SimulationConfig, tmp_path: Path) -> None:
    make_scenes(recipe, SceneFolder(tmp_path / "s", recipe.identity()), 2)
    before = files(tmp_path / "s")
    other = SimulationConfig(recipe.photographs, seed=5, size=32)
    with pytest.raises(OutputError, match=r"other seed.*--overwrite"):
        SceneFolder(tmp_path / "s", other.identity())
    assert files(tmp_path / "s") == before
    make_scenes(other, SceneFolder(tmp_path / "s", other.identity(), overwrite=True), 1)
    assert len(files(tmp_path / "s")) == 7


def test_a_folder_of_other_files_is_refused(recipe: SimulationConfig, tmp_path: Path) -> None:
    (tmp_path / "mine_left.png").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="holds other files"):
            SceneFolder(tmp_path, recipe.identity(), overwrite)
    with pytest.raises(OutputError, match="is a file"):
        SceneFolder(tmp_path / "mine_left.png", recipe.identity())
    assert set(files(tmp_path)) == {"mine_left.png"}


def test_an_identity_is_plain_and_comes_back(photographs: Path, tmp_path: Path) -> None:
    for side in ("left", "right"):
        np.save(tmp_path / f"blur_kernels_{side}.npy", np.ones((1, 3, 3)))
    measured = SimulationConfig(find_photographs(photographs), 1, 64, Psf.parse(f"measured:{tmp_path}"))
    plain = json.loads(json.dumps(measured.identity()))
    assert plain == measured.identity()
    assert config_of(plain, photographs, tmp_path) == measured
    np.save(tmp_path / "blur_kernels_left.npy", np.eye(3)[None])
    assert measured.identity()["psf"] != plain["psf"], "other kernels are another lens"


def test_few_scenes_are_not_worth_a_process() -> None:
    assert suitable_workers(0) == suitable_workers(20) == 1
    assert suitable_workers(10**6) >= 1


def test_a_folder_that_was_begun_without_a_scene_does_not_stand_in_the_way(
    photographs: Path, recipe: SimulationConfig, tmp_path: Path
) -> None:
    """What was refused, such as too strong a lens, is given again with other settings."""
    SceneFolder(tmp_path, {**recipe.identity(), "psf": "another"})
    held = SceneFolder(tmp_path, recipe.identity())
    make_scenes(recipe, held, 1)
    with pytest.raises(OutputError, match="holds scenes made with other psf"):
        SceneFolder(tmp_path, {**recipe.identity(), "psf": "another"})
