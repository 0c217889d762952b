"""Checks of the final state: phones, ledger, seats and stock."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from patrons import PART, Fate, Patron
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import telegram_render, whatsapp_render
from bot.sandbox import markup
from bot.sandbox.phones import Person
from bot.sandbox.server import StandIns
from conversations.texts import render
from core.db.database import Database
from core.db.tables import Booking, Inbound, LedgerEntry, Outbox, Part
from core.messaging.messages import message_from_json, say
from core.messaging.outbox_claims import MOST_UNCLEAR
from core.states import PaymentStatus
from core.upkeep.undelivered import WANTED_FOR

ON_HAND = 1000
"""Initial stock of every part."""


@dataclass
class Verdict:
    """Counts, and the broken promises."""

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def expect(self, kept: bool, promise: str) -> None:
        """Record a promise as broken unless it was kept."""
        if not kept:
            self.broken.append(promise)


async def judge(there: StandIns, database: Database, patrons: Sequence[Patron], places: int) -> Verdict:
    """Check the final state; `places` is the number of places per hour."""
    verdict = Verdict()
    for patron in patrons:
        verdict.counts["customers"] += 1
        verdict.counts[f"customers: {patron.fate}"] += 1
        verdict.expect(patron.waiting_for is None, f"{patron.person.address} still waits for {patron.waiting_for!r}")
    async with database.read() as session:
        for person in [*there.world.telegram.people.values(), *there.world.whatsapp.people.values()]:
            await _answers(verdict, session, person)
            await _phone(verdict, session, person)
        await _money(verdict, session, there, patrons)
        await _fates(verdict, session, patrons)
        await _cars(verdict, session, patrons, places)
        await _stock(verdict, session, patrons)
    return verdict


async def _answers(verdict: Verdict, session: AsyncSession, person: Person) -> None:
    """Every message of a customer was stored once and answered once; the one that places an order, by the payment link."""
    wrote = sum(bubble.author == "me" for bubble in person.bubbles)
    channel = person.network.name
    mine = (Inbound.channel == channel, Inbound.address == person.address)
    came = (await session.scalars(select(Inbound).where(*mine).order_by(Inbound.received_at))).all()
    verdict.counts["messages of customers"] += wrote
    verdict.expect(len(came) == wrote, f"{person.address} wrote {wrote} messages, {len(came)} are known")
    to_them = (Outbox.channel == channel, Outbox.address == person.address)
    sent = (await session.execute(select(Outbox.key, Outbox.created_at).where(*to_them))).all()
    keys = {key for key, _ in sent}
    # A customer writes nothing between the message that places an order and its link.
    placing = {
        max((each for each in came if each.received_at <= made), key=lambda each: each.received_at).event_id
        for key, made in sent
        if key.startswith("link:")
    }
    for each in came:
        verdict.expect(each.error is None, f"{person.address}: a turn failed with {each.error}")
        is_answered = f"reply:{channel}:{each.event_id}" in keys or each.event_id in placing
        verdict.expect(is_answered, f"{person.address}: message {each.event_id} was never answered")


async def _phone(verdict: Verdict, session: AsyncSession, person: Person) -> None:
    """Every message of the shop is on the phone once, or again, marked, where a kill made its delivery unclear."""
    channel = person.network.name
    mine = (Outbox.channel == channel, Outbox.address == person.address)
    said, may_repeat = Counter[str](), Counter[str]()
    for row in (await session.scalars(select(Outbox).where(*mine))).all():
        texts = _texts(row)
        if row.state == "sent":
            verdict.counts["messages of the shop"] += 1
            said.update(texts)
            may_repeat.update(texts * row.unclear)
            if _sent_again(row):
                verdict.counts["sent again by the owner"] += 1
                may_repeat.update([*texts, *texts])
        elif row.state == "failed" and row.unclear > MOST_UNCLEAR:
            verdict.counts["given up after five kills (staff can resend)"] += 1
            may_repeat.update(texts * row.unclear)
        elif row.kind != "reminder":
            verdict.expect(False, f"{person.address}: {row.key} is {row.state} ({row.error})")
    gone, again = (" ".join(render(say(f"channel.{key}"), "id").split()) for key in ("keys_gone", "again"))
    shop = (" ".join(b.text.split()) for b in person.bubbles if b.author == "shop")
    seen = Counter(text.removeprefix(f"{again} ") for text in shop if text != gone)
    for text in said | seen:
        verdict.counts["sent again, where a kill made it ambiguous"] += max(0, seen[text] - said[text])
        verdict.expect(seen[text] >= said[text], f"{person.address} never saw {text[:60]!r}")
        repeated = seen[text] - said[text] > may_repeat[text]
        verdict.expect(not repeated, f"{person.address} saw {text[:60]!r} {seen[text]} times instead of {said[text]}")


def _sent_again(row: Outbox) -> bool:
    """Whether staff resent it, which is the only way to get this validity period."""
    return row.until == row.due_at + WANTED_FOR


def _texts(row: Outbox) -> list[str]:
    """The texts that a message shows on a phone."""
    message = message_from_json(row.body)
    if row.channel == "telegram":
        parsed = [markup.telegram_html(part.text) for part in telegram_render.parts(message, row.language)]
    else:
        parsed = [markup.whatsapp(part.body) for part in whatsapp_render.parts(message, row.language)]
    return [" ".join(each.text.split()) for each in parsed]


async def _money(verdict: Verdict, session: AsyncSession, there: StandIns, patrons: Sequence[Patron]) -> None:
    """Payments and refunds are entered once, and the confirmation is on the phone, at least once."""
    entered = 0
    for patron in patrons:
        if patron.order_id is None:
            continue
        verdict.counts["payments"] += 1
        query = select(LedgerEntry.amount).where(LedgerEntry.order_id == patron.order_id).order_by(LedgerEntry.id)
        amounts = (await session.scalars(query)).all()
        paid = there.midtrans.find(patron.order_id)
        moved = [paid.amount, *(-back for back in paid.refunds.values())]
        verdict.expect(amounts == moved, f"{patron.order_id}: moved at Midtrans {moved}, entered {amounts}")
        back = paid.amount if patron.fate is Fate.CANCELLED else 0
        verdict.expect(sum(moved) == paid.amount - back, f"{patron.order_id}: {patron.fate}, but moved {moved}")
        entered += len(moved)
        told = sum(f"{patron.code} sudah terkonfirmasi" in bubble.text for bubble in patron.person.bubbles)
        verdict.counts["confirmations"] += told
        messages = (await session.scalars(select(Outbox).where(Outbox.address == patron.person.address))).all()
        most = (MOST_UNCLEAR + 1) * (2 if any(_sent_again(row) for row in messages) else 1)
        verdict.expect(1 <= told <= most, f"{patron.order_id} was confirmed {told} times")
    entries = await session.scalar(select(func.count()).select_from(LedgerEntry))
    verdict.expect(entries == entered, f"{entries} entries where money moved {entered} times")
    unpaid = await session.scalar(
        select(func.count()).where(Booking.paid_amount > 0, Booking.payment_status != PaymentStatus.PAID)
    )
    verdict.expect(not unpaid, f"{unpaid} bookings with money aren't paid")


async def _fates(verdict: Verdict, session: AsyncSession, patrons: Sequence[Patron]) -> None:
    """Each booking's status is what its customer was told, and there are no other bookings."""
    states = {code: status.value for code, status in await session.execute(select(Booking.code, Booking.status))}
    told = {patron.code: str(patron.fate) for patron in patrons if patron.code}
    verdict.expect(states == told, f"told and booked differ: {sorted(states.items() ^ told.items())}")


async def _cars(verdict: Verdict, session: AsyncSession, patrons: Sequence[Patron], places: int) -> None:
    """Each hour is full, and the other customers were turned away.

    Nobody cancels before all rivals for the hour are answered.
    """
    verdict.counts["bookings"] = await session.scalar(select(func.count()).select_from(Booking)) or 0
    cars = list(await session.scalars(select(Booking).order_by(Booking.starts_at)))
    for moment in sorted({car.starts_at for car in cars}):
        there = sum(car.starts_at <= moment < car.starts_at + timedelta(minutes=car.minutes) for car in cars)
        verdict.counts["hours that were full"] += there == places
        verdict.expect(there == places, f"{moment}: {there} cars, {places} places")
    rivals = Counter((patron.day, patron.hour) for patron in patrons)
    sent_away = Counter((patron.day, patron.hour) for patron in patrons if patron.fate is Fate.TURNED_AWAY)
    for when, came in rivals.items():
        verdict.expect(sent_away[when] == came - places, f"{sent_away[when]} of {came} for {when} were turned away")


async def _stock(verdict: Verdict, session: AsyncSession, patrons: Sequence[Patron]) -> None:
    """Stock is the initial stock less sold parts, and the parts of open bookings are reserved."""
    fates = Counter(patron.fate for patron in patrons)
    for part in (await session.scalars(select(Part))).all():
        sold, promised = (fates[Fate.DONE], fates[Fate.BOOKED]) if part.id == PART else (0, 0)
        verdict.counts["parts sold"] += sold
        left = ON_HAND - sold
        verdict.expect(part.on_hand == left, f"{part.id}: {part.on_hand} on hand, {left} of {ON_HAND} not sold")
        verdict.expect(part.reserved == promised, f"{part.id}: {part.reserved} reserved, {promised} promised")
