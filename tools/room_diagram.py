"""Draw the folders of the package in rows: a folder imports from rows below, and within its row to the right."""

from __future__ import annotations

from xml.sax.saxutils import escape

ROWS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "doors",
        (("cli", "one file per command"), ("app", "page in the browser"), ("cluster", "many machines")),
    ),
    ("work of a command", (("jobs", "pairs read, deblurred, written"), ("terminal", "messages, progress"))),
    (
        "around deblurring",
        (
            ("benchmark", "how fast"),
            ("training", "loop, run folder"),
            ("report", "page of scores"),
            ("fidelity", "blur, measured"),
            ("evaluation", "scores, methods"),
            ("inspection", "usable pair?"),
            ("export", "other runtimes"),
        ),
    ),
    (
        "picture out",
        (
            ("deblurrer", "loop, strength"),
            ("tiles", "cut, blended, sizes"),
            ("engines", "what computes"),
            ("views", "arrays, tensors, Pillow images"),
        ),
    ),
    (
        "blur and data",
        (
            ("deconvolution", "Wiener, disparity, fits"),
            ("simulation", "scenes, lenses"),
            ("recording", "sensor, files of cameras"),
            ("datasets", "layouts of captures"),
        ),
    ),
    (
        "alignment",
        (
            ("checkpoints", "model files"),
            ("network", "the paper's figure"),
            ("refinement", "the optics after the network"),
            ("lenses", "kernels of known lenses"),
        ),
    ),
    ("pair in", (("camera_raw", "raw files"), ("images", "reading, writing"))),
    ("bytes", (("formats", "PNG, TIFF, JPEG ..."), ("containers", "chunks, tags, profiles"))),
    (
        "foundation",
        (
            ("files", "whole or not at all"),
            ("processes", "workers, interrupts"),
            ("pair", "the two types"),
            ("extras", "packages"),
            ("errors", "one tree"),
            ("version", ""),
        ),
    ),
)
"""What each row is for, and its folders and files, in the order of imports."""

WIDTH, LABEL, ROW, BOX, GAP = 980, 150, 58, 44, 8
"""Pixels: of the drawing, of the labels on its left, and of rows, boxes and the space between these."""


def draw_rooms() -> str:
    """Return the drawing as SVG."""
    height = ROW * len(ROWS) + 2 * GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="system-ui, sans-serif" role="img">',
        "<title>Folders of dpanet; each imports only from below, and from its own row to the right</title>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
    ]
    for number, (label, rooms) in enumerate(ROWS):
        top = GAP + ROW * number
        middle = top + BOX / 2 + 5
        parts.append(f'<text x="14" y="{middle:g}" font-size="13" fill="#555f6d">{escape(label)}</text>')
        width = (WIDTH - LABEL - GAP) / len(rooms) - GAP
        for place, (room, text) in enumerate(rooms):
            left = LABEL + place * (width + GAP)
            strong = label in ("picture out", "alignment", "pair in")
            fill, line = ("#dbeafe", "#3b6fb5") if strong else ("#f1f4f8", "#b8c2cf")
            parts.append(
                f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BOX}" rx="5" fill="{fill}" '
                f'stroke="{line}"/>'
            )
            center = left + width / 2
            parts.append(
                f'<text x="{center:.1f}" y="{top + 19}" font-size="14" font-weight="600" text-anchor="middle" '
                f'fill="#1c2530">{escape(room)}</text>'
            )
            size = 12 if width > 150 else 10.5
            parts.append(
                f'<text x="{center:.1f}" y="{top + 35}" font-size="{size}" text-anchor="middle" '
                f'fill="#555f6d">{escape(text)}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"
