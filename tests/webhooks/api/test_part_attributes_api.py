"""What customers ask of a part is shown over REST, beside the fields that front ends know."""

import pytest
from asking import Web
from sqlalchemy import update
from workshop import AMPLIFIER, SPEAKER

from core.db.tables import Part

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def test_a_part_shows_its_attributes(web: Web) -> None:
    values = {"type": "amplifier", "channels": 4, "watts": 80}
    async with web.database.write() as session:
        await session.execute(update(Part).where(Part.id == AMPLIFIER).values(**values))
    _, body = await web.nobody.get(f"/api/spareparts/{AMPLIFIER}")
    assert body["data"].items() >= (values | {"size": None}).items()


async def test_what_a_part_does_not_say_is_null(web: Web) -> None:
    _, body = await web.nobody.get(f"/api/spareparts/{SPEAKER}")
    assert [body["data"][name] for name in ("size", "type", "channels", "watts")] == [None] * 4


async def test_fields_of_other_forms_by_these_names_are_ignored(web: Web) -> None:
    """Unknown fields always were: an old front end may send its own `size` or `type`."""
    status, body = await web.rina.call("PUT", f"/api/spareparts/{SPEAKER}", {"type": "bagus", "size": "besar"})
    assert status == 200, body
    assert body["data"]["type"] is None
