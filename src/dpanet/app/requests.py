"""What requests contain, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any, cast

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dpanet.app.page_words import CAMERAS
from dpanet.deblurrer.control import Control
from dpanet.errors import ConfigError
from dpanet.pair import Encoding

_LARGEST_REQUEST = 1 << 16
"""Bytes of a request that is no picture."""

_LONGEST_NAME = 400


def refuse(status: int, sentence: str) -> HTTPException:
    """Return an error for the page; its text is one sentence."""
    return HTTPException(status, sentence)


async def read_new_capture(
    request: Request, models: Collection[str]
) -> tuple[dict[str, str], str, str | None, bool]:
    """Return the names of the files by side, the model, the camera, and whether a new capture is to be refined.

    Raises:
        HTTPException: if one is wrong.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_REQUEST:
            raise refuse(413, "the request is too large; reload the page")
    try:
        wanted = json.loads(body)
    except ValueError as error:
        raise refuse(400, "the request is no JSON; reload the page") from error
    if not isinstance(wanted, dict):
        raise refuse(400, "the request is no JSON object; reload the page")
    names = {side: _name(wanted[side]) for side in ("left", "right") if wanted.get(side) is not None}
    if "left" not in names:
        raise refuse(400, "the left view or the raw file is missing; choose the pictures again")
    model, camera = wanted.get("model"), wanted.get("camera")
    if model not in models:
        raise refuse(400, f"there is no model {str(model)[:40]!r}; choose one of {', '.join(models)}")
    if camera is not None and camera not in CAMERAS:
        raise refuse(400, f"there is no camera {str(camera)[:40]!r}; choose one of {', '.join(CAMERAS)}")
    refine = wanted.get("refine", False)
    if not isinstance(refine, bool):
        raise refuse(400, f"refine is {str(refine)[:40]!r}; give true or false")
    return names, str(model), camera, refine


def read_control(query: QueryParams) -> Control:
    """Return how a picture is to be mixed. Raises: HTTPException for a value that is impossible."""
    strength, keep = _number(query, "strength"), _number(query, "keep")
    try:
        return Control(strength=1.0 if strength is None else strength, keep_background=keep)
    except ConfigError as error:
        raise refuse(400, str(error)) from error


def read_values(query: QueryParams) -> Encoding | None:
    """Return the encoding that a download is to have; None for that of the picture. Raises: HTTPException."""
    values = query.get("values")
    if values not in (None, "srgb", "linear"):
        raise refuse(400, f"values is {values[:40]!r}; give srgb or linear")
    return cast("Encoding | None", values)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > _LONGEST_NAME:
        raise refuse(400, f"a file has no name of 1 to {_LONGEST_NAME} characters; rename it")
    return value


def _number(query: QueryParams, name: str) -> float | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise refuse(400, f"{name} is {text[:40]!r}; give a number")
    return value
