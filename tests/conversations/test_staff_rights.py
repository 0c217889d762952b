"""Who may do what in the chat, in one table; other people's actions do nothing, tapped or typed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import CODE, book
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from workshop import ANDI, BUDI, SPEAKER

from conversations.engine import Engine
from conversations.incoming import Incoming
from conversations.texts import render
from core import work
from core.context import Context
from core.db.database import Database
from core.db.tables import (
    AdditionalCost,
    Booking,
    BookingEvent,
    Closure,
    Conversation,
    LedgerEntry,
    Outbox,
    Part,
    PaymentRequest,
    Rating,
    WorkNote,
)
from core.messaging.messages import Message, message_from_json
from core.schedule import bookings
from core.shop import Shop
from core.states import Location

ADDRESSES = {
    "nobody": "5099",
    "owner": "5001",
    "stranger": "5002",
    "assigned": "7000000002",
    "unassigned": "7000000003",
    "admin": "7000000001",
}
"""An unknown person; the booking's customer, another one; its technician, another one; an admin."""

# what is tapped          what is typed          nobody, owner, stranger, assigned, unassigned, admin
RIGHTS = """
staff                     menu staf              -      -      -         team.menu         team.menu     team.menu
jobs:tomorrow             tugas besok            -      -      -         team.jobs         team.no_jobs  team.jobs
job:{code}                {code}                 -      -      -         team.job          not_assigned  team.job
way:{code}                otw {code}             -      -      -         team.on_my_way    not_assigned  team.on_my_way
start:{code}              mulai {code}           -      -      -         team.started      not_assigned  team.started
note:{code}               catat {code}           -      -      -         team.ask.note     not_assigned  team.ask.note
cost:{code}               biaya {code}           -      -      -         team.ask.what     not_assigned  team.ask.what
cash:{code}               tunai {code}           -      -      -         team.ask.received not_assigned  team.ask.received
link:{code}               link {code}            -      -      -         team.link_coming  not_assigned  team.link_coming
finish:{code}             selesai {code}         -      -      -         invalid           not_assigned  invalid
finish-anyway:{code}      .                      -      -      -         invalid           not_assigned  invalid
no-show:{code}            tidak datang {code}    -      -      -         too_early         not_assigned  too_early
yes-no-show:{code}        .                      -      -      -         too_early         not_assigned  too_early
assign:{code}             tugaskan {code}        -      -      -         admins_only       admins_only   team.who_does_it
give:{code}:budi          .                      -      -      -         admins_only       admins_only   team.given
shift:{code}              pindah {code}          -      -      -         admins_only       admins_only   ask.date
call-off:{code}           batalkan {code}        -      -      -         admins_only       admins_only   team.ask.reason
write:{code}              pesan {code}           -      -      -         admins_only       admins_only   team.ask.letter
take:{code}               ambil alih {code}      -      -      -         admins_only       admins_only   team.taken
take:1                    .                      -      -      -         admins_only       admins_only   team.taken
hand-back                 .                      -      -      -         admins_only       admins_only   team.menu
figures                   angka                  -      -      -         admins_only       admins_only   team.figures
report                    laporan november       -      -      -         admins_only       admins_only   report.chat.head
report:2026-10            .                      -      -      -         admins_only       admins_only   report.chat.head
pending                   booking menunggu       -      -      -         admins_only       admins_only   team.none_pending
stock                     stok                   -      -      -         admins_only       admins_only   team.ask.which_part
close                     tutup hari             -      -      -         admins_only       admins_only   team.ask.which_day
cost-yes:1                .                      none   cost.answered none none none none
cost-no:1                 .                      none   cost.answered none none none none
past:{code}               .                      none   past.head none none none none
photo:{code}:0            .                      none   work.photo none none none none
again:{code}              .                      none   again.begins none none none none
rate:{code}:5             .                      none   not_completed none none none none
see:{code}                .                      none   mine.head none none none none
drop:{code}               .                      none   cancelling.sure none none none none
really:{code}:0:0         .                      none   cancelling.goodbye none none none none
"""
SHORT = {
    "not_assigned": "refusal.not_assigned",
    "invalid": "refusal.invalid_transition",
    "too_early": "refusal.too_early_for_no_show",
    "admins_only": "team.admins_only",
    "none": "refusal.not_found",
    "not_completed": "refusal.not_completed",
}
KEY = "0123456789abcdef0123456789abcdef.jpg"


def _rows() -> list[Any]:
    rows = []
    for line in RIGHTS.strip().splitlines():
        tapped, rest = line[:26].strip(), line[26:]
        typed, expected = rest[:23].strip(), rest[23:].split()
        rows.append(pytest.param(tapped, typed, dict(zip(ADDRESSES, expected, strict=True)), id=tapped))
    return rows


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Andi and Budi are technicians with a chat beside the admin."""
    staff = [
        *(each.model_dump() for each in shop.staff),
        {"name": "Andi", "role": "technician", "technician": ANDI, "telegram": 7000000002},
        {"name": "Budi", "role": "technician", "technician": BUDI, "telegram": 7000000003},
    ]
    return Shop.model_validate(shop.model_dump() | {"staff": staff})


@pytest.fixture
def engine() -> Engine:
    """One for all turns of a test: it loads the catalogue once."""
    return Engine()


@pytest.fixture
async def job(database: Database, shop: Shop, now: datetime) -> Database:
    """Andi's confirmed job of tomorrow at the owner's place, with a photo and a proposed cost."""
    await book(database, shop, now, location=Location.ONSITE, address="Jl. Tebet Timur Dalam 12")
    async with database.write() as session:
        await _begin_talking(session, now)
        booking = await bookings.load(session, code=CODE)
        ctx = Context(session, shop, now)
        await work.assign(ctx, booking, ANDI, actor="Andi")
        await work.add_note(ctx, booking, "", photos=[KEY], actor="Andi")
        await work.add_cost(ctx, booking, "Kabel", 50_000, agreed=False, photo=None, actor="Andi")
    return database


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("tapped", "typed", "expected"), _rows())
async def test_everybody_can_do_only_what_they_may(
    job: Database, engine: Engine, shop: Shop, now: datetime, tapped: str, typed: str, expected: dict[str, str]
) -> None:
    ways = [{"choice": tapped.format(code=CODE)}, *([{"text": typed.format(code=CODE)}] if typed != "." else [])]
    async with job.read() as session:
        before = await _stored(session)
    for who, answer in expected.items():
        for said in ways:
            keys, stored = await _try(job, engine, shop, now, who, **said)
            _check(keys, answer, said, who)
            assert stored == before or answer.startswith(("team.", "cost.", "cancelling.")), (
                f"{who} {said} changed something"
            )


def _check(keys: list[str], answer: str, said: dict[str, str], who: str) -> None:
    if answer == "-":
        assert not any(key.startswith("team.") for key in keys), f"{who} {said}: {keys}"
        assert "choice" not in said or "tap.stale" in keys, f"{who} {said}: {keys}"
    else:
        wanted = SHORT.get(answer, answer)
        assert any(key.startswith(wanted) for key in keys), f"{who} {said}: {keys}"


async def test_former_staff_cannot_finish_an_open_flow(
    job: Database, engine: Engine, shop: Shop, now: datetime
) -> None:
    await _say(job, engine, shop, now, "assigned", 1, choice=f"note:{CODE}")
    await _say(job, engine, shop, now, "assigned", 2, text="Sudah dicek")
    without = Shop.model_validate(shop.model_dump() | {"staff": [shop.staff[0].model_dump()]})
    await _say(job, engine, without, now, "assigned", 3, text="selesai")
    async with job.read() as session:
        assert await session.scalar(select(func.count()).select_from(WorkNote)) == 1


async def test_unassigned_technician_cannot_finish_a_flow(
    job: Database, engine: Engine, shop: Shop, now: datetime
) -> None:
    await _say(job, engine, shop, now, "assigned", 1, choice=f"note:{CODE}")
    await _say(job, engine, shop, now, "assigned", 2, text="Sudah dicek")
    await _say(job, engine, shop, now, "admin", 3, choice=f"give:{CODE}:{BUDI}")
    last = await _say(job, engine, shop, now, "assigned", 4, text="selesai")
    assert last.says[0].key == "refusal.not_assigned"
    async with job.read() as session:
        assert await session.scalar(select(func.count()).select_from(WorkNote)) == 1


async def test_warranty_shows_the_days_left(database: Database, engine: Engine, shop: Shop, now: datetime) -> None:
    await book(database, shop, now, parts=((SPEAKER, 1),), services=())
    async with database.write() as session:
        await _begin_talking(session, now)
        booking = await bookings.load(session, code=CODE)
        ctx = Context(session, shop, now)
        await work.assign(ctx, booking, ANDI, actor="Andi")
        await work.receive_cash(ctx, booking, booking.total_price, actor="Andi")
        await work.start(ctx, booking, actor="Andi")
        await work.complete(ctx, booking, actor="Andi")
    shown = await _say(database, engine, shop, now + timedelta(days=10), "owner", 1, text="garansi saya sampai kapan?")
    assert "Speaker 6,5 inci: sampai Selasa, 23 November 2027, 356 hari lagi" in render(shown.says[-1], "id")
    for number, words in enumerate(("garansi", "garansi speaker saya brp lama lagi?", "warranty"), 2):
        own = await _say(database, engine, shop, now + timedelta(days=10), "owner", number, text=words)
        assert "23 November 2027" in render(own.says[-1], "id"), words
    other = await _say(
        database, engine, shop, now + timedelta(days=10), "owner", 8, text="garansi amplifier berapa lama?"
    )
    assert other.says[-1].key != "warranty.list", "asked about parts to buy"
    for number, words in enumerate(("garansi", "garansi saya sampai kapan?"), 10):
        general = await _say(database, engine, shop, now, "stranger", number, text=words)
        assert general.says[-1].key == "advice.lines", "the shop's terms, and nobody else's booking"
    assert (await _say(database, engine, shop, now, "stranger", 20, choice="warranties")).says[
        -1
    ].key == "warranty.none"


async def _begin_talking(session: AsyncSession, now: datetime) -> None:
    """Give the owner's chat a conversation, and let new customers' ids follow the existing ones."""
    session.add(Conversation(contact_id=1, state={}, updated_at=now))
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT setval(pg_get_serial_sequence('customer', 'id'), 10)"))


class _RollBack(Exception):
    """Rolls the turn back."""


async def _try(
    database: Database, engine: Engine, shop: Shop, now: datetime, who: str, **said: str
) -> tuple[list[str], Any]:
    """The keys of the answer, and what is stored after it; the turn is rolled back."""
    keys: list[str] = []
    stored = None
    try:
        async with database.write() as session:
            await _turn(session, engine, shop, now, who, 1, **said)
            reply = await session.scalar(select(Outbox).where(Outbox.key == "reply:telegram:1"))
            keys = [each.key for each in message_from_json(reply.body).says] if reply else []
            stored = await _stored(session)
            raise _RollBack
    except _RollBack:
        return keys, stored


async def _say(
    database: Database, engine: Engine, shop: Shop, now: datetime, who: str, event: int, **said: str
) -> Message:
    async with database.write() as session:
        await _turn(session, engine, shop, now, who, event, **said)
    async with database.read() as session:
        row = (await session.scalars(select(Outbox).where(Outbox.key == f"reply:telegram:{event}"))).one()
        return message_from_json(row.body)


async def _turn(
    session: AsyncSession, engine: Engine, shop: Shop, now: datetime, who: str, event: int, **said: str
) -> None:
    incoming = Incoming("telegram", ADDRESSES[who], str(event), **said)  # type: ignore[arg-type]
    await engine.take_turn(Context(session, shop, now), incoming, fresh="7F3K2Q00ZZZZZZZZ")


async def _stored(session: AsyncSession) -> Any:
    """What staff can change."""
    await session.flush()
    facts = (Booking.status, Booking.technician_id, Booking.paid_amount, Booking.total_price)
    booked = (await session.execute(select(*facts))).all()
    tables = (BookingEvent, WorkNote, LedgerEntry, PaymentRequest, Closure, Rating)
    counts = [await session.scalar(select(func.count()).select_from(table)) for table in tables]
    costs = list(await session.scalars(select(AdditionalCost.state)))
    parts = (await session.execute(select(Part.id, Part.on_hand).order_by(Part.id))).all()
    held = [state.get("human") for state in await session.scalars(select(Conversation.state))]
    return booked, counts, costs, parts, [one for one in held if one]
