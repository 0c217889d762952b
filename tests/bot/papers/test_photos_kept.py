"""Photos are stored so that every channel takes them: WhatsApp has no WebP, and at most 5 MB."""

import io
import struct
from collections.abc import Callable
from hashlib import shake_256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.papers.photos import Photos
from core import media
from core.media import PhotoKind
from core.refusals import BadPhotos

NAME = "0123456789abcdef0123456789abcdef"
SIZE = (64, 48)


@pytest.fixture
def photos(tmp_path: Path) -> Photos:
    return Photos(tmp_path, lambda: NAME)


def picture(kind: str, mode: str = "RGB", *, size: tuple[int, int] = SIZE, **how: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, kind, **how)
    return out.getvalue()


def noise(kind: str, size: tuple[int, int]) -> bytes:
    """A picture that hardly compresses."""
    out = io.BytesIO()
    pixels = shake_256(b"noise").digest(3 * size[0] * size[1])
    Image.frombytes("RGB", size, pixels).save(out, kind, quality=85)
    return out.getvalue()


def scanned(times: int) -> bytes:
    """A progressive JPEG with that many scans, the last one repeated."""
    made = picture("JPEG", progressive=True)
    head, start, last = made.rpartition(b"\xff\xda")
    scan = start + last.removesuffix(b"\xff\xd9")
    return head + scan * (times - head.count(start)) + b"\xff\xd9"


def mangled(tag: int, kind: int) -> bytes:
    """EXIF with a quarter turn, and a tag of a wrong type."""
    return b"Exif\0\0II*\0" + struct.pack("<IH8H4HI", 8, 2, 0x0112, 3, 1, 0, 6, 0, tag, kind, 1, 0, 26, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        picture("JPEG"),
        picture("PNG"),
        picture("PNG", "RGBA"),
        picture("JPEG", progressive=True),
        scanned(media.MOST_SCANS),
        picture("JPEG") + b"\xff\xda" * 200,  # an appended video, which may hold any bytes
    ],
)
async def test_photo_for_every_channel_is_kept_as_it_came(photos: Photos, content: bytes) -> None:
    assert await photos.load(await photos.keep(content)) == content


@pytest.mark.parametrize(
    ("made", "longest"),
    [
        (lambda: picture("WEBP"), 64),
        (lambda: picture("JPEG", "CMYK"), 64),  # CMYK
        (lambda: picture("PNG", "P"), 64),  # a palette
        (lambda: noise("PNG", (1600, 1200)), 1600),  # too many bytes, not too many pixels
        (lambda: noise("JPEG", (2800, 2800)), media.LONGEST_SIDE),  # too many of both
    ],
)
async def test_other_formats_become_jpeg(photos: Photos, made: Callable[[], bytes], longest: int) -> None:
    key = await photos.keep(made())
    kept = await photos.load(key)
    assert kept is not None
    assert media.kind_of_key(key) is media.kind_of(kept[:12]) is PhotoKind.JPEG
    assert len(kept) <= media.MOST_BYTES_KEPT
    shown = Image.open(io.BytesIO(kept))
    assert (shown.mode, max(shown.size)) == ("RGB", longest)


async def test_transparency_becomes_white(photos: Photos) -> None:
    content = picture("WEBP", "RGBA", lossless=True)
    for key in (kept := await photos.keep(content), media.thumbnail_key(kept)):
        assert _corner(await photos.load(key)) == (255, 255, 255)


async def test_converted_photo_is_rotated_by_exif(photos: Photos) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # a quarter turn
    kept = await photos.load(await photos.keep(picture("WEBP", exif=turned)))
    assert kept is not None
    assert Image.open(io.BytesIO(kept)).size == SIZE[::-1]


@pytest.mark.parametrize(
    "content",
    [
        scanned(media.MOST_SCANS + 1),  # decoded for seconds, or minutes
        picture("JPEG", exif=mangled(0x0100, 1)),  # a width in bytes
        picture("JPEG", exif=mangled(0x010F, 11)),  # a number as the camera's maker
        picture("WEBP", exif=mangled(0x011A, 2)),  # letters as the resolution
    ],
)
async def test_unreadable_or_slow_photo_is_refused(photos: Photos, content: bytes) -> None:
    with pytest.raises(BadPhotos):
        await photos.keep(content)


def _corner(content: bytes | None) -> object:
    assert content is not None
    return Image.open(io.BytesIO(content)).getpixel((0, 0))


async def test_a_voice_note_is_kept_as_it_came(photos: Photos, tmp_path: Path) -> None:
    content = b"OggS" + bytes(100)
    key = await photos.keep_any(content)
    assert key == f"{NAME}.ogg"
    assert await photos.load(key) == content
    assert _names(tmp_path) == [key], "without a thumbnail"


async def test_only_known_files_of_a_bounded_size_are_kept(photos: Photos, tmp_path: Path) -> None:
    for content in (b"OggS" + bytes(media.MOST_BYTES), b"PK\x03\x04" + bytes(100), b"<html>"):
        with pytest.raises(BadPhotos):
            await photos.keep_any(content)
    with pytest.raises(BadPhotos):
        await photos.keep(b"OggS" + bytes(100))
    assert _names(tmp_path) == []


def _names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]
