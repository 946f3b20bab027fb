"""A small evaluation from end to end, without any network."""

import json
import os
import warnings
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from dpanet.datasets import open_dataset
from dpanet.errors import ConfigError, ImageWarning, OutputError, PairError
from dpanet.evaluation import comparison as comparison_module
from dpanet.evaluation.bit_depth import BitDepth
from dpanet.evaluation.comparison import Comparison
from dpanet.evaluation.method import Method
from dpanet.evaluation.run import collect_scores, run_comparison
from dpanet.evaluation.scores import MethodInfo, SceneScores, Scores
from dpanet.evaluation.scores_file import read_scores
from dpanet.evaluation.summary import average_defocus
from dpanet.pair import DualPixelPair, Picture, Pixels
from dpanet.report.publish import publish

SCENES = ("a1", "a2", "a10")


class Shift(Method):
    """Adds `shift` to the combined picture, and counts its calls."""

    def __init__(self, name: str, shift: float = 0.0, interrupted_at: int = -1) -> None:
        self.info = MethodInfo(name, "baseline", f"{name} {shift}")
        self.shift = shift
        self.interrupted_at = interrupted_at
        self.calls = 0

    def __call__(self, pair: DualPixelPair) -> Picture:
        if self.calls == self.interrupted_at:
            raise KeyboardInterrupt
        self.calls += 1
        return Picture(np.asarray(pair.combined.pixels + np.float32(self.shift), np.float32), pair.encoding)


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), np.rint(pixels.clip(0, 1) * 255).astype(np.uint8))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "captures"
    rng = np.random.default_rng(3)
    for name in SCENES:
        sharp = cv2.GaussianBlur(rng.random((80, 96, 3)), (0, 0), 1.5)
        parts = {"left": sharp + 0.01, "right": sharp + 0.03, "sharp": sharp, "other": sharp}
        for part, pixels in parts.items():
            write(folder / f"{name}_{part}.png", pixels)
    return folder


def compare(root: Path, *methods: Method, match_color: bool = False, **options: object) -> Comparison:
    dataset = open_dataset(root, "pairs", bits=8, align=True, match_color=match_color)
    return Comparison(dataset, methods, **options)  # type: ignore[arg-type]


def evaluate(comparison: Comparison, folder: Path, *, overwrite: bool = False) -> Scores:
    scenes = run_comparison(comparison, folder, overwrite=overwrite)
    return collect_scores(comparison, scenes, root=Path("captures"), command=["dpanet", "evaluate"])


def without_seconds(scenes: tuple[SceneScores, ...]) -> list[SceneScores]:
    return [
        replace(scene, methods={name: replace(one, seconds=None) for name, one in scene.methods.items()})
        for scene in scenes
    ]


def pictures(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix in (".png", ".webp")}


def test_scores_are_those_of_the_files(root: Path, tmp_path: Path) -> None:
    scores = evaluate(compare(root, Shift("none"), Shift("better", shift=-0.02)), tmp_path / "out")
    publish(scores, tmp_path / "out")
    assert [scene.name for scene in scores.scenes] == ["a1", "a2", "a10"]
    other, none, better = (scores.summary[n].protocols["as_published"] for n in ("other", "none", "better"))
    assert other["psnr"].mean == np.inf
    assert none["psnr"].mean == pytest.approx(-20 * np.log10(0.02), abs=0.3)
    assert none["mae"].mean == pytest.approx(0.02, abs=0.001)
    assert better["gain"].mean > 10
    assert none["gain"].mean == 0
    assert read_scores(tmp_path / "out" / "scores.json") == scores
    assert [method.kind for method in scores.methods] == ["baseline", "baseline", "finished"]
    assert scores.summary["other"].seconds is None
    assert (tmp_path / "out" / "report.html").exists()
    assert (tmp_path / "out" / "scores.csv").read_text().count("\n") > 3 * 3 * 2


def test_a_stopped_evaluation_is_resumed_and_ends_alike(root: Path, tmp_path: Path) -> None:
    whole = run_comparison(compare(root, Shift("none"), Shift("m", 0.1)), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run_comparison(compare(root, Shift("none"), Shift("m", 0.1, interrupted_at=1)), tmp_path / "out")
    resumed = Shift("m", 0.1)
    scenes = run_comparison(compare(root, Shift("none"), resumed), tmp_path / "out")
    assert resumed.calls == 2, "the first scene is not computed again"
    assert without_seconds(scenes) == without_seconds(whole)
    run_comparison(compare(root, Shift("none"), Refusing("m", 0.1)), tmp_path / "out")


class Remarking(Shift):
    """Notes how often it was called, and warns of something else."""

    def __call__(self, pair: DualPixelPair) -> Picture:
        picture = super().__call__(pair)
        warnings.warn(ImageWarning(f"lens number {self.calls}"), stacklevel=2)
        warnings.warn("not of an image", stacklevel=2)
        return picture


def test_notes_are_kept_with_the_scores_and_given_again(root: Path, tmp_path: Path) -> None:
    expected = [f"lens number {i}" for i in (1, 2, 3)]
    for methods in ((Shift("none"), Remarking("m", 0.1)), (Shift("none"), Refusing("m", 0.1))):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            scores = evaluate(compare(root, *methods), tmp_path / "out")
        notes = [str(one.message) for one in caught if one.category is ImageWarning]
        assert notes == [
            f"{scene}: {note}" for scene, note in zip(SCENES, expected, strict=True)
        ]  # stored, too
        assert [one.methods["m"].notes for one in scores.scenes] == [(note,) for note in expected]
        assert [one.methods["none"].notes for one in scores.scenes] == [()] * 3
        others = [str(one.message) for one in caught if one.category is not ImageWarning]
        assert others == ["not of an image"] * (3 if isinstance(methods[1], Remarking) else 0)
    publish(scores, tmp_path / "out")
    assert read_scores(tmp_path / "out" / "scores.json") == scores
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count(": lens number 2.") == 1
    assert (tmp_path / "out" / "scores.csv").read_text().count(",lens number 2\n") == len(scores.protocols)


class Refusing(Shift):
    """Must not be called."""

    def __call__(self, pair: DualPixelPair) -> Picture:
        raise AssertionError


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"methods": (Shift("none"), Shift("m"))}, "methods.m"),
        ({"methods": (Shift("none", 0.1),)}, "methods.none.identity"),
        ({"bit_depth": BitDepth(bits=8)}, "depth.bits"),
        ({"match_color": True}, "color matching"),
        ({"perceptual": lambda output, truth: 0.0, "perceptual_weights": "0" * 64}, "LPIPS weights"),
        ({"save_images": True}, "saved images"),
    ],
)
def test_another_comparison_is_refused_or_computed_anew(
    root: Path, tmp_path: Path, change: dict[str, object], difference: str
) -> None:
    run_comparison(compare(root, Shift("none")), tmp_path / "out")
    other = compare(root, *change.pop("methods", (Shift("none"),)), **change)
    with pytest.raises(OutputError, match=f"with other {difference}; choose .*, or add --overwrite to start"):
        run_comparison(other, tmp_path / "out")
    scenes = run_comparison(other, tmp_path / "out", overwrite=True)
    assert other.methods[0].calls == 3
    assert without_seconds(scenes) == without_seconds(run_comparison(other, tmp_path / "fresh"))
    assert pictures(tmp_path / "out") == pictures(tmp_path / "fresh")


@pytest.mark.parametrize("library", ["dpanet", "numpy"])
def test_scores_of_another_version_are_not_shown_as_new(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    run_comparison(compare(root, Shift("none")), tmp_path / "out")
    if library == "dpanet":
        monkeypatch.setattr(comparison_module, "__version__", "9.9")
    else:
        monkeypatch.setattr(comparison_module, "version", lambda package: "9.9")
    again = Shift("none")
    with pytest.raises(OutputError, match=r"with other versions\.\w+;"):
        run_comparison(compare(root, again), tmp_path / "out")
    run_comparison(compare(root, again), tmp_path / "out", overwrite=True)
    assert again.calls == 3


@pytest.mark.parametrize("part", ["left", "right", "sharp", "other"])
def test_a_replaced_picture_is_scored_anew_and_no_other(root: Path, tmp_path: Path, part: str) -> None:
    before = run_comparison(compare(root, Shift("none")), tmp_path / "out")
    write(root / f"a2_{part}.png", np.random.default_rng(9).random((80, 96, 3)))
    again = Shift("none")
    after = run_comparison(compare(root, again), tmp_path / "out")
    assert again.calls == 1
    assert after[0] == before[0] and after[2] == before[2]
    assert after[1].methods != before[1].methods
    fresh = run_comparison(compare(root, Shift("none")), tmp_path / "fresh")
    assert without_seconds(after) == without_seconds(fresh)


def test_a_touched_picture_is_scored_anew(root: Path, tmp_path: Path) -> None:
    """Same name and size, another time: the content may differ."""
    run_comparison(compare(root, Shift("none")), tmp_path / "out")
    status = (root / "a2_sharp.png").stat()
    os.utime(root / "a2_sharp.png", ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    again = Shift("none")
    run_comparison(compare(root, again), tmp_path / "out")
    assert again.calls == 1


def test_a_replaced_white_sheet_is_noticed(root: Path, tmp_path: Path) -> None:
    """As of layout pixel4, where the views are developed with it."""
    sheet = tmp_path / "calibration" / "white_sheet_left.png"
    write(sheet, np.full((8, 8, 3), 0.5))

    def comparison(method: Method) -> Comparison:
        whole = compare(root, method)
        scenes = tuple(replace(scene, calibration=(sheet,)) for scene in whole.dataset.scenes)
        return replace(whole, dataset=replace(whole.dataset, scenes=scenes))

    run_comparison(comparison(Shift("none")), tmp_path / "out")
    write(sheet, np.random.default_rng(1).random((8, 8, 3)))
    again = Shift("none")
    run_comparison(comparison(again), tmp_path / "out")
    assert again.calls == 3


def test_removed_methods_and_scenes_leave_no_pictures_and_foreign_files_stay(
    root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_comparison(compare(root, Shift("none"), Shift("m", 0.1), save_images=True), out)
    assert {"images/m/a1.png", "scenes/a1/m.webp", "scenes/a1/m-crop.png"} < pictures(out)
    write(out / "scenes" / "a1" / "mine.png", np.zeros((8, 8, 3)))
    for part in ("left", "right", "sharp", "other"):
        (root / f"a10_{part}.png").unlink()
    none = Shift("none")
    with pytest.raises(OutputError, match=r"other methods\.m"):
        run_comparison(compare(root, none), out)
    assert "scenes/a10/none.webp" in pictures(out)
    scenes = run_comparison(compare(root, none), out, overwrite=True)
    names = ("none", "other", "truth")
    expected = {f"scenes/{s}/{n}{e}" for s in ("a1", "a2") for n in names for e in (".webp", "-crop.png")}
    expected |= {
        f"scenes/{scene.name}/other/{window.x}-{window.y}-{part}.png"
        for scene in scenes
        for window in scene.windows["other"]
        for part in ("input", "output", "truth")
    }
    assert pictures(out) == expected | {"scenes/a1/mine.png"}


def test_overwriting_keeps_scenes_that_the_change_does_not_concern(root: Path, tmp_path: Path) -> None:
    before = run_comparison(compare(root, Shift("none")), tmp_path / "out")
    for part in ("left", "right", "sharp", "other"):
        (root / f"a2_{part}.png").unlink()
    with pytest.raises(OutputError, match="other scenes;"):
        run_comparison(compare(root, Refusing("none")), tmp_path / "out")
    after = run_comparison(compare(root, Refusing("none", 0.0)), tmp_path / "out", overwrite=True)
    assert after == (before[0], before[2])
    assert not (tmp_path / "out" / "scenes" / "a2" / "none.webp").exists()


def test_lpips_compares_display_pictures_by_both_protocols(root: Path, tmp_path: Path) -> None:
    def distance(output: Pixels, truth: Pixels) -> float:
        assert output.max() <= 1 and output.min() >= 0
        return float(np.abs(output - truth).mean())

    comparison = compare(root, Shift("none", shift=0.9), perceptual=distance, perceptual_weights="0" * 64)
    scores = evaluate(comparison, tmp_path)
    one = scores.scenes[0].methods["none"].protocols
    assert one["as_published"].lpips == pytest.approx(one["as_published"].mae, abs=0.5)
    assert one["aligned"].lpips > 0
    assert scores.summary["none"].protocols["aligned"]["lpips"].mean > 0


def test_pictures_are_saved_in_full_on_request(root: Path, tmp_path: Path) -> None:
    run_comparison(compare(root, Shift("none"), save_images=True), tmp_path)
    saved = cv2.imread(str(tmp_path / "images" / "none" / "a2.png"), cv2.IMREAD_UNCHANGED)
    left, right = (cv2.imread(str(root / f"a2_{side}.png")).astype(float) for side in ("left", "right"))
    assert saved.dtype == np.uint16
    np.testing.assert_allclose(saved / 65535, (left + right) / 510, atol=1e-5)


def test_a_method_must_keep_the_size(root: Path, tmp_path: Path) -> None:
    class Cropping(Shift):
        def __call__(self, pair: DualPixelPair) -> Picture:
            return Picture(np.ascontiguousarray(pair.left[:-8]), pair.encoding)

    with pytest.raises(PairError, match="crop returned a picture of 96 x 72 px of scene a1"):
        run_comparison(compare(root, Shift("none"), Cropping("crop")), tmp_path)


def test_two_methods_of_one_name_are_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="two methods are called 'other'"):
        compare(root, Shift("none"), Shift("other"))


def test_a_defocus_map_is_scored_where_the_truth_is_known(root: Path, tmp_path: Path) -> None:
    truth = np.linspace(50, 200, 80 * 96).reshape(80, 96).astype(np.uint8)
    radius = (250 - truth.astype(np.float32)) / 10  # the same but for gain, offset and sign
    truth[:30] = 0  # not measured
    cv2.imwrite(str(tmp_path / "map.png"), truth)

    class Mapping(Shift):
        def defocus_map(self, pair: DualPixelPair) -> np.ndarray:
            return radius

    comparison = compare(root, Shift("none"), Mapping("m"))
    scenes = tuple(replace(scene, defocus=tmp_path / "map.png") for scene in comparison.dataset.scenes)
    comparison = replace(comparison, dataset=replace(comparison.dataset, scenes=scenes))
    scored = run_comparison(comparison, tmp_path / "out")
    means = average_defocus(scored, ["none", "m"])
    assert list(means) == ["m"]
    assert max(means["m"].aiwe1, means["m"].aiwe2, means["m"].spearman) < 1e-6


def test_the_stored_scores_are_strict_json(root: Path, tmp_path: Path) -> None:
    """The finished picture `other` is the truth itself, so that its PSNR is infinite."""
    publish(evaluate(compare(root, Shift("none")), tmp_path), tmp_path)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads((tmp_path / "scores.json").read_text(), parse_constant=refuse)
    assert document["summary"]["other"]["as_published"]["psnr"]["mean"] == "inf"
    assert document["summary"]["other"]["as_published"]["psnr"]["low"] is None
    assert document["scenes"][0]["scores"]["other"]["seconds"] is None
