"""What runs a network: arrays in, arrays out, whatever computes in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dpanet.pair import Pixels

if TYPE_CHECKING:
    from dpanet.network.description import Description


ENGINES = ("onnxruntime", "openvino", "torch")
"""Libraries that compute; the first comes with the package, the others are extras."""

PRECISIONS = ("auto", "float32", "bfloat16", "int8")
"""Numbers that an engine may compute in."""


class Engine(Protocol):
    """A network that maps two arrays to one."""

    @property
    def name(self) -> str:
        """Of the library that computes: one of `ENGINES`."""

    @property
    def version(self) -> str:
        """Of that library."""

    @property
    def device(self) -> str:
        """Where it computes, such as ``cpu`` or ``cuda:0``."""

    @property
    def precision(self) -> str:
        """What it computes in: ``float32``, ``bfloat16`` or ``int8``."""

    @property
    def family(self) -> str:
        """Kind of the network, a key of `dpanet.network.families.FAMILIES`; empty if it does not say so."""

    @property
    def parameters(self) -> int | None:
        """Number of its parameters; None if it does not say so."""

    @property
    def description(self) -> Description:
        """Needs and capabilities of the network."""

    @property
    def parallel_calls(self) -> int:
        """Calls from threads of their own that take less time together than one after the other; 1 if they do not."""

    def __call__(self, left: Pixels, right: Pixels, *, defocus: bool = False) -> Pixels:
        """Run the network once.

        Args:
            left: (H, W, 3), RGB, float32, in the encoding of the description, 1.0 = white; both sides are
                multiples of `Description.multiple_of`. Any strides.
            right: the same of the right view.
            defocus: also return the defocus map; only asked for if `Description.has_defocus`.

        Returns:
            (H, W, 3), float32, the picture in the same encoding; with `defocus` (H, W, 4), whose last channel is
            the signed blur radius in px, positive where the left view's kernel lies on the left (-x) side. The
            caller may change the array.
        """
