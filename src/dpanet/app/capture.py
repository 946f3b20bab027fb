"""A capture that a visitor sent: its files, its state, its result."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dpanet.app.page_words import merge_notes, use_page_words
from dpanet.errors import shown
from dpanet.images.pairing import SUFFIXES
from dpanet.jobs.job_list import RAW_SUFFIXES
from dpanet.pair import Encoding

State = Literal["sending", "waiting", "working", "done", "failed", "canceled"]

UNFINISHED: tuple[State, ...] = ("sending", "waiting", "working")

SIDES = ("left", "right")


class CanceledError(Exception):
    """The visitor does not want the capture any more."""


@dataclass(frozen=True)
class Result:
    """What a page shows of a deblurred capture."""

    width: int
    """Px, upright, as all pictures of the page."""
    height: int
    seconds: float
    """That it took, without the time in the queue."""
    span: float | None
    """Blur radius in px at the ends of the colors of the defocus map; None if there is no map."""


@dataclass
class Capture:
    """One pair or raw file, from its first byte to its deletion.

    All files lie in `folder` under names of the server's choice; the visitor's names are shown and never used.
    """

    id: str
    """Random."""
    folder: Path
    """Of this capture alone."""
    names: dict[str, str]
    """Names of the visitor's files, by side; a raw file is ``left``."""
    model: str
    camera: str | None
    refine: bool = False
    """By the lens of the camera, or the one that is found."""
    files: dict[str, Path] = field(default_factory=dict)
    """Those that are there, by side."""
    state: State = "sending"
    stage: str = "Sending"
    fraction: float = 0.0
    seconds_left: float | None = None
    error: str = ""
    notes: tuple[str, ...] = ()
    """Remarks on the files, one sentence each; there as soon as the files were read."""
    result: Result | None = None
    encoding: Encoding = "srgb"
    """Of the picture."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Of the picture, but for its alpha channel, which is in the file."""
    canceled: threading.Event = field(default_factory=threading.Event)
    stored: int = 0
    """Bytes of its files."""

    @property
    def title(self) -> str:
        """Of the capture, for the names of downloads: the left file's name without side and suffix."""
        stem = re.sub(r"\.[^.]*$", "", self.names["left"].replace("\\", "/").rpartition("/")[2])
        stem = (
            re.sub(r"[-_. ]?left$|[-_. ]l$", "", stem, flags=re.IGNORECASE) if len(self.names) == 2 else stem
        )
        return re.sub(r"[^\w.() +-]", "_", stem).strip(". ") or "picture"

    @property
    def upload_path(self) -> dict[str, Path]:
        """Where the file of each side is stored."""
        return {side: self.folder / f"{side}{_known_suffix(name)}" for side, name in self.names.items()}

    @property
    def picture(self) -> Path:
        """The network's picture, 16 bits."""
        return self.folder / "picture.tif"

    @property
    def beyond(self) -> Path:
        """What does not fit into 16 bits, below 0 and above 1: places in the flat array, and values."""
        return self.folder / "beyond.npz"

    @property
    def radius(self) -> Path:
        """The defocus map, float32, px."""
        return self.folder / "radius.npy"

    def preview(self, name: str) -> Path:
        """What the page draws: ``before``, ``after`` or ``defocus``."""
        return self.folder / f"{name}.png"

    def check_canceled(self) -> None:
        """Raise CanceledError if the visitor canceled it."""
        if self.canceled.is_set():
            raise CanceledError

    def describe(self, text: str) -> str:
        """Return a sentence with the visitor's names of the files, and with the page's words for options."""
        for side, path in self.upload_path.items():
            text = text.replace(shown(path), shown(self.names[side]))
        return use_page_words(text).replace(shown(self.folder), "the temporary folder")

    def note(self, sentences: Iterable[str]) -> None:
        """Keep remarks on the files for the page, those on both views once."""
        right = shown(self.names["right"]) if "right" in self.names else None
        self.notes = merge_notes(map(self.describe, sentences), shown(self.names["left"]), right)

    def to_json(self) -> dict[str, Any]:
        """Return the state of the capture as the page shows it."""
        values: dict[str, Any] = {
            "state": self.state,
            "stage": self.stage,
            "fraction": round(self.fraction, 4),
        }
        values |= {"seconds_left": self.seconds_left, "error": self.error, "notes": self.notes}
        if self.result is not None:
            result = self.result
            values |= {"width": result.width, "height": result.height, "seconds": round(result.seconds, 3)}
            values |= {"defocus": result.span is not None, "span": result.span}
            values |= {"linear": self.encoding == "linear"}
        return values


def _known_suffix(name: str) -> str:
    suffix = Path(name.replace("\0", "")).suffix.lower()
    return suffix if suffix in (*SUFFIXES, *RAW_SUFFIXES) else ".bin"
