"""Photos in a folder: checked by content, stored under random names, each with a thumbnail; and voice notes beside them.

bytes ── type, size, readable? ── converted to JPEG unless every channel takes it ──> 5f0c…e1.jpg, 5f0c…e1.thumb.jpg
"""

import asyncio
import io
import os
import re
import struct
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from core import media
from core.refusals import BadPhotos

_FORMATS = {media.PhotoKind.JPEG: "JPEG", media.PhotoKind.PNG: "PNG", media.PhotoKind.WEBP: "WEBP"}
_SCAN = re.compile(rb"\xff\xda\x00[\x06\x08\x0a\x0c]")
"""The header of a JPEG scan. Coded data never holds 0xFF next to 0xDA, so no scan can be hidden. A video that a phone
appends may contain the bytes by chance, but hardly with a length that a scan can have.
"""
_UNREADABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    SyntaxError,
    # Broken EXIF data raises these three.
    struct.error,
    TypeError,
    AttributeError,
)
"""What Pillow raises for broken pictures."""
_UNFINISHED = "."
"""Prefix of a file that is still being written."""


class PhotosAway(Exception):
    """The folder can't take a photo: it is full, read-only or missing."""


class Photos:
    """A folder of photos; `fresh_name` gives 32 random hexadecimal digits."""

    def __init__(self, folder: Path, fresh_name: Callable[[], str]) -> None:
        self._folder = folder
        self._fresh_name = fresh_name
        self._one_at_a_time = asyncio.Lock()
        """Decoding a photo of 40 megapixels takes several times its size in memory."""

    async def keep(self, content: bytes) -> str:
        """Store a photo and return its key; raises `BadPhotos` for other content and for too large files."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._keep, content)

    async def keep_any(self, content: bytes) -> str:
        """Store a photo, or as it is what else people send in a chat (`media.FileKind`); raises `BadPhotos`."""
        kind = media.file_kind_of(content[:12])
        if kind is None:
            return await self.keep(content)
        if len(content) > media.MOST_BYTES:
            raise BadPhotos(most=media.MOST_PHOTOS)
        return await asyncio.to_thread(self._keep_file, kind, content)

    async def load(self, key: str) -> bytes | None:
        """The bytes of a photo, thumbnail or other file, or None."""
        if not media.is_stored_key(key):
            return None
        try:
            return await asyncio.to_thread((self._folder / key).read_bytes)
        except FileNotFoundError:
            return None

    async def stored(self, *, before: datetime) -> list[str]:
        """Files of photos and thumbnails older than a moment, including half-written ones."""
        return await asyncio.to_thread(self._stored, before)

    async def delete(self, files: Collection[str]) -> None:
        for file in files:
            await asyncio.to_thread((self._folder / file).unlink, missing_ok=True)

    def _keep(self, content: bytes) -> str:
        kind = media.kind_of(content[:12])
        if kind is None or len(content) > media.MOST_BYTES:
            raise BadPhotos(most=media.MOST_PHOTOS)
        try:
            photo = _opened(content, kind)
        except _UNREADABLE:
            raise BadPhotos(most=media.MOST_PHOTOS) from None
        if not media.goes_everywhere(kind, len(content), photo.mode):
            kind, content = media.PhotoKind.JPEG, _jpeg(photo, media.LONGEST_SIDE, quality=85)
        key = media.key(self._fresh_name(), kind)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write(media.thumbnail_key(key), _jpeg(photo, media.THUMBNAIL_PIXELS, quality=80))
        self._write(key, content)
        return key

    def _keep_file(self, kind: media.FileKind, content: bytes) -> str:
        key = media.file_key(self._fresh_name(), kind)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write(key, content)
        return key

    def _write(self, name: str, content: bytes) -> None:
        # Renamed once it is complete, so that no reader gets half a file.
        unfinished = self._folder / f"{_UNFINISHED}{name}"
        unfinished.write_bytes(content)
        os.replace(unfinished, self._folder / name)

    def _stored(self, before: datetime) -> list[str]:
        found = []
        for file in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # another process was quicker
                if (
                    media.is_stored_key(file.name.removeprefix(_UNFINISHED))
                    and file.stat().st_mtime < before.timestamp()
                ):
                    found.append(file.name)
        return found


def _opened(content: bytes, kind: media.PhotoKind) -> Image.Image:
    """The photo, rotated as its EXIF says; reads it whole, so that a broken one fails here."""
    with Image.open(io.BytesIO(content), formats=[_FORMATS[kind]]) as photo:
        if photo.width * photo.height > media.MOST_PIXELS:
            raise ValueError("unpacks to too much")
        if kind is media.PhotoKind.JPEG and len(_SCAN.findall(content)) > media.MOST_SCANS:
            raise ValueError("takes too long to unpack")
        return ImageOps.exif_transpose(photo)


def _jpeg(photo: Image.Image, longest_side: int, *, quality: int) -> bytes:
    """The photo as a JPEG whose longest side has at most that many pixels; transparency becomes white."""
    small = photo.convert("RGBA" if photo.has_transparency_data else "RGB")
    small.thumbnail((longest_side, longest_side))
    paper = Image.new("RGB", small.size, "white")
    paper.paste(small, mask=small if small.mode == "RGBA" else None)
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=quality)
    return out.getvalue()
