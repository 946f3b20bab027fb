import errno
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import dpanet.datasets.dpdd_patches as dpdd_patches
from dpanet.datasets import open_dataset
from dpanet.datasets.dpdd_patches import PatchFolder, open_splits
from dpanet.datasets.patch_rule import CUTS, select_windows
from dpanet.errors import DatasetError, OutputError, UnreadableImageError
from dpanet.images.reading import read_codes

SIDE = 40
NAMES = {"train": ((984, 985), (917, 916)), "val": ((1002, 1001),)}


@pytest.fixture(scope="module")
def dpdd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes to train on, one to validate on; 470 x 260 px; a test split that nobody may read."""
    root, rng = tmp_path_factory.mktemp("DPDD"), np.random.default_rng(5)
    for split, names in NAMES.items():
        for name, truth in names:
            for path in (f"c/source/1P0A{name:04}", f"l/source/1P0A{name:04}_L", f"r/source/1P0A{name:04}_R",
                         f"c/target/1P0A{truth:04}"):  # fmt: skip
                file = root / f"{split}_{path}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                blocks = rng.integers(0, 65536, (26, 47, 3), dtype=np.uint16)
                assert cv2.imwrite(str(file), blocks.repeat(10, axis=0).repeat(10, axis=1))
    (root / "test_c" / "source").mkdir(parents=True)
    (root / "test_c" / "source" / "1P0A0001.png").write_bytes(b"not for training")
    return root


@pytest.fixture
def own(dpdd: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    for path in dpdd.rglob("*.png"):
        copy = tmp_path / "DPDD" / path.relative_to(dpdd)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path / "DPDD"


def prepare(
    root: Path, output: Path, threads: int = 1, done: Callable[[], None] = lambda: None
) -> PatchFolder:
    folder = PatchFolder(output, open_splits(root, SIDE), SIDE)
    folder.fill(threads, done)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def whole(dpdd: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run that nobody stopped leaves."""
    output = tmp_path_factory.mktemp("whole") / "PATCHES"
    prepare(dpdd, output)
    return contents(output)


def test_patches_are_the_pictures_codes_and_lie_as_pairs(dpdd: Path, tmp_path: Path) -> None:
    folder = prepare(dpdd, tmp_path / "PATCHES", threads=2)
    assert sorted(p.name for p in (tmp_path / "PATCHES").iterdir()) == [
        ".lock",
        "settings.json",
        "train",
        "val",
    ]
    for split, names in NAMES.items():
        scenes = {
            scene.name: scene for scene in open_dataset(tmp_path / "PATCHES" / split, "pairs", bits=16).scenes
        }
        assert len(scenes) == folder.count_patches(split)
        expected = set()
        for name, truth in names:
            views = (f"l/source/1P0A{name:04}_L", f"r/source/1P0A{name:04}_R", f"c/target/1P0A{truth:04}")
            files = [dpdd / f"{split}_{view}.png" for view in views]
            codes = [read_codes(file) for file in files]
            for (top, left), _ in select_windows(codes[2], CUTS[split], SIDE):
                patch = f"1P0A{name:04}_{top:04}_{left:04}"
                expected.add(patch)
                for made, picture in zip(scenes[patch].pictures, codes, strict=True):
                    read = read_codes(made)
                    assert read.dtype == np.uint16
                    np.testing.assert_array_equal(read, picture[top : top + SIDE, left : left + SIDE])
        assert set(scenes) == expected


def test_a_share_is_dropped_from_training_alone(whole: dict[str, bytes]) -> None:
    """470 x 260 px give starts 0, 204, 408, 430 by 0, 204, 220 in train and 0, 430 by 0, 220 in val."""
    count = {
        split: sum(p.startswith(f"{split}/") and p.endswith("_sharp.png") for p in whole) for split in NAMES
    }
    assert count == {"train": 2 * (12 - 3), "val": 4}
    lines = [json.loads(line) for line in whole["train/patches.jsonl"].splitlines()]
    assert [line["picture"] for line in lines] == ["1P0A0917", "1P0A0984"]
    assert max(max(line["patches"].values()) for line in lines) <= 1


def test_the_same_bytes_again_whatever_the_threads(
    dpdd: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    prepare(dpdd, tmp_path / "PATCHES", threads=4)
    assert contents(tmp_path / "PATCHES") == whole
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "PATCHES").rglob("*.png")}
    assert not PatchFolder(tmp_path / "PATCHES", open_splits(dpdd, SIDE), SIDE).missing()
    prepare(dpdd, tmp_path / "PATCHES")
    assert times == {p: p.stat().st_mtime_ns for p in (tmp_path / "PATCHES").rglob("*.png")}


class Killed(BaseException):
    """The process ends here; nothing catches it."""


@pytest.mark.parametrize("after", [0, 1, 14, 28, 54, 55, 68])
def test_a_run_killed_after_any_file_ends_with_the_same_bytes(
    dpdd: Path, tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    output, written, write = tmp_path / "PATCHES", 0, dpdd_patches._write

    def fragile(path: Path, data: bytes) -> None:
        nonlocal written
        if written == after:
            stray = path.with_name(f".dpanet-0123456789abcdef.partial{path.suffix}")  # as kill -9 leaves it
            stray.write_bytes(data[:9])
            raise Killed
        written += 1
        write(path, data)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(dpdd_patches, "_write", fragile)
        prepare(dpdd, output)
    for split in NAMES:
        if (output / split).exists():
            inside = {p for p in contents(output) if p.startswith(f"{split}/")}
            assert inside == {p for p in whole if p.startswith(f"{split}/")}, (
                "a split without a name is whole"
            )
    pictures = []
    prepare(dpdd, output, done=lambda: pictures.append(1))
    assert contents(output) == whole
    assert len(pictures) <= 3 - (after >= 28) - (after >= 55) - (after >= 68), (
        "what was finished is not made again"
    )


def test_a_patch_that_vanished_is_made_again(dpdd: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    folder = prepare(dpdd, tmp_path / "PATCHES")
    next((tmp_path / "PATCHES" / "train").glob("*_right.png")).unlink()
    assert len(folder.missing()) == 1
    prepare(dpdd, tmp_path / "PATCHES")
    assert contents(tmp_path / "PATCHES") == whole


def test_all_problems_of_both_splits_are_told_at_once(own: Path, tmp_path: Path) -> None:
    (own / "train_r/source/1P0A0984_R.png").unlink()
    for path in ("c/source/1P0A1002", "l/source/1P0A1002_L", "r/source/1P0A1002_R", "c/target/1P0A1001"):
        cv2.imwrite(str(own / f"val_{path}.png"), np.zeros((300, 39, 3), np.uint16))
    with pytest.raises(DatasetError) as caught:
        open_splits(own, SIDE)
    assert "train_r/source/1P0A0984_R.png is missing" in caught.value.problems
    assert "val_c/target/1P0A1001.png is 39 x 300 px, under a patch's 40" in caught.value.problems
    assert str(caught.value).count("mend the files") == 1


@pytest.mark.parametrize(("shape", "kind", "told"), [
    ((260, 470), np.uint16, "1P0A1001.png has 1 channels where 3 are expected"),
    ((260, 470, 3), np.uint8, "1P0A1001.png has 8 bits where 16 are expected"),
])  # fmt: skip
def test_another_kind_of_picture_is_told(own: Path, shape: tuple[int, ...], kind: type, told: str) -> None:
    cv2.imwrite(str(own / "val_c/target/1P0A1001.png"), np.zeros(shape, kind))
    with pytest.raises(DatasetError, match=told):
        open_splits(own, SIDE)


def test_no_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere does not exist; give the folder of DPDD"):
        open_splits(tmp_path / "nowhere")


def test_a_damaged_picture_is_named_and_the_others_kept(
    own: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    file = own / "train_l/source/1P0A0984_L.png"
    good = file.read_bytes()
    file.write_bytes(good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
    with pytest.raises(UnreadableImageError, match=r"1P0A0984_L\.png is a .*damaged PNG"):
        prepare(own, tmp_path / "PATCHES")
    assert not (tmp_path / "PATCHES" / "train").exists()
    file.write_bytes(good)
    pictures = []
    prepare(own, tmp_path / "PATCHES", done=lambda: pictures.append(1))
    assert len(pictures) == 2
    assert contents(tmp_path / "PATCHES") == whole


def test_a_full_disk_is_one_sentence(
    dpdd: Path, tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = Path.write_bytes, 9

    def full(path: Path, data: bytes) -> int:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, data)

    with monkeypatch.context() as patched, pytest.raises(OutputError, match="No space left on device"):
        patched.setattr(Path, "write_bytes", full)
        prepare(dpdd, tmp_path / "PATCHES", threads=3)
    assert [p.name for p in (tmp_path / "PATCHES").rglob(".*")] == [".lock"], "nothing half-written"
    prepare(dpdd, tmp_path / "PATCHES")
    assert contents(tmp_path / "PATCHES") == whole


def test_only_one_process_writes_to_a_folder(dpdd: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    splits = open_splits(dpdd, SIDE)
    first = PatchFolder(tmp_path / "PATCHES", splits, SIDE)
    stray = tmp_path / "PATCHES" / "train.unfinished" / ".dpanet-0123456789abcdef.partial.png"
    stray.write_bytes(b"it is writing this")
    with pytest.raises(OutputError, match=r"another process writes to .*PATCHES; wait for its end"):
        PatchFolder(tmp_path / "PATCHES", splits, SIDE)
    assert stray.exists()
    stray.unlink()
    first.fill()
    assert contents(tmp_path / "PATCHES") == whole
    assert not PatchFolder(tmp_path / "PATCHES", splits, SIDE).missing()


def test_a_folder_of_something_else_is_refused(own: Path, tmp_path: Path) -> None:
    splits = open_splits(own, SIDE)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="mine holds other files"):
        PatchFolder(tmp_path / "mine", splits)
    with pytest.raises(OutputError, match=r"letter\.txt is a file"):
        PatchFolder(tmp_path / "mine" / "letter.txt", splits)
    PatchFolder(tmp_path / "PATCHES", splits, SIDE)
    with pytest.raises(OutputError, match="cut in another way"):
        PatchFolder(tmp_path / "PATCHES", splits, SIDE - 2)
    cv2.imwrite(str(own / "train_c/target/1P0A0916.png"), np.ones((260, 470, 3), np.uint16))
    with pytest.raises(OutputError, match="patches of other pictures"):
        PatchFolder(tmp_path / "PATCHES", open_splits(own, SIDE), SIDE)
