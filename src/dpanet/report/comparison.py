"""Published figures beside those of this run, each with what makes it comparable or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dpanet.report.folder import NOTHING, Scores, method_names
from dpanet.report.markup import Html, element, joined
from dpanet.report.numbers import ABSENT, metric_of, ranks, written
from dpanet.report.published import PUBLISHED, Figures, Origin, Published, PublishedSet
from dpanet.report.tables import caption, counted, group_row, method_title, named, ranked, scrollable

PROTOCOL = "as_published"
CLASSES: dict[Origin, str] = {
    "read directly": "read",
    "second hand": "hearsay",
    "read off a chart": "chart",
    "from memory": "memory",
}
COLUMNS = ("Method", "Views", "Bits", "PSNR,\N{NO-BREAK SPACE}dB", "SSIM", "MAE", "LPIPS")
MAP_METRICS = ("aiwe1", "aiwe2", "spearman")


def published_section(scores: Scores) -> Html:
    """The table of published means, where the data set has any; otherwise nothing."""
    known = PUBLISHED.get(scores["layout"])
    if known is None or PROTOCOL not in scores["protocols"]:
        return Html("")
    labelled = any(row.indoor or row.outdoor for row in known.rows)
    headings = [*COLUMNS, *(("Indoor PSNR / SSIM", "Outdoor PSNR / SSIM") if labelled else ()), "Size, px"]
    head = element("thead", element("tr", *(_heading(text) for text in (*headings, "Origin"))))
    width = len(headings) + 1
    ours = [_our_row(scores, name, labelled) for name in method_names(scores)]
    measured = f"Measured in this run, {counted(len(scores['scenes']))}, as published"
    groups = [element("tbody", group_row(measured, width), *ours)]
    one = [row for row in known.rows if row.views == "single"]
    several = [row for row in known.rows if row.views != "single"]
    for rows, source in ((several, "both views"), (one, "one picture")):
        if rows:
            quoted = group_row(f"Published by others, from {source}, {known.images} images", width)
            theirs = [_their_row(row, labelled) for row in rows]
            groups.append(element("tbody", quoted, *theirs, class_="theirs"))
    title = caption(element("strong", f"{known.title}: means over images"))
    table = element("table", title, head, *groups, class_="published")
    return element(
        "section",
        element("h2", "Published figures"),
        element("p", _caution(scores, known)),
        scrollable("Published figures", table),
        _legend(known),
        id="published",
    )


def defocus_section(scores: Scores) -> Html:
    """Errors of the defocus maps, where they were scored, beside the published ones."""
    maps: Mapping[str, Mapping[str, Any]] = scores.get("defocus") or {}
    if not maps:
        return Html("")
    known = PUBLISHED.get(scores["layout"])
    columns = {metric: ranks([row.get(metric) for row in maps.values()], metric) for metric in MAP_METRICS}
    names = method_names(scores)
    mapped = sum("defocus" in scene for scene in scores["scenes"]) or len(scores["scenes"])
    rows = []
    for index, (name, row) in enumerate(maps.items()):
        title = named(names.index(name), name) if name in names else name
        cells = [element("th", title, scope="row")]
        for metric in MAP_METRICS:
            value = ranked(written(row.get(metric), metric), columns[metric][index])
            cells.append(element("td", value, class_="number"))
        rows.append(element("tr", *cells, element("td", "this run")))
    theirs = []
    for other in known.maps if known else ():
        figures = (other.aiwe1, other.aiwe2, other.rank_error)
        cells = [element("th", other.method, scope="row"), *(_figure(text, other.origin) for text in figures)]
        theirs.append(element("tr", *cells, element("td", _origin(other.origin, other.source))))
    headings = ("Method", *(metric_of(metric).heading for metric in MAP_METRICS), "Origin")
    groups = [element("tbody", group_row(f"Measured in this run, {counted(mapped)}", 5), *rows)]
    if theirs and known:
        quoted = group_row(f"Published by others, {known.images} images", 5)
        groups.append(element("tbody", quoted, *theirs, class_="theirs"))
    table = element(
        "table",
        caption(element("strong", "Errors of the defocus map, blind to its affine scale")),
        element("thead", element("tr", *(_heading(text) for text in headings))),
        *groups,
    )
    explained = (
        "Lower is better. AIWE: affine-invariant weighted error, mean absolute (1) and root mean square (2). "
        "ρ: Spearman's rank correlation with the true map."
    )
    return element(
        "section",
        element("h2", "Defocus maps"),
        element("p", explained, class_="remark"),
        scrollable("Errors of the defocus map", table),
        id="defocus",
    )


def _caution(scores: Scores, known: PublishedSet) -> str:
    count = len(scores["scenes"])
    texts = ["Quoted, not measured here; scored without any alignment, like the protocol “as published”."]
    if count != known.images:
        texts.append(
            f"They are means over all {known.images} images, while this run holds {count}: "
            "do not compare a row with a row."
        )
    texts.append("Depth and size move figures too, so compare only rows that share them.")
    texts.append("DPANet itself is missing because its published figures could not be read.")
    return " ".join(texts)


def _our_row(scores: Scores, name: str, labelled: bool) -> Html:
    whole = scores["summary"][name]
    part = whole[PROTOCOL]
    cells = [element("th", named(method_names(scores).index(name), method_title(name)), scope="row")]
    cells.append(element("td", "–" if name == NOTHING else "both offered"))
    bits = f"{scores['bits']}, official reading" if scores["official"] else str(scores["bits"])
    cells.append(element("td", bits))
    for metric in ("psnr", "ssim", "mae", "lpips"):
        spread = part.get(metric)
        text = ABSENT if spread is None else written(spread["mean"], metric)
        cells.append(element("td", text, class_="number absent" if spread is None else "number"))
    if labelled:
        for label in ("indoor", "outdoor"):
            cells.append(_our_label_cell(whole.get("labels", {}).get(label, {}).get(PROTOCOL)))
    sizes = sorted({(scene["width"], scene["height"]) for scene in scores["scenes"]})
    size = f"{sizes[0][0]} × {sizes[0][1]}" if len(sizes) == 1 else "several"
    return element("tr", *cells, element("td", size, class_="size"), element("td", "this run"))


def _our_label_cell(part: Mapping[str, Any] | None) -> Html:
    if not part or not part.get("psnr") or not part.get("ssim"):
        return element("td", "–", class_="number")
    text = " / ".join(written(part[metric]["mean"], metric) for metric in ("psnr", "ssim"))
    return element("td", text, class_="number")


def _their_row(row: Published, labelled: bool) -> Html:
    cells = [
        element("th", row.method, scope="row"),
        element("td", "–" if row.views == "none" else row.views),
        element("td", row.bits),
    ]
    mean = row.mean
    cells += [_figure(text, row.origin) for text in (mean.psnr, mean.ssim, mean.mae, mean.lpips)]
    if labelled:
        cells += [_label_figure(figures, row.origin) for figures in (row.indoor, row.outdoor)]
    cells.append(element("td", f"{row.size[0]} × {row.size[1]}", class_="size"))
    return element("tr", *cells, element("td", _origin(row.origin, row.source)))


def _label_figure(figures: Figures | None, origin: Origin) -> Html:
    if figures is None:
        return element("td", "–", class_="number")
    title = None
    if figures.mae:
        title = f"MAE {figures.mae}" + (f", LPIPS {figures.lpips}" if figures.lpips else "")
    pair = " / ".join(text for text in (figures.psnr, figures.ssim) if text)
    return _figure(pair, origin, title)


def _figure(text: str | None, origin: Origin, title: str | None = None) -> Html:
    if text is None:
        return element("td", "–", class_="number")
    if origin == "from memory":
        told = element("sup", "m", title="quoted from memory")
        return element("td", element("i", text), told, class_="number memory", title=title)
    return element("td", text, class_="number", title=title)


def _origin(origin: Origin, source: str) -> Html:
    return joined(
        element("span", origin, class_=f"origin {CLASSES[origin]}"),
        " ",
        element("span", source, class_="source"),
    )


def _legend(known: PublishedSet) -> Html:
    marked = any(row.origin == "from memory" for row in known.rows)
    memory = "Figures in italics with m are quoted from memory and unconfirmed. " if marked else ""
    approximate = any((row.mean.psnr or "").startswith("≈") for row in known.rows)
    about = "≈ is about. " if approximate else ""
    return element("p", f"{memory}{about}A dash: the source prints none.", class_="remark")


def _heading(text: str) -> Html:
    words = ("PSNR", "SSIM", "MAE", "LPIPS", "AIWE", "|ρ|")
    number = any(word in text for word in words)
    return element(
        "th", text, scope="col", class_="number unbroken" if "|" in text else "number" if number else None
    )
