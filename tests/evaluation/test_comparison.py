"""A small evaluation from end to end, without any network."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from dpanet.datasets import open_dataset
from dpanet.errors import OutputError, PairError
from dpanet.evaluation.bit_depth import Depth
from dpanet.evaluation.comparison import Comparison
from dpanet.evaluation.methods.model import row_name
from dpanet.pair import DualPixelPair, Picture, Pixels
from dpanet.report.publish import publish

SCENES = ("a1", "a2", "a10")


@dataclass
class Stand:
    """A method that adds `shift` to the combined picture, and counts."""

    name: str
    shift: float = 0.0
    kind: Literal["baseline", "model"] = "baseline"
    calls: int = 0
    dies_at: int = -1

    @property
    def identity(self) -> str:
        return f"{self.name} {self.shift}"

    def __call__(self, pair: DualPixelPair) -> Picture:
        if self.calls == self.dies_at:
            raise KeyboardInterrupt
        self.calls += 1
        return Picture(np.asarray(pair.combined.pixels + np.float32(self.shift), np.float32), pair.encoding)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "captures"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for name in SCENES:
        sharp = cv2.GaussianBlur(rng.random((80, 96, 3)), (0, 0), 1.5)
        for part, pixels in (
            ("left", sharp + 0.01),
            ("right", sharp + 0.03),
            ("sharp", sharp),
            ("other", sharp),
        ):
            cv2.imwrite(str(folder / f"{name}_{part}.png"), np.rint(pixels.clip(0, 1) * 255).astype(np.uint8))
    return folder


def compare(root: Path, *methods: Stand, **options: object) -> Comparison:
    dataset = open_dataset(root, "pairs", bits=8, align=True)
    return Comparison(dataset, methods, **options)  # type: ignore[arg-type]


def without_seconds(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_seconds(inner) for key, inner in value.items() if key != "seconds"}
    return [without_seconds(inner) for inner in value] if isinstance(value, list) else value


def test_scores_are_those_of_the_files(root: Path, tmp_path: Path) -> None:
    comparison = compare(root, Stand("none"), Stand("better", shift=-0.02))
    records = comparison.run(tmp_path / "out")
    assert [record["name"] for record in records] == ["a1", "a2", "a10"]
    scores = publish(comparison, records, tmp_path / "out", root=root, command=["dpanet", "evaluate"])
    assert scores["summary"]["other"]["as_published"]["psnr"]["mean"] == "inf"
    none, better = (scores["summary"][name]["as_published"] for name in ("none", "better"))
    assert none["psnr"]["mean"] == pytest.approx(-20 * np.log10(0.02), abs=0.3)
    assert none["mae"]["mean"] == pytest.approx(0.02, abs=0.001)
    assert better["gain"]["mean"] > 10
    assert none["gain"]["mean"] == 0
    written = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert written == json.loads(json.dumps(scores))
    assert [m["kind"] for m in written["methods"]] == ["baseline", "baseline", "given"]
    assert (tmp_path / "out" / "report.html").exists()
    assert (tmp_path / "out" / "scores.csv").read_text().count("\n") > 3 * 3 * 2


def test_a_stopped_evaluation_goes_on_and_ends_alike(root: Path, tmp_path: Path) -> None:
    whole = compare(root, Stand("none"), Stand("m", 0.1)).run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        compare(root, Stand("none"), Stand("m", 0.1, dies_at=1)).run(tmp_path / "out")
    resumed = Stand("m", 0.1)
    records = compare(root, Stand("none"), resumed).run(tmp_path / "out")
    assert resumed.calls == 2, "the first scene is not made again"
    assert without_seconds(records) == without_seconds(whole)


def test_another_comparison_is_not_mixed_in(root: Path, tmp_path: Path) -> None:
    compare(root, Stand("none")).run(tmp_path)
    with pytest.raises(OutputError, match="holds an evaluation with other methods"):
        compare(root, Stand("none"), Stand("m")).run(tmp_path)
    with pytest.raises(OutputError, match="other depth"):
        compare(root, Stand("none"), depth=Depth(bits=8)).run(tmp_path)
    anew = Stand("none", shift=0.5)
    assert len(compare(root, anew).run(tmp_path, overwrite=True)) == 3
    assert anew.calls == 3


def test_lpips_is_asked_for_both_protocols(root: Path, tmp_path: Path) -> None:
    def distance(output: Pixels, truth: Pixels) -> float:
        assert output.max() <= 1 and output.min() >= 0
        return float(np.abs(output - truth).mean())

    comparison = compare(root, Stand("none", shift=0.9), perceptual=distance, perceptual_weights="0" * 64)
    scores = comparison.run(tmp_path)[0]["scores"]["none"]
    assert scores["as_published"]["lpips"] == pytest.approx(scores["as_published"]["mae"], abs=0.5)
    assert scores["aligned"]["lpips"] > 0
    assert comparison.summary(comparison.run(tmp_path))["none"]["aligned"]["lpips"]["mean"] > 0


def test_pictures_are_kept_in_full_on_request(root: Path, tmp_path: Path) -> None:
    compare(root, Stand("none"), save_images=True).run(tmp_path)
    kept = cv2.imread(str(tmp_path / "images" / "none" / "a2.png"), cv2.IMREAD_UNCHANGED)
    left, right = (cv2.imread(str(root / f"a2_{side}.png")).astype(float) for side in ("left", "right"))
    assert kept.dtype == np.uint16
    np.testing.assert_allclose(kept / 65535, (left + right) / 510, atol=1e-5)


def test_a_method_must_keep_the_size(root: Path, tmp_path: Path) -> None:
    class Cropping(Stand):
        def __call__(self, pair: DualPixelPair) -> Picture:
            return Picture(np.ascontiguousarray(pair.left[:-8]), pair.encoding)

    with pytest.raises(PairError, match="crop made a picture of 96 x 72 px of scene a1"):
        compare(root, Stand("none"), Cropping("crop")).run(tmp_path)


def test_a_defocus_map_is_scored_where_the_truth_is_known(root: Path, tmp_path: Path) -> None:
    truth = np.linspace(50, 200, 80 * 96).reshape(80, 96).astype(np.uint8)
    told = (250 - truth.astype(np.float32)) / 10  # the same but for gain, offset and sign
    truth[:30] = 0  # not measured
    cv2.imwrite(str(tmp_path / "map.png"), truth)

    class Telling(Stand):
        def defocus_map(self, pair: DualPixelPair) -> np.ndarray:
            return told

    comparison = compare(root, Stand("none"), Telling("m"))
    scenes = tuple(replace(scene, defocus=tmp_path / "map.png") for scene in comparison.dataset.scenes)
    comparison = replace(comparison, dataset=replace(comparison.dataset, scenes=scenes))
    summary = comparison.defocus_summary(comparison.run(tmp_path / "out"))
    assert list(summary) == ["m"]
    assert all(value < 1e-6 for value in summary["m"].values())


def test_models_of_different_runs_have_different_rows() -> None:
    rows = [row_name(source) for source in ("compact", "own/mine.safetensors", "a/model.safetensors",
                                            "b/model.safetensors", "b/best.safetensors")]  # fmt: skip
    assert rows == ["compact", "mine", "a", "b", "b-best"]
