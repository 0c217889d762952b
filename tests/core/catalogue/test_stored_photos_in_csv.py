"""A picture that was uploaded stands in the CSV by its key, which is read again."""

import pytest

from core.catalogue.csv_rows import PartRow

KEY = "0123456789abcdef0123456789abcdef.jpg"
PART = {"id": "x", "name": "X", "category": "kabel", "brand": "Y", "price": "1", "on_hand": "1"}


@pytest.mark.parametrize(("image", "is_read"), [(KEY, True), ("https://p.example/a.jpg", True), ("../a.jpg", False)])
def test_image_is_a_link_or_a_key(image: str, is_read: bool) -> None:
    try:
        images = PartRow.model_validate(PART | {"images": image}).images
    except ValueError:
        images = []
    assert (images == [image]) is is_read
