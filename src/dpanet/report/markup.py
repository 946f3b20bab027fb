"""HTML that cannot be injected into: text is escaped unless it was made here."""

from __future__ import annotations

import html
import json
from typing import Any


class Html(str):
    """Markup that is already safe to write."""

    __slots__ = ()


Attribute = str | int | float | bool | None

VOID = frozenset({"img", "input", "link", "meta", "br"})


def escaped(child: str) -> Html:
    """`child` as it is if it is markup already, else with <, >, & and both quotes escaped."""
    return child if isinstance(child, Html) else Html(html.escape(child, quote=True))


def joined(*children: str) -> Html:
    """Children one after another, each escaped unless it is markup."""
    return Html("".join(escaped(child) for child in children))


def element(name: str, /, *children: str, **attributes: Attribute) -> Html:
    """One element; children and attribute values are escaped.

    Args: attributes: ``class_`` and ``for_`` lose the underscore, other underscores become hyphens
          (``data_scene``). True writes the bare name; None and False leave the attribute out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(*children)}</{name}>")


def data_block(value: Any, class_: str) -> Html:
    """A JSON block for the page's script; nothing in it can end the block or start another."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    text = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return element("script", Html(text), type="application/json", class_=class_)


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{html.escape(str(value), quote=True)}"'
