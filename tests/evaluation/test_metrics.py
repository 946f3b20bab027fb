import math

import numpy as np
import pytest
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from dpanet.errors import ConfigError, PairError, ShapeError
from dpanet.evaluation.metrics import mae, psnr, ssim


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.random((24, 31, 3), np.float32)
    return np.clip(truth + rng.normal(0, 0.1, truth.shape), 0, 1).astype(np.float32), truth


def test_hand_worked_values() -> None:
    truth = np.zeros((8, 8, 3), np.float32)
    output = truth.copy()
    output[..., 1] = 0.3  # mean squared error 0.09 / 3 = 0.03, mean absolute error 0.1
    assert psnr(output, truth, data_range=1.0) == pytest.approx(10 * math.log10(1 / 0.03), abs=1e-6)
    assert psnr(output * 255, truth, data_range=255) == pytest.approx(10 * math.log10(1 / 0.03), abs=1e-6)
    assert mae(output, truth) == pytest.approx(0.1, abs=1e-7)
    # flat channels: no variance, so SSIM is the luminance term alone, c1 / (0.09 + c1) in one of three
    assert ssim(output, truth, data_range=1.0) == pytest.approx((2 + 1e-4 / (0.09 + 1e-4)) / 3, abs=1e-6)


def test_against_scikit_image(pictures) -> None:
    output, truth = (p.astype(float) for p in pictures)
    assert psnr(output, truth, data_range=1.0) == pytest.approx(
        peak_signal_noise_ratio(truth, output, data_range=1.0), abs=1e-6
    )
    assert mean_squared_error(truth, output) == pytest.approx(10 ** (-psnr(output, truth, data_range=1) / 10))
    assert ssim(output, truth, data_range=1.0) == pytest.approx(
        structural_similarity(truth, output, data_range=1.0, channel_axis=2), abs=1e-6
    )
    assert ssim(output, truth, data_range=1.0, gaussian=True) == pytest.approx(
        structural_similarity(
            truth, output, data_range=1.0, channel_axis=2, gaussian_weights=True, use_sample_covariance=False
        ),
        abs=1e-6,
    )


def test_single_precision_loses_nothing(pictures) -> None:
    output, truth = pictures
    exact = output.astype(float), truth.astype(float)
    assert psnr(output, truth, data_range=1.0) == psnr(*exact, data_range=1.0)
    assert ssim(output, truth, data_range=1.0) == ssim(*exact, data_range=1.0)
    assert mae(output, truth) == mae(*exact)


def test_ssim_by_definition(pictures) -> None:
    output, truth = (p.astype(float) for p in pictures)
    windows = [
        np.lib.stride_tricks.sliding_window_view(p, (7, 7), axis=(0, 1)).reshape(18, 25, 3, 49)
        for p in (output, truth)
    ]
    means = [w.mean(-1) for w in windows]
    variances = [w.var(-1, ddof=1) for w in windows]
    products = (windows[0] - means[0][..., None]) * (windows[1] - means[1][..., None])
    covariance = products.sum(-1) / 48
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * means[0] * means[1] + c1) * (2 * covariance + c2)
    similarity /= (means[0] ** 2 + means[1] ** 2 + c1) * (variances[0] + variances[1] + c2)
    assert ssim(output, truth, data_range=1.0) == pytest.approx(similarity.mean(), abs=1e-9)


def test_gaussian_ssim_by_definition(pictures) -> None:
    output, truth = (p.astype(float) for p in pictures)
    curve = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = np.outer(curve, curve) / curve.sum() ** 2
    one, other = (np.lib.stride_tricks.sliding_window_view(p, (11, 11), axis=(0, 1)) for p in (output, truth))

    def mean(windows: np.ndarray) -> np.ndarray:
        return (windows * weights).sum(axis=(-2, -1))

    variances = mean(one**2) - mean(one) ** 2 + mean(other**2) - mean(other) ** 2
    covariance = mean(one * other) - mean(one) * mean(other)
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean(one) * mean(other) + c1) * (2 * covariance + c2)
    similarity /= (mean(one) ** 2 + mean(other) ** 2 + c1) * (variances + c2)
    assert ssim(output, truth, data_range=1.0, gaussian=True) == pytest.approx(similarity.mean(), abs=1e-9)


def test_mae_is_the_mean_of_the_channels_means(pictures) -> None:
    output, truth = (p.astype(float) for p in pictures)
    channels = [
        sum(abs(a - b) for a, b in zip(output[..., c].flat, truth[..., c].flat, strict=True))
        for c in range(3)
    ]
    assert mae(output, truth) == pytest.approx(sum(channels) / (3 * 24 * 31), abs=1e-12)


def test_a_perfect_picture(pictures) -> None:
    _, truth = pictures
    assert psnr(truth, truth, data_range=1.0) == math.inf
    assert ssim(truth, truth, data_range=1.0) == pytest.approx(1.0, abs=1e-12)
    assert mae(truth, truth) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_never_passes(pictures, bad) -> None:
    output, truth = pictures
    broken = output.copy()
    broken[3, 4, 1] = bad
    for left, right in ((broken, truth), (truth, broken)):
        for metric in (
            lambda o, t: psnr(o, t, data_range=1.0),
            lambda o, t: ssim(o, t, data_range=1.0),
            mae,
        ):
            with pytest.raises(PairError, match="contains NaN or infinity"):
                metric(left, right)


def test_what_has_no_score_is_refused(pictures) -> None:
    output, truth = pictures
    with pytest.raises(ShapeError, match=r"\(24, 30, 3\)"):
        psnr(output[:, :-1], truth, data_range=1.0)
    with pytest.raises(ShapeError, match="height x width"):
        mae(output[..., 0], truth[..., 0])
    with pytest.raises(ShapeError, match="SSIM needs 7 px"):
        ssim(output[:6], truth[:6], data_range=1.0)
    with pytest.raises(ShapeError, match="SSIM needs 11 px"):
        ssim(output[:10], truth[:10], data_range=1.0, gaussian=True)
    with pytest.raises(ConfigError, match="data_range is 0"):
        psnr(output, truth, data_range=0)
    with pytest.raises(TypeError):
        psnr(output, truth)
