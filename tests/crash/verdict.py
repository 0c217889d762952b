"""What must be true after all the kills: of the phones, of the ledger, of seats and stock."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from patrons import Patron
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import telegram_render, whatsapp_render
from bot.sandbox import markup
from bot.sandbox.phones import Person
from bot.sandbox.server import Outside
from conversations.texts import render
from core.database import Database
from core.messages import message_from_json, say
from core.states import PaymentStatus
from core.tables import Booking, BookingLine, Inbound, LedgerEntry, Outbox, Part, Seat, Slot

ON_HAND = 1000
"""Of every part, to begin with."""


@dataclass
class Verdict:
    """What was counted, and every promise that was broken."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def expect(self, kept: bool, promise: str) -> None:
        """Note a promise that wasn't kept."""
        if not kept:
            self.broken.append(promise)


async def judge(there: Outside, database: Database, patrons: Sequence[Patron]) -> Verdict:
    """Look at everything, when nothing moves any more."""
    verdict = Verdict()
    for patron in patrons:
        verdict.counts["customers"] += 1
        verdict.expect(patron.waiting_for is None, f"{patron.person.address} still waits for {patron.waiting_for!r}")
    async with database.read() as session:
        for person in [*there.world.telegram.people.values(), *there.world.whatsapp.people.values()]:
            await _answers(verdict, session, person)
            await _phone(verdict, session, person)
        await _money(verdict, session, there, patrons)
        await _seats(verdict, session)
        await _stock(verdict, session)
    return verdict


async def _answers(verdict: Verdict, session: AsyncSession, person: Person) -> None:
    """Every message came in once and was answered once."""
    wrote = sum(bubble.author == "me" for bubble in person.bubbles)
    channel = person.network.name
    mine = (Inbound.channel == channel, Inbound.address == person.address)
    came = (await session.scalars(select(Inbound).where(*mine))).all()
    verdict.counts["messages of customers"] += wrote
    verdict.expect(len(came) == wrote, f"{person.address} wrote {wrote} messages, {len(came)} are known")
    for each in came:
        verdict.expect(each.error is None, f"{person.address}: a turn failed with {each.error}")
        reply = await session.scalar(select(Outbox).where(Outbox.key == f"reply:{channel}:{each.event_id}"))
        verdict.expect(reply is not None, f"{person.address}: message {each.event_id} was never answered")


async def _phone(verdict: Verdict, session: AsyncSession, person: Person) -> None:
    """All that was said is on the phone, once; twice only what a kill made ambiguous."""
    channel = person.network.name
    mine = (Outbox.channel == channel, Outbox.address == person.address)
    said, may_repeat = Counter[str](), Counter[str]()
    for row in (await session.scalars(select(Outbox).where(*mine))).all():
        texts = _texts(row)
        if row.state == "sent":
            verdict.counts["messages of the shop"] += 1
            said.update(texts)
            may_repeat.update(texts if row.unclear else [])
        elif row.state == "failed" and row.unclear > 1:
            verdict.counts["given up after two kills (staff can resend)"] += 1
            may_repeat.update([*texts, *texts])
        elif row.kind != "reminder":
            verdict.expect(False, f"{person.address}: {row.key} is {row.state} ({row.error})")
    gone = " ".join(render(say("channel.keys_gone"), "id").split())
    seen = Counter(" ".join(b.text.split()) for b in person.bubbles if b.author == "shop" and b.text != gone)
    for text in said | seen:
        verdict.counts["sent twice, where a kill made it ambiguous"] += max(0, seen[text] - said[text])
        verdict.expect(seen[text] >= said[text], f"{person.address} never saw {text[:60]!r}")
        repeated = seen[text] - said[text] > may_repeat[text]
        verdict.expect(not repeated, f"{person.address} saw {text[:60]!r} {seen[text]} times instead of {said[text]}")


def _texts(row: Outbox) -> list[str]:
    """What a message shows on a phone."""
    letter = message_from_json(row.body)
    if row.channel == "telegram":
        parsed = [markup.telegram_html(part.text) for part in telegram_render.parts(letter, row.language)]
    else:
        parsed = [markup.whatsapp(part.body) for part in whatsapp_render.parts(letter, row.language)]
    return [" ".join(each.text.split()) for each in parsed]


async def _money(verdict: Verdict, session: AsyncSession, there: Outside, patrons: Sequence[Patron]) -> None:
    """What was paid is entered once, and its booking's confirmation is on the phone once, or twice."""
    for patron in patrons:
        if patron.order_id is None:
            continue
        verdict.counts["payments"] += 1
        entries = (await session.scalars(select(LedgerEntry).where(LedgerEntry.order_id == patron.order_id))).all()
        amounts, paid = [entry.amount for entry in entries], there.midtrans.find(patron.order_id).amount
        verdict.expect(amounts == [paid], f"{patron.order_id}: paid {paid}, entered {amounts}")
        told = sum("terkonfirmasi" in bubble.text for bubble in patron.person.bubbles)
        verdict.counts["confirmations"] += told
        verdict.expect(told in (1, 2), f"{patron.order_id} was confirmed {told} times")
    entered = await session.scalar(select(func.count()).select_from(LedgerEntry))
    verdict.expect(
        entered == verdict.counts["payments"], f"{entered} entries for {verdict.counts['payments']} payments"
    )
    unpaid = await session.scalar(
        select(func.count()).where(Booking.paid_amount > 0, Booking.payment_status != PaymentStatus.PAID)
    )
    verdict.expect(not unpaid, f"{unpaid} bookings with money aren't paid")


async def _seats(verdict: Verdict, session: AsyncSession) -> None:
    """No hour has more cars than places, and each place that is taken is somebody's."""
    verdict.counts["bookings"] = await session.scalar(select(func.count()).select_from(Booking)) or 0
    held = dict((await session.execute(select(Seat.starts_at, func.count()).group_by(Seat.starts_at))).all())
    for slot in (await session.scalars(select(Slot))).all():
        seats = held.get(slot.starts_at, 0)
        verdict.counts["hours that are full"] += slot.taken == slot.cap
        verdict.expect(slot.taken <= slot.cap, f"{slot.starts_at}: {slot.taken} cars, {slot.cap} places")
        verdict.expect(slot.taken == seats, f"{slot.starts_at}: {slot.taken} taken, {seats} held")


async def _stock(verdict: Verdict, session: AsyncSession) -> None:
    """What can be sold is what there was, less what is promised (nothing is handed over yet)."""
    lines = await session.execute(
        select(BookingLine.part_id, func.sum(BookingLine.quantity))
        .join(Booking, Booking.id == BookingLine.booking_id)
        .where(Booking.holding, BookingLine.part_id.is_not(None))
        .group_by(BookingLine.part_id)
    )
    promised = dict(lines.all())
    for part in (await session.scalars(select(Part))).all():
        left = ON_HAND - promised.get(part.id, 0)
        verdict.expect(part.stock == left, f"{part.id}: {part.stock} can be sold instead of {left}")
