"""Check that the files of two views agree in all that makes them views of one exposure."""

from __future__ import annotations

import hashlib
import warnings

import numpy as np

from dpanet.containers.decoded_image import CodeRows, ImageFile
from dpanet.containers.exif import camera, orientation
from dpanet.containers.icc_profile import profile_name
from dpanet.errors import ImageWarning, PairError, shown

_COLOR = (b"cICP", b"gAMA", b"cHRM")
"""Chunks of a PNG that say how its values are meant, and that must not contradict each other."""


def check_views(left: ImageFile[CodeRows], right: ImageFile[CodeRows]) -> None:
    """Check that two views agree in size, orientation, depth, channels, profile, stated encoding and camera.

    A view without EXIF may be of any camera, and one that states no encoding is taken as sRGB. If only their alpha
    channels differ, an ImageWarning says which is carried over.

    Raises:
        PairError: naming both files and both values, if they differ.
    """
    _compare(left, right, _size(left), _size(right), "give the two views of the same capture")
    _compare(left, right, _orientation(left), _orientation(right), "export both views unturned, in one way")
    _compare(left, right, _depth(left), _depth(right), "export both views at one depth")
    _compare(left, right, _channels(left), _channels(right), "export both views alike")
    if _essence(left.icc) != _essence(right.icc):
        first, second = (
            f"the profile {_describe(view.icc)}" if view.icc else "no profile" for view in (left, right)
        )
        if first == second:
            first, second = (
                f"{text} ({_digest(view.icc)})" for text, view in ((first, left), (second, right))
            )
        _compare(left, right, f"with {first}", f"with {second}", "export both views with one profile")
    first, second = (f"encoded as {view.encoding or 'srgb'}" for view in (left, right))
    _compare(left, right, first, second, "export both views alike")
    _check_chunks(left, right)
    cameras = camera(left.exif), camera(right.exif)
    if _is_other_camera(*cameras):
        first, second = (f"of the camera {shown(' '.join(filter(None, name)))}" for name in cameras)
        _compare(left, right, first, second, "give the two views of the same capture")
    _warn_of_alpha(left, right)


def warn_of_transparency(image: ImageFile[CodeRows]) -> None:
    """Warn if a picture has transparent pixels, which are treated like all others."""
    if not image.opaque:
        warnings.warn(
            ImageWarning(
                f"{shown(image.path)} has transparent pixels; their colors are used like all others, and the alpha "
                "channel is carried over unchanged",
                "alpha",
            ),
            stacklevel=3,
        )


def warn_of_conversion(*images: ImageFile[CodeRows]) -> None:
    """Warn if the colors of one picture, or of two views alike, were converted when it was read: once for both."""
    for way in dict.fromkeys(image.conversion for image in images if image.conversion):
        names = [shown(image.path) for image in images if image.conversion == way]
        verb = "is" if len(names) == 1 else "are"
        warnings.warn(
            ImageWarning(f"{' and '.join(names)} {verb} in CMYK; the colors were converted to sRGB by {way}"),
            stacklevel=3,
        )


def _warn_of_alpha(left: ImageFile[CodeRows], right: ImageFile[CodeRows]) -> None:
    if left.alpha is None or right.alpha is None:  # a view without alpha is opaque
        same = left.opaque and right.opaque
    else:
        same = np.array_equal(left.alpha, right.alpha)
    if same:
        warn_of_transparency(left)
        return
    name = shown(left.path)
    result = f"that of {name} is carried over"
    if left.alpha is None:
        result = f"{name} has none, so that none is carried over"
    text = f"{name} and {shown(right.path)} differ in their alpha channels; {result}"
    warnings.warn(ImageWarning(text, "alpha"), stacklevel=3)


def _compare(
    left: ImageFile[CodeRows], right: ImageFile[CodeRows], first: str, second: str, remedy: str
) -> None:
    if first != second:
        raise PairError(f"{shown(left.path)} is {first} and {shown(right.path)} is {second}; {remedy}")


def _check_chunks(left: ImageFile[CodeRows], right: ImageFile[CodeRows]) -> None:
    first, second = dict(left.png), dict(right.png)
    for name in _COLOR:
        if name in first and name in second and first[name] != second[name]:
            values = [
                f"with the chunk {name.decode('ascii')} {chunks[name].hex()}" for chunks in (first, second)
            ]
            _compare(left, right, values[0], values[1], "export both views alike")


def _size(file: ImageFile[CodeRows]) -> str:
    return f"{file.codes.shape[1]} x {file.codes.shape[0]} px"


def _orientation(file: ImageFile[CodeRows]) -> str:
    return f"of EXIF orientation {orientation(file.exif)}"


def _depth(file: ImageFile[CodeRows]) -> str:
    return f"of {file.codes.dtype}" if file.bits == 32 else f"{file.bits}-bit"


def _channels(file: ImageFile[CodeRows]) -> str:
    return "gray" if file.gray else "in color"


def _is_other_camera(left: tuple[str, str], right: tuple[str, str]) -> bool:
    """Return whether two makes and models are of different cameras, however programs write them.

    "NIKON CORPORATION", "NIKON D850" and "Nikon", "D850" are one; so are a camera and none.
    """
    brands = [make.casefold().split()[:1] for make, _ in (left, right)]
    known = [word for brand in brands for word in brand]
    models = [[word for word in model.casefold().split() if word not in known] for _, model in (left, right)]
    return any(first and second and first != second for first, second in (brands, models))


def _essence(profile: bytes | None) -> bytes | None:
    """Return a profile without what differs from export to export: date, identifier and the programs involved."""
    return None if profile is None else profile[8:24] + profile[36:40] + profile[44:80] + profile[100:]


def _digest(profile: bytes | None) -> str:
    return hashlib.sha256(profile or b"").hexdigest()[:8]


def _describe(profile: bytes) -> str:
    """Return the name of an ICC profile, else a short digest."""
    name = profile_name(profile)
    return f'"{name}"' if name else _digest(profile)
