"""Photos are told by their bytes, and their keys say nothing that a user sent."""

import pytest

from core import media
from core.media import FileKind, PhotoKind
from core.refusals import BadPhotos

NAME = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", PhotoKind.JPEG),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\r", PhotoKind.PNG),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", PhotoKind.WEBP),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),  # a sound
        (b"GIF89a\x01\x00\x01\x00\x00\x00", None),
        (b'<svg xmlns="htt', None),  # a picture that runs scripts
        (b"<!DOCTYPE htm", None),
        (b"%PDF-1.7\n%\xe2\xe3", None),
        (b"", None),
    ],
)
def test_a_photo_is_told_by_its_first_bytes(head: bytes, kind: PhotoKind | None) -> None:
    assert media.kind_of(head) is kind


@pytest.mark.parametrize(
    ("kind", "key", "content_type"),
    [
        (PhotoKind.JPEG, f"{NAME}.jpg", "image/jpeg"),
        (PhotoKind.PNG, f"{NAME}.png", "image/png"),
        (PhotoKind.WEBP, f"{NAME}.webp", "image/webp"),
    ],
)
def test_a_key_tells_its_kind(kind: PhotoKind, key: str, content_type: str) -> None:
    assert media.key(NAME, kind) == key
    assert media.kind_of_key(key) is kind
    assert kind.content_type == content_type
    assert media.thumbnail_key(key) == f"{NAME}.thumb.jpg"
    assert media.is_key(media.thumbnail_key(key))


@pytest.mark.parametrize(
    ("head", "kind", "is_voice"),
    [
        (b"OggS\x00\x02\x00\x00\x00\x00\x00\x00", FileKind.OGG, True),  # a voice note of both channels
        (b"ID3\x04\x00\x00\x00\x00\x00\x00\x00\x00", FileKind.MP3, True),
        (b"\xff\xfb\x90\x00", FileKind.MP3, True),
        (b"#!AMR\n\x04", FileKind.AMR, True),
        (b"\x00\x00\x00\x1cftypM4A ", FileKind.M4A, True),
        (b"\x00\x00\x00\x18ftypmp42", FileKind.MP4, False),
        (b"%PDF-1.7\n%\xe2\xe3", FileKind.PDF, False),  # the proof of a transfer
    ],
)
def test_another_file_is_told_by_its_first_bytes(head: bytes, kind: FileKind, is_voice: bool) -> None:
    assert media.file_kind_of(head) is kind
    assert kind.is_voice is is_voice
    key = media.file_key(NAME, kind)
    assert media.file_kind_of_key(key) is kind
    assert media.is_file_key(key)
    assert media.is_stored_key(key)
    assert not media.is_key(key), "it is shown nowhere where photos are"
    assert media.keys_in(f'["{key}"]') == {key}


@pytest.mark.parametrize(
    "head", [b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01", b"PK\x03\x04", b"MZ\x90\x00", b"#!/bin/sh", b"<html>", b""]
)
def test_other_content_is_no_file(head: bytes) -> None:
    assert media.file_kind_of(head) is None


@pytest.mark.parametrize("name", ["", "../" + NAME, NAME[:-1], NAME.upper(), "foto saya"])
def test_a_name_that_is_not_random_makes_no_key(name: str) -> None:
    with pytest.raises(ValueError, match="no random name"):
        media.key(name, PhotoKind.JPEG)


@pytest.mark.parametrize(
    ("photo", "good"),
    [
        (f"{NAME}.jpg", True),
        ("https://foto.example/a/b.jpg?x=1", True),
        (f"{NAME}.jpg\n", False),  # a line end at the end
        (f"{NAME}.svg", False),
        (f"/data/{NAME}.jpg", False),
        ("http://foto.example/b.jpg", False),
        ("HTTPS://foto.example/b.jpg", True),  # schemes know no case
        ("https://", False),
        ("https://[::1", False),
        ("https://foto.example/a b.jpg", False),
        ("https://foto.example/\r\nSet-Cookie:x", False),
        ("https://foto.example@jahat.example/b.jpg", False),
        ("https://foto.example/" + "a" * 2000, False),
        ("data:image/png;base64,AAAA", False),
    ],
)
def test_what_a_note_may_show(photo: str, *, good: bool) -> None:
    if good:
        media.check([photo])
    else:
        with pytest.raises(BadPhotos):
            media.check([photo])
