"""Photos that people sent, in a folder: checked by their content, under random names, each with a thumbnail.

bytes ── kind? small enough? readable? ──> 5f0c…e1.jpg, 5f0c…e1.thumb.jpg
"""

import asyncio
import io
import os
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from core import media
from core.refusals import BadPhotos

_FORMATS = {media.PhotoKind.JPEG: "JPEG", media.PhotoKind.PNG: "PNG", media.PhotoKind.WEBP: "WEBP"}
_UNREADABLE = (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError)
"""What Pillow raises for pictures that aren't."""


class Photos:
    """A folder of photos; `fresh_name` gives 32 random hexadecimal digits."""

    def __init__(self, folder: Path, fresh_name: Callable[[], str]) -> None:
        self._folder = folder
        self._fresh_name = fresh_name

    async def keep(self, content: bytes) -> str:
        """Store a photo and answer its key; raises `BadPhotos` for what is no photo, or too large."""
        return await asyncio.to_thread(self._keep, content)

    async def load(self, key: str) -> bytes | None:
        """The bytes of a photo or thumbnail, None where there is none."""
        if not media.is_key(key):
            return None
        return await asyncio.to_thread(self._load, key)

    def _keep(self, content: bytes) -> str:
        kind = media.kind_of(content[:12])
        if kind is None or len(content) > media.MOST_BYTES:
            raise BadPhotos(most=media.MOST_PHOTOS)
        try:
            thumbnail = _thumbnail(content, kind)
        except _UNREADABLE:
            raise BadPhotos(most=media.MOST_PHOTOS) from None
        key = media.key(self._fresh_name(), kind)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write(media.thumbnail_key(key), thumbnail)
        self._write(key, content)
        return key

    def _write(self, name: str, content: bytes) -> None:
        # Under another name first, so that nobody is served half of it.
        unfinished = self._folder / f".{name}"
        unfinished.write_bytes(content)
        os.replace(unfinished, self._folder / name)

    def _load(self, key: str) -> bytes | None:
        try:
            return (self._folder / key).read_bytes()
        except FileNotFoundError:
            return None


def _thumbnail(content: bytes, kind: media.PhotoKind) -> bytes:
    """A small JPEG, turned as the camera was held; reads the whole photo, so that a broken one shows."""
    with Image.open(io.BytesIO(content), formats=[_FORMATS[kind]]) as photo:
        if photo.width * photo.height > media.MOST_PIXELS:
            raise ValueError("unpacks to too much")
        upright = ImageOps.exif_transpose(photo).convert("RGB")
    upright.thumbnail((media.THUMBNAIL_PIXELS, media.THUMBNAIL_PIXELS))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=80)
    return out.getvalue()
