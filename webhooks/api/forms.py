"""Multipart bodies: fields and files, with limits enforced while reading.

name=a  tags=b  tags=c  car[brand]=d  cars[0][brand]=e  -> {"name": "a", "tags": ["b", "c"], "car": {"brand": "d"},
                                                            "cars": {"0": {"brand": "e"}}}
"""

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from core import media
from webhooks.api.answers import Denied

LONGEST_FIELD = 10_000
MOST_PARTS = 500
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\]){0,3})")


async def read_form(request: web.Request) -> tuple[Mapping[str, object], list[bytes]]:
    """The fields by name, and the files in order; raises `Denied` for a malformed or too large body."""
    fields: dict[str, Any] = {}
    files: list[bytes] = []
    try:
        reader = await request.multipart()
        for _ in range(MOST_PARTS):
            part = await reader.next()
            if part is None:
                return fields, files
            if isinstance(part, MultipartReader):
                raise Denied(400, "bad_request")
            if part.filename is not None:
                content = await _bounded(part, media.MOST_BYTES)
                if part.filename or content:  # a browser sends a file that wasn't chosen without both
                    files.append(content)
            elif part.name is not None:
                _add(fields, part.name, (await _bounded(part, LONGEST_FIELD)).decode())
            if len(files) > media.MOST_PHOTOS:
                break
    except (ValueError, RuntimeError, LookupError, AssertionError, HttpProcessingError) as error:
        raise Denied(400, "bad_request") from error
    raise Denied(413, "too_large")


def _add(fields: dict[str, Any], name: str, text: str) -> None:
    """Raises `Denied` for a name that is a text here and a list or an object there."""
    named = _NAME.fullmatch(name)
    path = [named[1], *re.findall(r"\[([^\[\]]*)\]", named[2])] if named else [name]
    inside = fields
    for at, each in enumerate(path):
        key = each or str(len(inside))
        if at == len(path) - 1:
            given = inside.get(key)
            inside[key] = text if given is None else [*given, text] if isinstance(given, list) else [given, text]
        else:
            inside = inside.setdefault(key, {})
        if not isinstance(inside, dict):
            raise Denied(400, "bad_request")


async def _bounded(part: BodyPartReader, most: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > most:
            raise Denied(413, "too_large")
    return bytes(content)
