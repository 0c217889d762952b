"""What a stored photo or other file is: a kind by its first bytes, a key, a thumbnail's key. No file is touched here.

    bytes ── kind_of ──> JPEG, PNG or WebP; anything else is no photo ── goes_everywhere? else it is kept as a JPEG
    random name + kind ── key ──> "5f0c…e1.jpg" ── thumbnail_key ──> "5f0c…e1.thumb.jpg"

Notes and costs store keys, which hold nothing that a user sent, or https links given over REST, which are shown but
never fetched.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import urlsplit

from core.refusals import BadPhotos

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
"""No phone's camera makes more; a picture that unpacks to more is an attack."""
MOST_SCANS = 100
"""Of a JPEG: each costs a pass over all pixels. Progressive ones have about ten; one with thousands is an attack."""
MOST_BYTES_KEPT = 5 * 1024 * 1024
"""WhatsApp takes no larger image, and only 8-bit RGB or RGBA in JPEG or PNG
(https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media).
"""
LONGEST_SIDE = 2560
"""Photos are resized to this: even one of pure noise stays below `MOST_BYTES_KEPT` then."""
THUMBNAIL_PIXELS = 320
"""The longer side of a thumbnail."""
MOST_PHOTOS = 10
"""In one note."""
LONGEST_LINK = 2000

_KEY = re.compile(r"[0-9a-f]{32}(\.thumb)?\.(jpg|png|webp)")
_FILE_KEY = re.compile(r"[0-9a-f]{32}\.(ogg|mp3|m4a|amr|mp4|pdf)")
_STORED = re.compile(rf"{_KEY.pattern}|{_FILE_KEY.pattern}")


class PhotoKind(StrEnum):
    """What photos may be, by the ending of their keys."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"

    @property
    def content_type(self) -> str:
        return "image/jpeg" if self is PhotoKind.JPEG else f"image/{self}"


class FileKind(StrEnum):
    """What a person may send to a person beside photos, by the ending of their keys: voice, a short video, a paper."""

    OGG = "ogg"
    MP3 = "mp3"
    M4A = "m4a"
    AMR = "amr"
    MP4 = "mp4"
    PDF = "pdf"

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES[self]

    @property
    def is_voice(self) -> bool:
        return self not in (FileKind.MP4, FileKind.PDF)


_CONTENT_TYPES = {
    FileKind.OGG: "audio/ogg",
    FileKind.MP3: "audio/mpeg",
    FileKind.M4A: "audio/mp4",
    FileKind.AMR: "audio/amr",
    FileKind.MP4: "video/mp4",
    FileKind.PDF: "application/pdf",
}
ENDINGS = (*PhotoKind, *FileKind)


def file_kind_of(head: bytes) -> FileKind | None:
    """The kind of a file by its first 12 bytes; None for a photo and for anything else."""
    if head.startswith(b"OggS"):
        return FileKind.OGG
    if head.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")):
        return FileKind.MP3
    if head.startswith(b"#!AMR"):
        return FileKind.AMR
    if head.startswith(b"%PDF-"):
        return FileKind.PDF
    if head[4:8] == b"ftyp":  # the container of both
        return FileKind.M4A if head[8:11] in (b"M4A", b"M4B") else FileKind.MP4
    return None


def kind_of(head: bytes) -> PhotoKind | None:
    """The kind of a photo by its first 12 bytes, whatever its name says; None for anything else."""
    if head.startswith(b"\xff\xd8\xff"):
        return PhotoKind.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PhotoKind.PNG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return PhotoKind.WEBP
    return None


def goes_everywhere(kind: PhotoKind, size: int, mode: str) -> bool:
    """Whether every channel takes a photo of that kind, size in bytes and colours (Pillow's mode) as it is."""
    return kind is not PhotoKind.WEBP and size <= MOST_BYTES_KEPT and mode in ("RGB", "RGBA")


def key(name: str, kind: PhotoKind) -> str:
    """The key of a new photo from a random name of 32 hexadecimal digits."""
    made = f"{name}.{kind}"
    if not is_key(made):
        raise ValueError(f"{name!r} is no random name")
    return made


def is_key(photo: str) -> bool:
    """Whether it is the key of a stored photo or thumbnail, and so a safe file name."""
    return _KEY.fullmatch(photo) is not None


def kind_of_key(photo_key: str) -> PhotoKind:
    return PhotoKind(photo_key.rpartition(".")[2])


def file_key(name: str, kind: FileKind) -> str:
    """The key of a new file from a random name of 32 hexadecimal digits."""
    made = f"{name}.{kind}"
    if not is_file_key(made):
        raise ValueError(f"{name!r} is no random name")
    return made


def is_file_key(name: str) -> bool:
    """Whether it is the key of a stored file that is no photo."""
    return _FILE_KEY.fullmatch(name) is not None


def is_stored_key(name: str) -> bool:
    """Whether it is the key of anything stored: a photo, a thumbnail or another file."""
    return _STORED.fullmatch(name) is not None


def file_kind_of_key(key: str) -> FileKind:
    return FileKind(key.rpartition(".")[2])


def thumbnail_key(photo_key: str) -> str:
    """The key of a photo's thumbnail, which is a JPEG."""
    return f"{name_of(photo_key)}.thumb.{PhotoKind.JPEG}"


def name_of(photo_key: str) -> str:
    """The random name that a photo and its thumbnail share."""
    return photo_key.partition(".")[0]


def keys_in(text: str) -> set[str]:
    """All keys of photos and other files in a text."""
    return {found[0] for found in _STORED.finditer(text)}


def named_in(text: str) -> set[str]:
    """The random names of all keys in a text."""
    return {name_of(each) for each in keys_in(text)}


def is_link(photo: str) -> bool:
    """Whether it is an https address that may be shown to a person as it is."""
    if len(photo) > LONGEST_LINK or not photo.isascii() or not photo.isprintable() or " " in photo:
        return False
    try:
        parts = urlsplit(photo)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc


def check(photos: Sequence[str]) -> None:
    """Raise `BadPhotos` unless these are keys or links, and not too many."""
    if len(photos) > MOST_PHOTOS or not all(is_key(photo) or is_link(photo) for photo in photos):
        raise BadPhotos(most=MOST_PHOTOS)
