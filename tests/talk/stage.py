"""The real server and the vendors' stand-ins for one persona, on a clock that only the persona moves."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, select
from waiting import until

from bot import app
from bot.config import Settings
from bot.sandbox.demo import OWNER, TECHNICIAN, free_port, settings_for
from bot.sandbox.midtrans_account import ApiError
from bot.sandbox.phones import Person
from bot.sandbox.server import StandIns, stand_ins
from bot.timeouts import Timeouts
from conversations.texts import render
from core.db.database import Database
from core.db.tables import (
    Booking,
    Contact,
    Conversation,
    Customer,
    Inbound,
    LedgerEntry,
    Outbox,
    PaymentNotification,
    PaymentRequest,
    StockAlert,
    Waiting,
)
from core.messaging.messages import message_from_json
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod, RequestState

GATHER_SECONDS = 0.05
"""Short, because the server's timer runs on real time; on the passed clock a burst takes no time at all."""
SECONDS_OF_SILENCE = 3
"""After these the server knows that nothing follows."""
TICK = timedelta(seconds=2)
PATIENT = Timeouts(*[timedelta(minutes=1)] * 6)
"""A busy machine is no outage."""
ANY_NUMBER = 10_000
CUSTOMER = 8_100_000_001
"""The Telegram id of the persona."""


class Clock:
    """The clock of the server and the stand-ins: Monday 2026-11-23, 08:00 in Jakarta."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True, slots=True)
class Books:
    """What stands in the database in the end."""

    bookings: list[Booking]
    """With their lines."""
    waits: list[Waiting]
    alerts: int
    staff: list[str]
    """The texts of what the shop's people received, in order."""
    staff_photos: int
    contact: Contact | None


@dataclass(frozen=True, slots=True)
class Stage:
    """The running shop."""

    there: StandIns
    settings: Settings
    clock: Clock
    database: Database
    owner: Person
    technician: Person

    @property
    def shop(self) -> Shop:
        return self.settings.shop

    def customer(self, channel: str, name: str, phone: str) -> Person:
        """A new person with a phone, who hasn't written yet."""
        number = "+62" + re.sub(r"\D", "", phone).removeprefix("0")
        if channel == "telegram":
            return self.there.world.telegram.person(CUSTOMER, name, phone=number, started=False)
        return self.there.world.whatsapp.person(number, name)

    async def settle(self) -> None:
        """Wait until the server has done and said all that is due by the clock."""
        await until(self._is_quiet)
        await self.there.world.hub.wait_idle()
        await until(self._is_quiet)

    async def _is_quiet(self) -> bool:
        now = self.clock()
        due = (
            select(Outbox.id).where(Outbox.state.in_(("due", "sending")), Outbox.due_at <= now),
            # While a worker asks Midtrans, what it has claimed is due at the end of its lease.
            select(PaymentRequest.order_id).where(
                or_(PaymentRequest.due_at <= now, PaymentRequest.state == RequestState.WANTED)
            ),
            select(Inbound.event_id).where(Inbound.due_at <= now),
            select(PaymentNotification.id).where(PaymentNotification.due_at.is_not(None)),
        )
        async with self.database.read() as session:
            for query in due:
                if await session.scalar(query.limit(1)) is not None:
                    return False
        return True

    async def conversation(self, person: Person) -> dict[str, Any]:
        """What the bot remembers of a chat."""
        async with self.database.read() as session:
            state = await session.scalar(
                select(Conversation.state)
                .join(Contact, Contact.id == Conversation.contact_id)
                .where(Contact.address == person.address)
            )
        return dict(state or {})

    async def orders(self) -> int:
        """How many bookings and places in the waitlist there are."""
        async with self.database.read() as session:
            return sum(
                [await session.scalar(select(func.count()).select_from(table)) or 0 for table in (Booking, Waiting)]
            )

    async def codes(self) -> list[str]:
        async with self.database.read() as session:
            return list(await session.scalars(select(Booking.code).order_by(Booking.id)))

    async def failures(self) -> list[str]:
        """The bugs for which the shop apologized."""
        async with self.database.read() as session:
            return list(await session.scalars(select(Inbound.error).where(Inbound.error.is_not(None))))

    def sent_by_whatsapp(self, person: Person) -> int:
        """How many messages Twilio has charged for."""
        sent = self.there.world.whatsapp.messages.values()
        return sum(each.direction == "outbound-api" and each.to == person.address for each in sent)

    async def books(self, person: Person) -> Books:
        staff = (self.owner.address, self.technician.address)
        async with self.database.read() as session:
            own = select(Booking).where(Booking.code.not_like("BK-X%")).order_by(Booking.id)
            bookings = list(await session.scalars(own))
            for booking in bookings:
                await session.refresh(booking, ["lines"])
            waits = list(await session.scalars(select(Waiting).order_by(Waiting.id)))
            alerts = await session.scalar(select(func.count()).select_from(StockAlert)) or 0
            rows = list(await session.scalars(select(Outbox).where(Outbox.address.in_(staff)).order_by(Outbox.id)))
            contact = await session.scalar(select(Contact).where(Contact.address == person.address))
        messages = [message_from_json(row.body) for row in rows]
        return Books(
            bookings,
            waits,
            alerts,
            ["\n".join(render(each, "id") for each in message.says) for message in messages],
            sum(bool(message.document and message.document.kind == "photo") for message in messages),
            contact,
        )

    async def others_book(self, day: date, hour: int) -> None:
        """Other customers take every place for an hour."""
        starts_at = self.shop.at(day, time(hour))
        async with self.database.write() as session:
            stranger = Customer(name="Orang lain", created_at=self.clock())
            session.add(stranger)
            await session.flush()
            session.add_all(
                Booking(
                    code=f"BK-X{starts_at:%d%H}{number}",
                    customer_id=stranger.id,
                    name="Orang lain",
                    phone="+6281200000000",
                    car_brand="Honda",
                    car_model="Freed",
                    car_year=2015,
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(hours=1),
                    minutes=60,
                    status=BookingStatus.CONFIRMED,
                    payment_method=PaymentMethod.TRANSFER,
                    total_price=0,
                    created_at=self.clock(),
                )
                for number in range(self.shop.max_bookings_per_slot)
            )

    async def pay(self, link: str, channel: str) -> bool:
        """Pay on Midtrans' page, by its first channel if this one isn't offered; False if the page has ended."""
        token, entries = link.rsplit("/", 1)[-1], await self._payments()
        try:
            await self.there.midtrans.pay(token, channel)
        except ApiError:
            with suppress(ApiError):
                await self.there.midtrans.pay(token)
        page = self.there.midtrans.page(token)
        attempt = self.there.midtrans.attempt_on(page)
        if attempt is None or attempt.status not in ("settlement", "capture"):
            return False

        async def is_in_the_books() -> bool:
            return await self._payments() > entries

        await until(is_in_the_books)
        await self.settle()
        return True

    async def _payments(self) -> int:
        async with self.database.read() as session:
            return await session.scalar(select(func.count()).select_from(LedgerEntry)) or 0

    async def do_the_job(self) -> None:
        """The owner assigns the newest booking, and the technician does it, in their own chats."""
        code = (await self.codes())[-1]
        self.clock.move(minutes=1)
        await self._says(self.owner, f"tugaskan {code}")
        await self.owner.tap("Dedi")
        await self.settle()
        async with self.database.read() as session:
            self.clock.now = (await session.scalars(select(Booking.starts_at).where(Booking.code == code))).one()
        await self._says(self.technician, f"mulai {code}")
        self.clock.move(hours=3)
        await self._says(self.technician, f"selesai {code}")

    async def _says(self, member: Person, words: str) -> None:
        await member.type(words)
        self.clock.move(seconds=SECONDS_OF_SILENCE)
        await self.settle()


@asynccontextmanager
async def staged(database_url: str, folder: Path) -> AsyncIterator[Stage]:
    """Run the shop on a database with the demo catalogue."""
    clock, numbers = Clock(), count(1)
    async with stand_ins(clock) as there:
        settings = _unthrottled(
            settings_for(there, folder=folder, database=database_url, port=free_port(), gather_seconds=GATHER_SECONDS)
        )
        there.connect_shop(settings.server.public_url)
        database = Database(database_url)
        people = [
            there.world.telegram.person(number, name, started=True)
            for number, name in ((OWNER, "Ibu Rina"), (TECHNICIAN, "Dedi"))
        ]
        try:
            async with app.serving(
                settings, clock=clock, fresh=lambda: f"{next(numbers):08}ZZZZZZZZ", tick=TICK, timeouts=PATIENT
            ):
                yield Stage(there, settings, clock, database, *people)
        finally:
            await database.close()


def _unthrottled(settings: Settings) -> Settings:
    """Without the limits per second and minute: they count real time, or the passed clock's few seconds."""
    quick = {"per_second": ANY_NUMBER}
    return settings.model_copy(
        update={
            "server": settings.server.model_copy(update={"chat_limit": "off"}),
            "telegram": settings.telegram.model_copy(update=quick),
            "whatsapp": settings.whatsapp.model_copy(update=quick),
        }
    )
