"""A CR2 written by hand, through LibRaw to developed views; it has neither masked pixels nor maker notes."""

from pathlib import Path

import numpy as np
import pytest
from camera_raw.cr2_by_hand import write_cr2
from camera_raw.dng_by_hand import WHITE, frames_of

from dpanet.camera_raw.frames import open_raw_file
from dpanet.camera_raw.reading import read_raw_file
from dpanet.containers.exif import camera, orientation, parse_exif
from dpanet.containers.raw_file import is_raw_file
from dpanet.errors import DpanetError, ImageWarning, PairError
from dpanet.images.encoding import srgb_to_linear


@pytest.fixture
def frames(scene) -> list[np.ndarray]:
    left, right = (view[:96, :128] for view in scene)
    return frames_of(left, right, black=0)


def test_both_frames_arrive_as_written(frames, tmp_path: Path) -> None:
    file = open_raw_file(write_cr2(tmp_path / "IMG_1.CR2", frames))
    assert len(file.frames) == 2 and file.frames[0].white == WHITE
    for frame, codes in zip(file.frames, frames, strict=True):
        np.testing.assert_array_equal(frame.codes, codes)


def test_the_views_are_those_of_the_frames(frames, tmp_path: Path) -> None:
    file = write_cr2(tmp_path / "IMG_1.CR2", frames, orientation=6)
    assert is_raw_file(file)
    with pytest.warns(ImageWarning, match="no black level"):
        pair = read_raw_file(file)
    assert pair.left.shape == (96, 128, 3)
    green = [(frames[1] / WHITE * 2)[::2, 1::2], ((frames[0] - frames[1]) / WHITE * 2)[::2, 1::2]]
    light = [srgb_to_linear(view).mean(2)[::2, 1::2] for view in (pair.left, pair.right)]
    for view, same, other in ((0, 0, 1), (1, 1, 0)):  # the light of each view follows its own frame
        own, crossed = (np.corrcoef(light[view].ravel(), green[side].ravel())[0, 1] for side in (same, other))
        assert own > 0.9 and own > crossed
    exif = pair.metadata["exif"]
    assert camera(exif) == ("Canon", "Canon EOS 5D Mark IV") and orientation(exif) == 6
    numbers = {tag.number for tag in parse_exif(exif).main}
    assert 306 in numbers and not numbers & {256, 273, 279, 50752}


def test_one_frame_is_refused(frames, tmp_path: Path) -> None:
    with pytest.raises(PairError, match="Dual Pixel RAW off"):
        read_raw_file(write_cr2(tmp_path / "a.cr2", frames[:1]))


def test_equal_frames_are_no_views_in_a_file_of_the_camera(frames, tmp_path: Path) -> None:
    with pytest.raises(PairError, match="times the light of the first"), pytest.warns(ImageWarning):
        read_raw_file(write_cr2(tmp_path / "a.cr2", [frames[1], frames[0] - frames[1]]))


def test_cut_and_damaged_files_are_refused_without_noise(frames, tmp_path: Path, capfd) -> None:
    data = write_cr2(tmp_path / "a.cr2", frames).read_bytes()
    for share in (0.1, 0.5, 0.8, 0.99):
        (tmp_path / "cut.cr2").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(DpanetError) as caught:
            read_raw_file(tmp_path / "cut.cr2")
        assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
