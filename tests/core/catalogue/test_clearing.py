"""Taking the demo out: what bookings refer to stays as retired, what is the shop's stays as it is."""

from datetime import datetime, timedelta

from demo_catalogue import FILES
from sqlalchemy import func, select
from workshop import book, order

from core.catalogue import clearing
from core.catalogue.clearing import Cleared
from core.catalogue.csv_files import apply, read
from core.catalogue.snapshot import load, version
from core.db.database import Database
from core.db.tables import Booking, Car, Customer, Leave, Part, Service, Technician
from core.shop import Shop

SPEAKER, INSTALL = "jbl-stage3-607cf", "pasang-speaker"


async def clear(database: Database, now: datetime) -> Cleared:
    async with database.write() as session:
        return await clearing.clear(session, read(FILES), now=now)


async def test_everything_of_the_demo_goes(stocked: Database, now: datetime) -> None:
    async with stocked.read() as session:
        before = await version(session)
    cleared = await clear(stocked, now)
    assert cleared == Cleared({"parts": 113, "services": 25, "cars": 196, "technicians": 5}, [], [], [])
    async with stocked.read() as session:
        assert [
            await session.scalar(select(func.count()).select_from(t)) for t in (Part, Service, Car, Technician)
        ] == [
            0,
            0,
            0,
            0,
        ]
        assert await version(session) == before + 1, "caches know"


async def test_what_a_booking_refers_to_is_retired(stocked: Database, shop: Shop, now: datetime) -> None:
    async with stocked.write() as session:
        session.add(Customer(id=1, name="Sari", created_at=now))
        await session.flush()
        asked = order(
            now + timedelta(days=1, hours=2), parts=((SPEAKER, 1),), services=(INSTALL,), technician_id="dedi"
        )
        await book(session, asked, shop=shop, now=now)
    cleared = await clear(stocked, now)
    assert cleared.retired == [SPEAKER, INSTALL, "dedi"]
    assert cleared.deleted == {"parts": 112, "services": 24, "cars": 196, "technicians": 4}
    async with stocked.read() as session:
        part = await session.get_one(Part, SPEAKER)
        assert (part.retired_at, part.reserved, part.name) == (now, 1, 'JBL Stage3 607CF Component 6,5"')
        assert (await session.get_one(Service, INSTALL)).retired_at == now
        assert (await session.get_one(Technician, "dedi")).retired_at == now
        assert await session.scalar(select(func.count()).select_from(Booking)) == 1
        shown = await load(session)
    assert (shown.parts, shown.services, shown.technicians, shown.cars) == ({}, {}, {}, {})
    assert await clear(stocked, now + timedelta(days=1)) == Cleared({}, [], [], []), "once is enough"


async def test_what_is_the_shops_stays_as_it_is(stocked: Database, now: datetime) -> None:
    async with stocked.write() as session:
        own = "id,name,category,brand,price,on_hand\nkabel-kita,Kabel kita,kabel,Lokal,50000,9\n"
        await apply(session, read({"parts.csv": own}), now=now)
        await apply(session, read({"parts.csv": f"id,name\n{SPEAKER},Speaker kita\n"}), now=now)
        await apply(session, read({"technicians.csv": "id,phone\ndedi,+628111222333\n"}), now=now)
        price = f"id,price\n{INSTALL},175000\n"
        await apply(session, read({"services.csv": price}), now=now)
    cleared = await clear(stocked, now)
    assert cleared.kept == [SPEAKER, "dedi"]
    async with stocked.read() as session:
        shown = await load(session)
    assert (set(shown.parts), set(shown.technicians)) == ({"kabel-kita", SPEAKER}, {"dedi"})
    assert shown.services == {}, "a demo entry with another price is still the demo's"


async def test_a_service_that_nobody_can_do_any_more_is_named(stocked: Database, now: datetime) -> None:
    async with stocked.write() as session:
        own = "id,name,category,price,minutes,skill\nsetel-kita,Setel,other,50000,60,tuning\ncuci,Cuci,other,1,60,\n"
        await apply(session, read({"services.csv": own}), now=now)
    assert (await clear(stocked, now)).unskilled == ["setel-kita"]


async def test_other_references_keep_an_entry_too(stocked: Database, now: datetime) -> None:
    async with stocked.write() as session:
        session.add(Leave(technician_id="agus", day=now.date()))
    cleared = await clear(stocked, now)
    assert cleared.retired == ["agus"]
