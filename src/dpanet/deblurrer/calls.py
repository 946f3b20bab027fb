"""How a Deblurrer is called: with a pair, files, arrays, tensors, images or lists of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from dpanet.deblurrer.loop import Progress
from dpanet.engines.engine import Engine
from dpanet.errors import ConfigError, PairError
from dpanet.pair import DualPixelPair, Encoding, Picture
from dpanet.views.arrays import from_pictures, to_pairs
from dpanet.views.kinds import View, is_path, to_arrays

if TYPE_CHECKING:
    from dpanet.images.reading import ImagePath
    from dpanet.lenses.lens import LensChoice

Array = NDArray[Any]

DefocusMap = NDArray[np.float32]
"""(H, W), or (B, H, W) of a batch: signed blur radius in px."""


class _Views(TypedDict, total=False):
    """Options of two views in memory."""

    encoding: Encoding | None
    progress: Progress | None


class _Pair(TypedDict, total=False):
    """Options of a pair."""

    output_encoding: Encoding | None
    progress: Progress | None


class _Files(_Views, total=False):
    """Options of two files."""

    output_encoding: Encoding | None


class Calls:
    """What a `Deblurrer` does with views of each kind."""

    engine: Engine
    """What runs the network."""
    lens: LensChoice | None
    """Whose optics refine the picture."""

    # Arrays stand apart from tensors and images, which a type checker knows only where their packages are installed.

    @overload
    def __call__(self, pair: DualPixelPair, /, **options: Unpack[_Pair]) -> Picture: ...

    @overload
    def __call__(self, left: ImagePath, right: ImagePath, /, **options: Unpack[_Files]) -> Picture: ...

    @overload
    def __call__(self, left: Array, right: Array, /, **options: Unpack[_Views]) -> Array: ...

    @overload
    def __call__(
        self, left: Sequence[Array], right: Sequence[Array], /, **options: Unpack[_Views]
    ) -> list[Array]: ...

    @overload
    def __call__(self, left: View, right: View, /, **options: Unpack[_Views]) -> View: ...

    @overload
    def __call__(
        self, left: Sequence[View], right: Sequence[View], /, **options: Unpack[_Views]
    ) -> list[View]: ...

    def __call__(
        self,
        left: Any,
        right: Any = None,
        /,
        *,
        encoding: Encoding | None = None,
        output_encoding: Encoding | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Deblur a `DualPixelPair`, or the left and the right view as arrays, tensors, Pillow images or files.

        Args:
            left: a pair; or the left view: a NumPy array (H, W), (H, W, 3) or (B, H, W, 3); a tensor (H, W),
                (3, H, W) or (B, 3, H, W) on any device; a Pillow image of mode L, RGB, I;16 or F; the name of a
                file; or a list of these. RGB; uint8, uint16 (white is 255 or 65535) or floats (1.0); 16 px or more.
            right: the right view, of the same kind and shape; nothing beside a pair.
            encoding: of views and picture; by default what files state, else ``srgb``. A pair states its own.
            output_encoding: of the picture of a pair or of files, if not their own; then its ICC profile becomes one
                of the same colors, or is left out with an ImageWarning.
            progress: instead of the Deblurrer's own; of several pictures, it is called for each from the start.

        Returns:
            of a pair or two files a `Picture` with the metadata, and the combined view where these have a mask
            ``keep``; of other views what they are: an array or tensor of the left view's shape, type and device, an
            image of its mode, a list of these, clipped if it is of whole numbers; gray is the mean of the channels.

        Raises:
            PairError: for unusable views.
            UnreadableImageError: for files that are no pictures.
            ConfigError: if the tile is too small for the network, or the picture too large without.

        Warns:
            ImageWarning: if floats seem to have another white than 1.0.

        >>> import numpy as np
        >>> from dpanet import Deblurrer
        >>> Deblurrer("compact", device="cpu")(*np.zeros((2, 32, 48, 3), np.float32)).shape
        (32, 48, 3)
        """
        if _are_lists(left, right):
            each = _pair_up(left, right, output_encoding)
            return [self(*views, encoding=encoding, progress=progress) for views in each]
        return self._run(left, right, encoding, output_encoding, progress, defocus=False)[0]

    @overload
    def with_defocus_map(
        self, pair: DualPixelPair, /, **options: Unpack[_Pair]
    ) -> tuple[Picture, DefocusMap]: ...

    @overload
    def with_defocus_map(
        self, left: ImagePath, right: ImagePath, /, **options: Unpack[_Files]
    ) -> tuple[Picture, DefocusMap]: ...

    @overload
    def with_defocus_map(
        self, left: Array, right: Array, /, **options: Unpack[_Views]
    ) -> tuple[Array, DefocusMap]: ...

    @overload
    def with_defocus_map(
        self, left: Sequence[Array], right: Sequence[Array], /, **options: Unpack[_Views]
    ) -> list[tuple[Array, DefocusMap]]: ...

    @overload
    def with_defocus_map(
        self, left: View, right: View, /, **options: Unpack[_Views]
    ) -> tuple[View, DefocusMap]: ...

    @overload
    def with_defocus_map(
        self, left: Sequence[View], right: Sequence[View], /, **options: Unpack[_Views]
    ) -> list[tuple[View, DefocusMap]]: ...

    def with_defocus_map(
        self,
        left: Any,
        right: Any = None,
        /,
        *,
        encoding: Encoding | None = None,
        output_encoding: Encoding | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Return the picture and the defocus map, from the same run; what is given is as of a call.

        The map is that of the network, or if a lens is known, the scales at which its blur best explains the views.

        Returns:
            the picture, as of a call; the map, a NumPy array (H, W), float32, or (B, H, W) of a batch: signed blur
            radius in px, positive where the left view's kernel lies on the left (-x) side. Of lists, a list of both.

        Raises:
            ConfigError: if there is none (`has_defocus_map`), and as for a picture.

        >>> import numpy as np
        >>> from dpanet import Deblurrer
        >>> view = np.full((32, 48, 3), 0.5, np.float32)
        >>> picture, radius = Deblurrer("compact", device="cpu").with_defocus_map(view, view)
        >>> picture.shape, radius.shape
        ((32, 48, 3), (32, 48))
        """
        self.check_defocus_map()
        if _are_lists(left, right):
            each = _pair_up(left, right, output_encoding)
            return [self.with_defocus_map(*views, encoding=encoding, progress=progress) for views in each]
        return self._run(left, right, encoding, output_encoding, progress, defocus=True)

    def defocus_map(
        self,
        left: Any,
        right: Any = None,
        /,
        *,
        encoding: Encoding | None = None,
        progress: Progress | None = None,
    ) -> DefocusMap:
        """Return the defocus map alone, of a pair or of two views, but not of lists; see `with_defocus_map`.

        >>> import numpy as np
        >>> from dpanet import Deblurrer, DualPixelPair
        >>> view = np.full((32, 48, 3), 0.5, np.float32)
        >>> Deblurrer("compact", device="cpu").defocus_map(DualPixelPair(view, view)).shape
        (32, 48)
        """
        self.check_defocus_map()
        radius: DefocusMap = self._run(left, right, encoding, None, progress, defocus=True)[1]
        return radius

    @property
    def has_defocus_map(self) -> bool:
        """Whether the network has a defocus map, or a lens is known or to be found, which gives one with any network.

        >>> from dpanet import Deblurrer
        >>> from dpanet.lenses.pixel4 import Pixel4
        >>> [Deblurrer("nano", device="cpu", lens=lens).has_defocus_map for lens in (None, Pixel4())]
        [False, True]
        """
        return self.engine.description.has_defocus or self.lens is not None

    def check_defocus_map(self) -> None:
        """Raise ConfigError unless there is a defocus map (`has_defocus_map`).

        >>> from dpanet import Deblurrer
        >>> Deblurrer("nano", device="cpu").check_defocus_map()
        Traceback (most recent call last):
        dpanet.errors.ConfigError: this model has no defocus map; choose one that has (compact), or add --find-lens
        """
        if not self.has_defocus_map:
            raise ConfigError(
                "this model has no defocus map; choose one that has (compact), or add --find-lens"
            )

    def _run(
        self,
        left: Any,
        right: Any,
        encoding: Encoding | None,
        output_encoding: Encoding | None,
        progress: Progress | None,
        *,
        defocus: bool,
    ) -> tuple[Any, Any]:
        """Return the picture of what is no list, of its kind, and with `defocus` the map."""
        if is_path(left) and is_path(right):
            from dpanet.images.reading import read_pair

            left, right, encoding = read_pair(left, right, encoding), None, None
        if isinstance(left, DualPixelPair):
            if right is not None:
                raise PairError(
                    f"beside a pair there is {type(right).__name__}; give the pair alone, which has both views, or "
                    "two views, and options by name"
                )
            if encoding is not None:
                raise ConfigError(f"encoding is {encoding!r}, but a pair states its own; leave it out")
            return self._deblur(left, output_encoding, defocus=defocus, progress=progress)
        _refuse(output_encoding)
        array, other, give_back = to_arrays(left, right)
        pairs = to_pairs(array, other, encoding or "srgb")
        made = [self._deblur(pair, None, defocus=defocus, progress=progress) for pair in pairs]
        picture = give_back(from_pictures([picture.pixels for picture, _ in made], array.shape, array.dtype))
        if not defocus:
            return picture, None
        size = array.shape[:2] if array.ndim < 4 else array.shape[:3]
        return picture, np.array([radius for _, radius in made], np.float32).reshape(size)

    def _deblur(
        self,
        pair: DualPixelPair,
        output_encoding: Encoding | None,
        *,
        defocus: bool,
        progress: Progress | None,
    ) -> tuple[Picture, DefocusMap | None]:
        raise NotImplementedError


def _are_lists(left: Any, right: Any) -> bool:
    return isinstance(left, list | tuple) and isinstance(right, list | tuple)


def _pair_up(
    left: Sequence[Any], right: Sequence[Any], output_encoding: Encoding | None
) -> list[tuple[Any, Any]]:
    _refuse(output_encoding)
    if len(left) != len(right):
        raise PairError(f"there are {len(left)} left and {len(right)} right views; give one of each")
    return list(zip(left, right, strict=True))


def _refuse(output_encoding: Encoding | None) -> None:
    if output_encoding is not None:
        raise ConfigError(f"output_encoding is {output_encoding!r}; leave it out but for pairs and files")
