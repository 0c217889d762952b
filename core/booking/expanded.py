"""Bookings with all the rows that they refer to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import work
from core.db.tables import AdditionalCost, Booking, Customer, Invoice, Part, Service, WorkNote
from core.states import CostState


@dataclass(frozen=True, slots=True)
class Expanded:
    """A booking, loaded as by `bookings.load`, with what its rows point to."""

    booking: Booking
    user: str | None
    """The Clerk user of its customer, if they ever signed in."""
    parts: Mapping[str, Part]
    services: Mapping[str, Service]
    notes: Sequence[WorkNote]
    costs: Sequence[AdditionalCost]
    """The agreed ones: only they are billed."""
    has_invoice: bool


async def expand(session: AsyncSession, bookings: Sequence[Booking]) -> list[Expanded]:
    """What REST shows of these bookings, in six queries however many there are."""
    ids = [booking.id for booking in bookings]
    lines = [line for booking in bookings for line in booking.lines]
    parts = await session.scalars(select(Part).where(Part.id.in_({line.part_id for line in lines if line.part_id})))
    services = await session.scalars(
        select(Service).where(Service.id.in_({line.service_id for line in lines if line.service_id}))
    )
    users = await session.execute(
        select(Customer.id, Customer.clerk_user).where(Customer.id.in_({booking.customer_id for booking in bookings}))
    )
    agreed = AdditionalCost.state == CostState.AGREED
    costs = await session.scalars(
        select(AdditionalCost).where(AdditionalCost.booking_id.in_(ids), agreed).order_by(AdditionalCost.id)
    )
    costs_of: defaultdict[int, list[AdditionalCost]] = defaultdict(list)
    for cost in costs:
        costs_of[cost.booking_id].append(cost)
    notes_of = await work.notes_of(session, ids)
    invoiced = set(await session.scalars(select(Invoice.booking_id).where(Invoice.booking_id.in_(ids))))
    part_of = {part.id: part for part in parts}
    service_of = {service.id: service for service in services}
    user_of = dict(users.all())
    return [
        Expanded(
            booking,
            user_of.get(booking.customer_id),
            part_of,
            service_of,
            notes_of.get(booking.id, []),
            costs_of[booking.id],
            booking.id in invoiced,
        )
        for booking in bookings
    ]
