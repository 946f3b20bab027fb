"""Figures that others published, quoted with depth, size and origin; none of them was measured here.

DPANet's own tables could not be read, so no figure of it is quoted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal["read directly", "second hand", "read off a chart", "from memory"]
Views = Literal["none", "single", "dual", "dual and combined", "not stated"]


@dataclass(frozen=True)
class Figures:
    """One row's numbers as printed at the source; None where it prints none, ``≈`` where only about."""

    psnr: str | None = None
    ssim: str | None = None
    mae: str | None = None
    lpips: str | None = None


@dataclass(frozen=True)
class Published:
    """A method's means over a whole test set.

    bits: depth of the files that were read, as the method's own configuration gives it.
    size: px, width and height, at which it was scored.
    """

    method: str
    views: Views
    bits: str
    mean: Figures
    origin: Origin
    source: str
    indoor: Figures | None = None
    outdoor: Figures | None = None
    size: tuple[int, int] = (1680, 1120)


@dataclass(frozen=True)
class PublishedMap:
    """A method's errors of the defocus map, blind to its affine scale; lower is better.

    rank_error: 1 - |rho|, rho being Spearman's rank correlation.
    """

    method: str
    aiwe1: str
    aiwe2: str
    rank_error: str
    origin: Origin
    source: str


@dataclass(frozen=True)
class PublishedSet:
    """The published means on one data set, over `images` images."""

    title: str
    images: int
    rows: tuple[Published, ...]
    maps: tuple[PublishedMap, ...] = ()


def _row(text: str) -> Figures:
    """Figures from ``PSNR/SSIM/MAE/LPIPS``; a dash where there is none."""
    parts = [None if part == "-" else part for part in text.split("/")]
    return Figures(*parts)


_GRL = "Table 3 of GRL (CVPR 2023)"


def _grl(method: str, views: Views, bits: str, indoor: str, outdoor: str, mean: str) -> Published:
    return Published(method, views, bits, _row(mean), "read directly", _GRL, _row(indoor), _row(outdoor))


def _chart(method: str, views: Views, bits: str, psnr: str) -> Published:
    return Published(
        method, views, bits, Figures(psnr), "read off a chart", "chart of LDP (CVPR 2024), ±0.05 dB"
    )


def _readme(method: str, views: Views, bits: str, mean: str) -> Published:
    return Published(method, views, bits, _row(mean), "read directly", "its authors' README")


DPDD = PublishedSet(
    "DPDD test set",
    76,
    (
        Published("Input", "none", "8", _row("23.89/.725/-/.349"), "from memory", "IFAN's paper"),
        _grl(
            "DPDNet", "single", "16", "26.54/.816/.031/.239", "22.25/.682/.056/.313", "24.34/.747/.044/.277"
        ),
        _grl("KPAC", "single", "8", "27.97/.852/.026/.182", "22.62/.701/.053/.269", "25.22/.774/.040/.227"),
        _grl("IFAN", "single", "8", "28.11/.861/.026/.179", "22.76/.720/.052/.254", "25.37/.789/.039/.217"),
        Published("MDP", "single", "16", Figures("≈25.35"), "second hand", "an issue on its repository"),
        _grl(
            "Restormer", "single", "8", "28.87/.882/.025/.145", "23.24/.743/.050/.209", "25.98/.811/.038/.178"
        ),
        _grl(
            "GRL-B",
            "single",
            "not stated",
            "29.06/.886/.024/.139",
            "23.45/.761/.049/.196",
            "26.18/.822/.037/.168",
        ),
        _readme("LaKDNet", "single", "8", "26.15/.810"),
        _readme("LaKDNet-L", "single", "8", "26.25/.813"),
        _grl("DPDNet", "dual", "16", "27.48/.849/.029/.189", "22.90/.726/.052/.255", "25.13/.786/.041/.223"),
        Published("DPDNet", "dual", "8", Figures("25.23"), "second hand", "an issue on IFAN's repository"),
        _grl("RDPD", "dual", "8", "28.10/.843/.027/.210", "22.82/.704/.053/.298", "25.39/.772/.040/.255"),
        _readme("DDDNet", "dual", "8", "25.41/.839"),
        Published(
            "DDDNet, at half size",
            "dual",
            "8",
            _row("26.76/.842"),
            "second hand",
            "issues on its repository, of its paper",
            size=(840, 560),
        ),
        Published("DRBNet", "dual", "8", Figures("25.57"), "second hand", "an issue on its repository"),
        Published("DRBNet", "dual", "16", Figures("25.61"), "second hand", "the same issue, a user's run"),
        _grl(
            "Uformer",
            "dual",
            "not stated",
            "28.23/.860/.026/.199",
            "23.10/.728/.051/.285",
            "25.65/.795/.039/.243",
        ),
        _chart("DeepRFT", "not stated", "not stated", "≈25.8"),
        _grl(
            "IFAN",
            "dual",
            "not stated (weights: 8)",
            "28.66/.868/.025/.172",
            "23.46/.743/.049/.240",
            "25.99/.804/.037/.207",
        ),
        Published(
            "IFAN, 8-bit weights",
            "not stated",
            "16",
            _row("26.02/.806/.037"),
            "second hand",
            "an issue on Restormer's repository, a user's run",
            _row("28.70/.870/.025"),
            _row("23.49/.744/.049"),
        ),
        _chart("BaMBNet", "dual", "16", "≈26.4"),
        _grl(
            "Restormer", "dual", "16", "29.48/.895/.023/.134", "23.97/.773/.047/.175", "26.66/.833/.035/.155"
        ),
        _readme("LaKDNet", "dual and combined", "16", "26.72/.826"),
        _readme("LaKDNet-L", "dual and combined", "16", "26.89/.832"),
        _chart("LDP, small", "dual", "not stated", "≈26.9"),
        _chart("K3DN", "dual", "not stated", "≈27.0"),
        _grl(
            "GRL-B",
            "dual",
            "not stated",
            "29.83/.903/.022/.114",
            "24.39/.795/.045/.150",
            "27.04/.847/.034/.133",
        ),
        _readme("Swintormer", "dual", "16", "27.07"),
        Published(
            "LDP, large",
            "dual",
            "not stated",
            Figures("27.24"),
            "second hand",
            "a collection of tables on the web; indoor and outdoor look swapped there, put right here",
            Figures("29.88"),
            Figures("24.73"),
        ),
    ),
)

_XIN = "table of Xin et al. (ICCV 2021)"


def _xin(method: str, mean: str, views: Views = "dual") -> Published:
    return Published(
        method,
        views,
        "14\N{NO-BREAK SPACE}in\N{NO-BREAK SPACE}16",
        _row(mean),
        "from memory",
        _XIN,
        size=(1344, 1008),
    )


def _map(method: str, aiwe1: str, aiwe2: str, rank_error: str) -> PublishedMap:
    return PublishedMap(method, aiwe1, aiwe2, rank_error, "from memory", _XIN)


PIXEL4 = PublishedSet(
    "Pixel 4 captures of Xin et al.",
    17,
    (
        _xin("Wiener", "25.806/.704/.032"),
        _xin("DPDNet", "25.591/.777/.034"),
        _xin("Xin et al., 2 h a picture on a Titan RTX", "26.692/.804/.027"),
    ),
    (
        _map("Wadhwa et al. 2018", ".047", ".074", ".082"),
        _map("Garg et al. 2019", ".079", ".102", ".208"),
        _map("Punnappurath et al. 2020", ".056", ".096", ".095"),
        _map("DMENet", ".144", ".183", ".586"),
        _map("Xin et al.", ".041", ".061", ".037"),
    ),
)

PUBLISHED = {"dpdd": DPDD, "restormer": DPDD, "pixel4": PIXEL4}
"""By layout of the data; own pairs have none."""
