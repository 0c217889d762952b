"""A customer's side of a conversation in a test: what is typed and tapped, and what is seen on each channel."""

import html
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from workshop import order

from bot.background.waitlist_worker import WaitlistWorker
from bot.channels import telegram_render, whatsapp_render
from bot.transactions import Transactions
from conversations import person
from conversations.engine import Engine
from conversations.incoming import Incoming, Kind, Place
from conversations.texts import render
from core import payment
from core.catalogue.snapshot import Newest
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Contact, Customer, Outbox, Part, PaymentRequest
from core.messaging.messages import Message, message_from_json
from core.notices import escalations
from core.schedule import bookings
from core.schedule.occupancy import held_jobs, peak
from core.schedule.orders import BookingRequest
from core.shop import Shop
from core.states import BookingStatus, PaymentMethod, RequestState

HOUR = timedelta(hours=1)
ADDRESSES = {"telegram": "812345", "whatsapp": "whatsapp:+6281290000001"}


@dataclass
class Talk:
    """One person in one chat; `seen` is what stood on the screen after the last deed."""

    database: Database
    shop: Shop
    channel: str
    now: datetime
    name: str = "Sari Dewi"
    language: str | None = None
    restarting: bool = False
    twice: bool = False
    address: str = ""
    engine: Engine | None = None
    newest: Newest = field(default_factory=Newest)
    seen: list[Message] = field(default_factory=list)
    events: int = 0
    others: int = 0
    read: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.address = self.address or ADDRESSES[self.channel]

    async def type(self, text: str) -> None:
        """Send words."""
        await self._deed(text=text)

    async def tap(self, label: str) -> None:
        """Tap what is called that in the newest message that has buttons."""
        message = next(message for message in reversed(self.seen) if message.options)
        labels = [render(option.label, self.spoken) for option in message.options]
        matching = [index for index, shown in enumerate(labels) if label.casefold() in shown.casefold()]
        assert matching, f"nothing called {label!r} to tap: {labels}"
        option = message.options[matching[0]]
        await self.choose(option.id if message.prompt is None else f"{message.prompt}:{matching[0]}")

    async def choose(self, choice: str) -> None:
        """Tap a button by its data."""
        await self._deed(choice=choice)

    async def share_contact(self, phone: str) -> None:
        """Share a number that the channel vouches for."""
        await self._deed(phone=phone)

    async def share_place(self) -> None:
        """Share a location."""
        await self._deed(place=Place(-6.26, 106.81, "Jl. Kemang Raya 8, Jakarta Selatan"))

    async def send_photo(self, words: str | None = None, *, stored: tuple[str, ...] = ()) -> None:
        """Send a picture, with words below it; `stored` under these keys before the turn."""
        await self._deed(text=words, kind=Kind.PHOTO, media=("photo-1",), photos=stored)

    async def send_voice(self, key: str) -> None:
        """Send a voice note that is stored under this key."""
        await self._deed(kind=Kind.VOICE, media=("voice-1",), files=(key,))

    async def waiting_is_renewed(self) -> None:
        """What the server does every minute: the cards of those who wait for a person go out again."""
        async with self.database.write() as session:
            ctx = Context(session, self.shop, self.now)
            for contact_id in await escalations.due(ctx):
                await person.renew(ctx, contact_id)

    async def link_arrives(self) -> None:
        """The worker has made the payment link."""
        async with self.database.write() as session:
            wanted = await session.scalars(select(PaymentRequest).where(PaymentRequest.state == RequestState.WANTED))
            for request in wanted.all():
                url = f"https://pay.example/{request.order_id}"
                await payment.link_made(Context(session, self.shop, self.now), request.order_id, token="t", url=url)
        await self.look()

    async def has_booked(self, moment: str, technician: str | None) -> None:
        """A tuning at this local time was booked some other day; its link is on its way."""
        at = datetime.fromisoformat(moment).replace(tzinfo=self.shop.zone)
        async with self.database.write() as session:
            contact = (await session.scalars(select(Contact).where(Contact.address == self.address))).one()
            count = await session.scalar(select(func.count()).where(Booking.code.not_like("BK-X%"))) or 0
            wish = order(at, services=("tuning-audio",), technician_id=technician, method=PaymentMethod.QRIS)
            booking = await bookings.book(
                Context(session, self.shop, self.now),
                BookingRequest(
                    order=wish,
                    customer_id=contact.customer_id,
                    contact_id=contact.id,
                    language=contact.language,
                    code=f"BK-{count + 1:06}",
                ),
            )
            await payment.request(Context(session, self.shop, self.now), booking, percent=None)

    async def pays(self, *, by: str = "qris", late: bool = False) -> None:
        """The customer pays the open link, or one whose time ran out, by this payment_type, and Midtrans says so."""
        state = RequestState.EXPIRED if late else RequestState.OPEN
        async with self.database.write() as session:
            request = await session.scalar(select(PaymentRequest).where(PaymentRequest.state == state))
            assert request, "there is no link to pay"
            answer = {
                "order_id": request.order_id,
                "transaction_id": f"t-{request.order_id}",
                "transaction_status": "settlement",
                "status_code": "200",
                "gross_amount": f"{request.amount}.00",
                "currency": "IDR",
                "payment_type": by,
            }
            await payment.settle(Context(session, self.shop, self.now), request.order_id, answer)
        await self.look()

    async def time_runs_out(self) -> None:
        """The link's time is over and nobody paid."""
        async with self.database.write() as session:
            request = await session.scalar(select(PaymentRequest).where(PaymentRequest.state == RequestState.OPEN))
            assert request, "there is no link that could end"
            self.now = request.expires_at + timedelta(seconds=1)
            await payment.settle_or_expire(Context(session, self.shop, self.now), request.order_id, None)
        await self.look()

    async def others_buy(self, part: str) -> None:
        """Other customers take all that is left of a part."""
        async with self.database.write() as session:
            await session.execute(update(Part).where(Part.id == part).values(reserved=Part.on_hand))

    async def others_book(self, moment: str) -> None:
        """Other customers take every place for the hour from a moment (the shop's time)."""
        at = datetime.fromisoformat(moment).replace(tzinfo=self.shop.zone)
        async with self.database.write() as session:
            customer = Customer(created_at=self.now)
            session.add(customer)
            await session.flush()
            while peak(await held_jobs(session, at, at + HOUR), at, at + HOUR) < self.shop.max_bookings_per_slot:
                self.others += 1
                session.add(
                    Booking(
                        code=f"BK-X{self.others:05}",
                        customer_id=customer.id,
                        name="Orang lain",
                        phone="+6281200000000",
                        car_brand="Honda",
                        car_model="Jazz",
                        car_year=2015,
                        starts_at=at,
                        ends_at=at + HOUR,
                        minutes=60,
                        status=BookingStatus.CONFIRMED,
                        payment_method=PaymentMethod.TRANSFER,
                        total_price=0,
                        created_at=self.now,
                    )
                )
                await session.flush()

    async def something_frees(self, what: str) -> None:
        """One place at a time (the shop's) or one piece of a part is free again, and the line is looked at."""
        async with self.database.write() as session:
            if what[:1].isdigit():
                at = datetime.fromisoformat(what).replace(tzinfo=self.shop.zone)
                other = select(Booking.id).where(Booking.starts_at == at, Booking.code.startswith("BK-X")).limit(1)
                await session.execute(
                    delete(Booking).where(Booking.id == other.scalar_subquery()),
                )
            else:
                await session.execute(update(Part).where(Part.id == what).values(on_hand=Part.reserved + 1))
        await self.line_moves()

    async def line_moves(self) -> None:
        """The waiting list is looked after."""
        line = WaitlistWorker(Transactions(self.database, self.shop, lambda: self.now), wake_dispatch=lambda: None)
        while await line.run_once():
            pass
        await self.look()

    @property
    def spoken(self) -> str:
        """The language of the newest message."""
        return self._language

    @property
    def screen(self) -> str:
        """All that the last deed brought to the screen, as this channel's renderer shows it."""
        return "\n".join(shown(message, self.channel, self._language) for message in self.seen)

    async def _deed(self, **said: object) -> None:
        self.events += 1
        self.now += timedelta(seconds=15)
        phone = self.address.removeprefix("whatsapp:") if self.channel == "whatsapp" else None
        incoming = Incoming(
            self.channel,
            self.address,
            f"{self.address}-{self.events}",
            name=self.name,
            language=self.language,
            **{"phone": phone} | said,  # type: ignore[arg-type]
        )
        if self.engine is None or self.restarting:
            self.engine = Engine(self.newest)
        for time in range(2 if self.twice else 1):
            async with self.database.write() as session:
                fresh = f"{self.events:08}ZZZZZZZZ"
                ctx = Context(session, self.shop, self.now)
                is_new = await self.engine.take_turn(ctx, incoming, fresh=fresh)
            assert is_new == (time == 0), "the same message twice is one turn"
        await self.look()

    async def look(self) -> None:
        """See what has come since the last look."""
        async with self.database.read() as session:
            sent = (Outbox.address == self.address, Outbox.due_at <= self.now, Outbox.state != "dropped")
            rows = await session.scalars(select(Outbox).where(*sent).order_by(Outbox.due_at, Outbox.id))
            news = [row for row in rows if row.key not in self.read]
        self.seen = [message_from_json(row.body) for row in news]
        self._language = news[-1].language if news else "id"
        self.read |= {row.key for row in news}


def shown(message: Message, channel: str, language: str) -> str:
    """A message as a person sees it on that channel: words, buttons, links, without the channel's markup."""
    if channel == "telegram":
        pieces = []
        for part in telegram_render.parts(message, language):
            pieces.append(html.unescape(re.sub(r"<[^>]+>", "", part.text)))
            pieces += _keys(part.keyboard)
        return "\n".join(pieces)
    parts = whatsapp_render.parts(message, language)
    return "\n".join(
        part.body if isinstance(part, whatsapp_render.Text) else "\n".join((part.body, *part.variables.values()))
        for part in parts
    ).replace("*", "")


def _keys(keyboard: object) -> list[str]:
    rows = getattr(keyboard, "inline_keyboard", None) or getattr(keyboard, "keyboard", None) or ()
    return [piece for row in rows for key in row for piece in (key.text, getattr(key, "url", None)) if piece]
