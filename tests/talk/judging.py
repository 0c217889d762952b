"""Compares what a persona wanted with what stands in the database and what the shop's people received."""

import re
from collections.abc import Iterator
from datetime import datetime

from demo_catalogue import DEMO
from persona import End, Persona, Wish
from stage import Books
from voice import date_of

from core.db.tables import Booking
from core.shop import Shop
from core.states import BookingStatus, Location, PaymentMethod, PaymentStatus

LIVE = (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED)


def complaints(persona: Persona, wish: Wish, books: Books, shop: Shop) -> list[str]:
    """What isn't as it was wanted; empty if all is."""
    return [*_of_the_end(persona, wish, books, shop), *_of_the_unwanted(wish, books), *_of_staff(persona, books)]


def _of_the_end(persona: Persona, wish: Wish, books: Books, shop: Shop) -> Iterator[str]:
    live = [
        each
        for each in books.bookings
        if each.status in LIVE or (each.holding and each.status is BookingStatus.PENDING)
    ]
    match persona.end:
        case End.BOOKED | End.UNPAID:
            wishes = [wish, *persona.also]
            if len(live) != len(wishes):
                yield f"{len(live)} bookings instead of {len(wishes)}"
            for each in wishes if live else ():
                model = each.car.rpartition(" ")[0].casefold()
                booking = next((one for one in live if model in one.car_model.casefold()), live[-1])
                yield from _of_a_booking(booking, each, shop, is_paid=persona.end is End.BOOKED)
        case End.CANCELLED:
            if not books.bookings or any(each.status is not BookingStatus.CANCELLED for each in books.bookings):
                yield "no booking was cancelled"
        case End.NOTHING:
            if books.bookings:
                yield "something was booked"
        case End.WAITING:
            yield from _of_the_waitlist(wish, books, shop)
        case End.ALERT:
            if not books.alerts:
                yield "no alert"
        case End.ERASED:
            if books.contact is not None and books.contact.customer.name:
                yield "the data are still there"


def _of_a_booking(booking: Booking, wish: Wish, shop: Shop, *, is_paid: bool) -> Iterator[str]:
    model, _, year = wish.car.rpartition(" ")
    car = f"{booking.car_brand} {booking.car_model} {booking.car_year}"
    if not (car.casefold().endswith(f"{model} {year}".casefold())):
        yield f"car {car} instead of {wish.car}"
    yield from _of_the_time(booking.starts_at, wish, shop)
    yield from _of_the_goods(booking, wish)
    if wish.technician and booking.technician_id != wish.technician:
        yield f"technician {booking.technician_id} instead of {wish.technician}"
    if (booking.location is Location.ONSITE) != bool(wish.address):
        yield f"place {booking.location}"
    if wish.address and wish.address.casefold()[:12] not in (booking.address or "").casefold():
        yield f"address {booking.address!r}"
    if booking.name.casefold() != wish.name.casefold():
        yield f"name {booking.name!r} instead of {wish.name!r}"
    if is_paid:
        yield from _of_the_money(booking, wish)


def _of_the_time(starts_at: datetime, wish: Wish, shop: Shop) -> Iterator[str]:
    at = shop.local(starts_at)
    if wish.day and at.date() != date_of(wish.day):
        yield f"day {at:%A %d %B} instead of {wish.day}"
    if wish.hour is not None and (at.hour, at.minute) != (wish.hour, 0):
        yield f"hour {at:%H:%M} instead of {wish.hour:02}:00"


def _of_the_goods(booking: Booking, wish: Wish) -> Iterator[str]:
    parts = {line.part_id: line for line in booking.lines if line.part_id}
    services = [line.service_id for line in booking.lines if line.service_id]
    categories = [DEMO.parts[part].category for part in parts]
    for wanted in wish.parts:
        found = next((part for part in parts if wanted in (part, DEMO.parts[part].category)), None)
        if found is None:
            yield f"part {wanted} is missing; there are {sorted(parts)}"
        elif parts[found].quantity != wish.count:
            yield f"{parts[found].quantity} of {found} instead of {wish.count}"
        elif wish.at_most and parts[found].total > wish.at_most * wish.count:
            yield f"{found} is above the budget"
    extra = [part for part in parts if not _is_wanted(part, wish) and not DEMO.parts[part].adapts_mount]
    if extra:
        yield f"parts that weren't wanted: {extra}"
    for wanted in wish.services:
        if wanted not in services:
            yield f"service {wanted} is missing; there are {services}"
    if wish.parts_only and services:
        yield f"services that weren't wanted: {services}"
    if wish.services and set(services) - set(wish.services):
        yield f"services that weren't wanted: {sorted(set(services) - set(wish.services))}"
    installs = {category for service in services for category in DEMO.services[service].installs}
    if wish.parts and not wish.services and not wish.parts_only and not installs & set(categories):
        yield f"nobody installs it: {services}"


def _is_wanted(part: str, wish: Wish) -> bool:
    return part in wish.parts or DEMO.parts[part].category in wish.parts


def _of_the_money(booking: Booking, wish: Wish) -> Iterator[str]:
    if wish.pay == "cash":
        if booking.payment_method is not PaymentMethod.COD:
            yield f"paid by {booking.payment_method} instead of cash"
    elif booking.total_price and wish.pay == "full" and booking.payment_status is not PaymentStatus.PAID:
        yield f"payment {booking.payment_status} ({booking.down_payment_percent} %) instead of paid"
    elif wish.pay.isdigit() and booking.down_payment_percent != int(wish.pay):
        yield f"down payment of {booking.down_payment_percent} % instead of {wish.pay} %"
    elif wish.pay.isdigit() and not booking.paid_amount:
        yield "nothing is paid"


def _of_the_waitlist(wish: Wish, books: Books, shop: Shop) -> Iterator[str]:
    if len(books.waits) != 1:
        yield f"{len(books.waits)} places in the waitlist"
    for wait in books.waits:
        yield from _of_the_time(wait.starts_at, wish, shop)


def _of_the_unwanted(wish: Wish, books: Books) -> Iterator[str]:
    """A technician who isn't wanted must not come: another one is booked, or the shop's people know."""
    for booking in books.bookings if wish.without else ():
        known = any(
            re.search(rf"(bukan|selain|jangan|tanpa|kecuali|tidak).*{wish.without}", text, re.IGNORECASE)
            for text in books.staff
        )
        if booking.technician_id == wish.without or (booking.technician_id is None and not known):
            yield f"technician {booking.technician_id or 'anyone'}, though {wish.without} isn't wanted"


def _of_staff(persona: Persona, books: Books) -> Iterator[str]:
    for pattern in persona.staff_hear:
        if not any(re.search(pattern, text, re.IGNORECASE | re.DOTALL) for text in books.staff):
            yield f"staff never read “{pattern}”"
    if persona.staff_see_a_photo and not books.staff_photos:
        yield "staff never saw the photo"
