from pathlib import Path

import cv2
import numpy as np
import pytest

from dpanet.cli import main
from dpanet.datasets.canon_video import find_videos, result_of_frame, view_of_frame
from dpanet.errors import DatasetError
from dpanet.images.reading import read_codes

COLORS = {
    "left": (60, 40, 40),
    "both": (80, 80, 80),
    "right": (120, 120, 120),
    "input": (60, 60, 60),
    "dpdnet": (150, 150, 150),
    "sharp": (220, 190, 170),
}
"""RGB of each part; two are not gray, so that swapped channels are seen."""


def write_video(path: Path, parts: list[str], size: tuple[int, int] = (160, 176)) -> None:
    """A caption of white in the first 96 rows, then one even color a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, size)
    assert writer.isOpened()
    for part in parts:
        frame = np.full((size[1], size[0], 3), COLORS[part][::-1], np.uint8)  # OpenCV writes BGR
        frame[:96] = 255
        writer.write(frame)
    writer.release()


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    views = [part for part in ("left", "both", "right", "both") for _ in range(3)] * 4
    write_video(tmp_path / "animated_DP_examples" / "1P0A7.mp4", views)
    shown = [part for part in ("input", "dpdnet", "sharp") for _ in range(30)]
    for place in (30, 60):  # the first frames of a showing still show the one before
        shown[place : place + 9] = [shown[place - 1]] * 9
    write_video(tmp_path / "animated_results" / "1P0A7_DPNet.mp4", shown)
    return tmp_path


def test_the_order_of_frames() -> None:
    """Written down by hand from the description that comes with the captures."""
    assert [view_of_frame(i) for i in (0, 2, 3, 5, 6, 8, 9, 11, 12)] == [
        "left", "left", None, None, "right", "right", None, None, "left",
    ]  # fmt: skip
    assert [result_of_frame(i) for i in (0, 29, 30, 38, 39, 59, 68, 69, 89, 90, 129)] == [
        None, None, None, None, "dpdnet", "dpdnet", None, "sharp", "sharp", None, "dpdnet",
    ]  # fmt: skip


def test_videos_become_pairs(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare-canon-video", str(videos), "-o", str(videos / "pairs")]) == 0
    assert ": 1 scene\n" in capsys.readouterr().out
    for part in ("left", "right", "dpdnet", "sharp"):
        codes = read_codes(videos / "pairs" / f"1P0A7_{part}.png")
        assert codes.shape == (80, 160, 3)
        middle = codes[8:-8, 8:-8].astype(float)  # the codec smears the caption's border
        error = np.abs(middle.mean((0, 1)) - COLORS[part])  # parts differ by 20 and more
        assert error.max() < 8, part


def test_a_video_without_its_partner_is_named(videos: Path) -> None:
    (videos / "animated_results" / "1P0A7_DPNet.mp4").unlink()
    with pytest.raises(DatasetError, match="animated_results lacks the video of 1P0A7"):
        find_videos(videos)


def test_a_damaged_video_is_named(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = videos / "animated_DP_examples" / "1P0A7.mp4"
    video.write_bytes(b"no video")
    assert main(["prepare-canon-video", str(videos), "-o", str(videos / "pairs")]) == 1
    assert "1P0A7.mp4 has 0 frames" in capsys.readouterr().err
