import cv2
import numpy as np
import pytest

from dpanet.errors import ShapeError
from dpanet.evaluation.registration import find_affine, register

ZOOM = np.array(
    [[1.03, 0.0, -3.0], [0.0, 1.03, -2.4]]
)  # about the middle of 200 x 160: up to 3 px at the edge
SHIFT = np.array([[1.0, 0.0, 2.25], [0.0, 1.0, -1.5]])
TURN = np.array([[0.9998, -0.0175, 1.4], [0.0175, 0.9998, -1.7]])
CORNERS = np.array([[0, 199, 0, 199], [0, 0, 159, 159], [1, 1, 1, 1]], float)


@pytest.mark.parametrize("warp", [ZOOM, SHIFT, TURN], ids=["zoom", "shift", "turn"])
@pytest.mark.parametrize("damp", [0.0, 2.0], ids=["sharp", "blurred"])
def test_a_planted_motion_is_found(scene, warp, damp) -> None:
    truth, output = scene(), scene(warp, damp=damp)
    result = find_affine(truth, output)
    assert np.abs(result @ CORNERS - warp @ CORNERS).max() < (0.5 if damp else 0.1)
    warped = register(truth, output)
    inner = np.s_[24:-24, 24:-24]
    assert np.abs(warped - scene(warp))[inner].max() < np.abs(truth - scene(warp))[inner].max() / 5


@pytest.mark.parametrize("encoding", ["linear", "srgb"])
def test_the_search_is_the_stated_one(scene, encoding) -> None:
    truth, output = scene(), scene(ZOOM, damp=1) * np.float32([1, 0.8, 0.6])
    guides = [p.mean(axis=2) for p in (output, truth)]
    if encoding == "linear":
        guides = [np.sqrt(g) for g in guides]
    guides = [cv2.GaussianBlur(g, (0, 0), 2) for g in guides]
    _, expected = cv2.findTransformECC(
        *guides, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, (3, 200, 1e-6), None, 5
    )
    np.testing.assert_array_equal(find_affine(truth, output, encoding), expected)
    warped = cv2.warpAffine(truth, expected, (200, 160), flags=18, borderMode=cv2.BORDER_REFLECT)  # 2 + 16
    np.testing.assert_array_equal(register(truth, output, encoding), warped)


def test_gain_offset_and_encoding_do_not_matter_much(scene) -> None:
    for encoding in ("linear", "srgb"):
        result = find_affine(scene(), scene(ZOOM) * np.float32(0.5) + np.float32(0.1), encoding)
        assert np.abs(result @ CORNERS - ZOOM @ CORNERS).max() < 0.5


def test_what_lies_right_already_stays(scene) -> None:
    np.testing.assert_allclose(find_affine(scene(), scene()), np.eye(2, 3), atol=1e-4)
    np.testing.assert_allclose(register(scene(), scene()), scene(), atol=1e-3)


def test_a_flat_picture_has_no_place(scene) -> None:
    flat = np.full_like(scene(), 0.5)
    black = np.zeros_like(flat)
    for truth, output in ((flat, scene()), (scene(), flat), (flat, flat), (black, scene()), (scene(), black)):
        assert register(truth, output) is None


def test_negative_values_do_not_break_it(scene) -> None:
    assert np.isfinite(find_affine(scene() - np.float32(0.2), scene(SHIFT) - np.float32(0.2))).all()


def test_other_sizes_are_refused(scene) -> None:
    with pytest.raises(ShapeError, match=r"\(160, 199, 3\)"):
        register(scene(), scene()[:, :-1])
