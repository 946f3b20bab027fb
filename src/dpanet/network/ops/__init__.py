"""The two operations of alignment: correlation and deformable convolution."""

from dpanet.network.ops.correlation import correlation
from dpanet.network.ops.deformable import deformable_convolution, sample

__all__ = ["correlation", "deformable_convolution", "sample"]
