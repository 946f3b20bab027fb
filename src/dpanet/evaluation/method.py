"""What is compared: anything that turns a pair into a picture."""

from __future__ import annotations

from typing import Literal, Protocol

from dpanet.pair import DualPixelPair, Picture

Kind = Literal["baseline", "model", "given"]


class Method(Protocol):
    """A row of the table.

    name: safe as a file name. identity: changes whenever the method's pictures may change (a hash of weights,
    the settings), so that a stored score is not taken for another's.
    """

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> Kind: ...

    @property
    def identity(self) -> str: ...

    def __call__(self, pair: DualPixelPair) -> Picture:
        """The deblurred picture, in the pair's own size, encoding and scale."""
        ...
