"""Score pictures against truths by stated protocols, and compare methods on whole data sets."""

from dpanet.evaluation.metrics import mae, psnr, ssim
from dpanet.evaluation.protocol import score_aligned, score_as_published
from dpanet.evaluation.scores import Score

__all__ = ["Score", "mae", "psnr", "score_aligned", "score_as_published", "ssim"]
