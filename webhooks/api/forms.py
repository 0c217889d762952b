"""Multipart bodies: fields and files, with limits enforced while reading."""

from collections.abc import Mapping

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from core import media
from webhooks.api.answers import Denied

LONGEST_FIELD = 10_000
MOST_PARTS = 50


async def read_form(request: web.Request) -> tuple[Mapping[str, object], list[bytes]]:
    """The fields by name, with the `photos` linked to as a list, and the files in order; raises `Denied` for a malformed or too large body."""
    fields: dict[str, object] = {}
    links: list[str] = []
    files: list[bytes] = []
    try:
        reader = await request.multipart()
        for _ in range(MOST_PARTS):
            part = await reader.next()
            if part is None:
                return fields | {"photos": links}, files
            if isinstance(part, MultipartReader):
                raise Denied(400, "bad_request")
            if part.filename is not None:
                files.append(await _bounded(part, media.MOST_BYTES))
            elif part.name is not None:
                name, text = part.name.removesuffix("[]"), (await _bounded(part, LONGEST_FIELD)).decode()
                if name != "photos":
                    fields[name] = text
                elif text:
                    links.append(text)
            if len(files) > media.MOST_PHOTOS:
                break
    except (ValueError, RuntimeError, LookupError, AssertionError, HttpProcessingError) as error:
        raise Denied(400, "bad_request") from error
    raise Denied(413, "too_large")


async def _bounded(part: BodyPartReader, most: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > most:
            raise Denied(413, "too_large")
    return bytes(content)
