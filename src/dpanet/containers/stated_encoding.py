"""Find the encoding that a file states: by its ICC profile, by a code of video standards, or by a gamma."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dpanet.containers.icc_profile import PROBES, Profile, Values, parse_profile
from dpanet.containers.vips import to_codes, to_image
from dpanet.errors import ImageWarning, UnreadableImageError, shown
from dpanet.pair import Encoding

DISPLAY_GAMMAS = (1.7, 2.7)
"""Curves whose gamma lies between these everywhere are treated as sRGB, from which they differ little: BT.709, Adobe
RGB, ProPhoto, L*."""

LINEAR_GAMMAS = (0.95, 1.05)
"""Likewise for linear; libpng calls such differences insignificant, too."""

_DISPLAYS, _LINEAR = (1, 4, 6, 7, 11, 12, 13, 14, 15), 8
"""Transfer characteristics of ITU-T H.273: BT.709 and its relatives, gamma 2.2, sRGB; linear."""

_NAMES = {5: "gamma 2.8", 9: "logarithmic", 10: "logarithmic", 16: "PQ", 17: "SMPTE 428", 18: "HLG"}

_REMEDY = "export it with sRGB or linear values"


def encoding_of_transfer(code: int, path: Path) -> Encoding | None:
    """Return the encoding of a code of transfer characteristics (ITU-T H.273); None for "unspecified".

    Raises:
        UnreadableImageError: naming the file, if it is another, such as PQ or HLG.
    """
    if code == 2:
        return None
    if code == _LINEAR:
        return "linear"
    if code in _DISPLAYS:
        return "srgb"
    name = _NAMES.get(code, f"code {code}")
    raise UnreadableImageError(f"{shown(path)} has values with the transfer function {name}; {_REMEDY}")


def encoding_of_gamma(gamma: float, path: Path) -> Encoding:
    """Return the encoding of values whose light is value ** gamma.

    Raises:
        UnreadableImageError: naming the file, if it is neither nearly 1 nor of a display.
    """
    if DISPLAY_GAMMAS[0] <= gamma <= DISPLAY_GAMMAS[1]:
        return "srgb"
    if LINEAR_GAMMAS[0] <= gamma <= LINEAR_GAMMAS[1]:
        return "linear"
    raise UnreadableImageError(
        f"{shown(path)} states a gamma of {gamma:.3g}, neither linear nor a display's; {_REMEDY}"
    )


def encoding_of_profile(profile: Profile, path: Path) -> Encoding:
    """Return the encoding of an ICC profile: of its `cicp` tag, else its tone curves, else its tables of colors.

    Raises:
        UnreadableImageError: naming the file, if its curve is neither linear nor of a display.
    """
    if profile.transfer is not None:
        encoding = encoding_of_transfer(profile.transfer, path)
        if encoding is not None:
            return encoding
    curves = profile.curves
    if curves is None:
        light = _evaluate_tables(profile)
        curves = [] if light is None else [light]
    found = {_classify(curve) for curve in curves}
    if found in ({"srgb"}, {"linear"}):
        return "srgb" if found == {"srgb"} else "linear"
    if not found:
        warnings.warn(
            f"{shown(path)} has an ICC profile whose tone curve cannot be evaluated; its values are taken as sRGB",
            ImageWarning,
            stacklevel=2,
        )
        return "srgb"
    raise UnreadableImageError(
        f"{shown(path)} has an ICC profile whose tone curve (PQ, HLG or another) is neither linear nor a display's; "
        f"{_REMEDY}"
    )


def encoding_of_table(curves: list[Values], path: Path) -> Encoding:
    """Return the encoding of a TIFF's table of light for each code (tag TransferFunction).

    Args:
        curves: light at evenly spaced codes from 0 to white, 0 to 1, of one channel or each.
        path: of the file, for errors.

    Raises:
        UnreadableImageError: naming the file, if it is neither linear nor of a display.
    """
    found = {_classify(np.interp(PROBES, np.linspace(0, 1, len(curve)), curve)) for curve in curves}
    if found not in ({"srgb"}, {"linear"}):
        raise UnreadableImageError(
            f"{shown(path)} states a transfer function that is neither linear nor a display's; {_REMEDY}"
        )
    return "srgb" if found == {"srgb"} else "linear"


def encoding_of_chunks(chunks: Mapping[bytes, bytes], path: Path) -> Encoding | None:
    """Return the encoding by the first of cICP, sRGB and gAMA of a PNG that states one.

    Args:
        chunks: name and data, valid.
        path: of the file, for errors.

    Raises:
        UnreadableImageError: naming the file, if it is neither linear nor a display's.
    """
    encoding: Encoding | None = None
    if b"cICP" in chunks:
        encoding = encoding_of_transfer(chunks[b"cICP"][1], path)
    if encoding is None and b"sRGB" in chunks:
        encoding = "srgb"
    if encoding is None and b"gAMA" in chunks:
        encoding = encoding_of_gamma(100000 / int.from_bytes(chunks[b"gAMA"], "big"), path)
    return encoding


def use_profile(data: bytes | None, gray: bool, path: Path) -> tuple[bytes | None, Encoding | None]:
    """Return the ICC profile of a file that is to be kept, and the encoding that it states.

    A profile that is damaged, or of another color space than the picture, is dropped with an ImageWarning; one of RGB
    in a gray file still states the encoding.

    Raises:
        UnreadableImageError: as `encoding_of_profile`.
    """
    profile, fits = check_profile(data, gray, path)
    if profile is None:
        return None, None
    return profile.data if fits else None, encoding_of_profile(profile, path)


def check_profile(data: bytes | None, gray: bool, path: Path) -> tuple[Profile | None, bool]:
    """Return the profile of a file if it states an encoding, and whether it fits the picture and can be kept.

    A profile that is damaged, or of another color space than the picture, causes an ImageWarning.
    """
    if not data:
        return None, False
    profile = parse_profile(data)
    if profile is not None and profile.gray == gray:
        return profile, True
    reason = "is damaged or for another kind of picture"
    if profile is not None:
        reason = f"is for {'gray' if profile.gray else 'RGB'} pictures"
    text = f"{shown(path)} has an ICC profile that {reason}; it is not carried over"
    warnings.warn(text, ImageWarning, stacklevel=2)
    return profile if gray else None, False


def _classify(light: Values) -> Encoding | None:
    """Compare light at `PROBES` with powers of them, in the part where differences are seen."""
    middle = (PROBES > 0.15) & (PROBES < 0.9)
    values = light[middle]
    if (values <= 0).any() or (values >= 1).any():
        return None
    gammas = np.log(values) / np.log(PROBES[middle])
    if gammas.min() >= DISPLAY_GAMMAS[0] and gammas.max() <= DISPLAY_GAMMAS[1]:
        return "srgb"
    linear = gammas.min() >= LINEAR_GAMMAS[0] and gammas.max() <= LINEAR_GAMMAS[1]
    return "linear" if linear else None


def _evaluate_tables(profile: Profile) -> Values | None:
    """Convert grays at `PROBES` to light by the profile's tables; None if that fails."""
    import pyvips

    if not profile.tags.keys() & {b"A2B0", b"A2B1", b"A2B2"}:
        return None  # for such a profile, libvips would use another one
    ramp = np.rint(PROBES * 65535).astype(np.uint16)
    codes = ramp[None] if profile.gray else np.repeat(ramp[None, :, None], 3, axis=2)
    try:
        image = to_image(codes)
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile.data)
        light = to_codes(image.icc_import(embedded=True, pcs="xyz", intent="relative"))[0, :, 1]
    except pyvips.Error:
        return None
    return np.asarray(light / light[-1], np.float64) if light[-1] > 0 else None
