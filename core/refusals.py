"""Every expected "no": raised in core, shown to a person by the chat engine and the REST error handler.

A refusal's class gives its stable `code` (api.md) and the key of its text (`refusal.<code>`);
its keyword arguments are the parameters of that text.
"""

import re
from typing import Any, ClassVar


class Refusal(Exception):
    """Something the shop's rules don't allow now; nothing has changed."""

    http_status: ClassVar[int] = 409
    code: ClassVar[str] = "refused"

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, **params: Any) -> None:
        super().__init__(f"{self.code} {params}")
        self.params = params


class Invalid(Refusal):
    """The request makes no sense, whatever the state of the shop."""

    http_status = 400


class NotFound(Refusal):
    """No such thing, or not theirs to see."""

    http_status = 404


class SlotFull(Refusal):
    """The shop is full at some moment of the job."""


class NoTechnician(SlotFull):
    """All technicians are away for at least a part of the job."""


class Closed(Refusal):
    """The shop is closed that day; params: day, why (a `Say`)."""


class OutsideHours(Refusal):
    """The job begins before opening or would last past closing; params: at, minutes, opens, closes."""


class NotASlot(Refusal):
    """No job starts at that time of day; params: at."""


class InThePast(Refusal):
    """The time asked for has gone by."""


class ShortNotice(Refusal):
    """The time asked for is nearer than the shop's notice; params: minutes."""


class TooFarAhead(Refusal):
    """The day is further ahead than the shop plans; params: days."""


class TechnicianBusy(Refusal):
    """The technician has an overlapping job."""


class TechnicianAway(TechnicianBusy):
    """The technician doesn't work then: a day off, leave, or switched off; params: name."""


class TechnicianUnskilled(TechnicianBusy):
    """The technician lacks a skill that the job needs; params: name."""


class NobodySkilled(TechnicianBusy):
    """Nobody who works then has the skills that the job needs."""


class TechnicianHasJobs(Refusal):
    """A technician leaves the catalogue once their jobs have gone to somebody else; params: name, jobs."""


class BadLeave(Invalid):
    """Leave that ends before it begins, is over, or lasts longer than a year."""


class BadClosure(Invalid):
    """Days to close that end before they begin, are over, or more than a year."""


class InsufficientStock(Refusal):
    """Fewer parts are free than were asked for; params: name, wanted, stock."""


class PreOrderOnly(Refusal):
    """The part is only sold to order; params: name."""


class NotForSale(Refusal):
    """The part or service is retired or switched off; params: name."""


class BadQuantity(Invalid):
    """A quantity below 1 or above what the shop sells at once; params: quantity, most."""


class NothingChosen(Invalid):
    """A booking needs at least one part or service."""


class TypeMismatch(Invalid):
    """The booking type given doesn't match its lines."""


class CashForServicesOnly(Invalid):
    """Cash on delivery is for bookings of services alone."""


class NotOnsite(Refusal):
    """A service in the booking is only done in the workshop; params: name."""


class TooFarAway(Refusal):
    """An on-site job further from the shop than it goes; params: km, and the shop's address and city."""


class OutsideDistricts(Refusal):
    """The address of an on-site job names no district that the shop goes to; params: districts, address, city."""


class AddressMissing(Invalid):
    """An on-site job needs an address or a location."""


class BadDownPayment(Invalid):
    """A down payment outside the shop's bounds or under the payment method's minimum; params: least, most."""


class MethodCannotPay(Refusal):
    """No channel of that payment method takes this amount; params: amount."""


class InvalidTransition(Refusal):
    """The booking can't go from its status to that one; params: now, then."""


class TooLateToCancel(Refusal):
    """Customers cancel until some hours before the start, then only staff does; params: hours."""


class TooEarlyForNoShow(Refusal):
    """A no-show can't be recorded before the booking's start; params: at."""


class NoCashAfterNoShows(Refusal):
    """After too many no-shows a customer pays in advance."""


class TooLateToMove(Refusal):
    """Customers move a booking until some hours before the start; params: hours."""


class TooLateToChange(Refusal):
    """Customers change a booking until some hours before the start, then only staff does; params: hours."""


class NothingToChange(Refusal):
    """The booking is that way already."""


class MovedTooOften(Refusal):
    """A customer moves a booking so many times only; params: most."""


class AlreadyPaid(Refusal):
    """Nothing is left to pay."""


class TooManyUnpaid(Refusal):
    """The customer already has as many unpaid bookings as the shop allows; params: most."""


class AlreadyWaiting(Refusal):
    """The customer is on the waitlist for that start already; params: at."""


class TooManyWaits(Refusal):
    """The customer has as many waitlist entries as the shop allows; params: most."""


class NotAssigned(Refusal):
    """Only the booking's technician, or an admin, may do that."""

    http_status = 403


class NotBeingWorkedOn(Refusal):
    """The booking isn't confirmed yet, or its work is over."""


class WorkshopJob(Refusal):
    """Nobody is on the way to a job that is done in the workshop."""


class NothingNoted(Invalid):
    """A work note needs a text or a photo."""


class BadPhotos(Invalid):
    """Not stored photos or https links, or more of them than one note takes; params: most."""


class ChatTaken(Refusal):
    """Another admin has taken that conversation over; params: name."""


class BadAmount(Invalid):
    """An amount outside what makes sense here; params: least, most."""


class BadStock(BadAmount):
    """A number of pieces that no shelf holds; params: least, most."""


class CostDecided(Refusal):
    """The customer has agreed or refused before, or it was withdrawn."""


class StillUnpaid(Refusal):
    """A job is completed once it is paid; params: remaining."""


class BadRating(Invalid):
    """A rating has 1 to 5 stars."""


class NotCompleted(Refusal):
    """Only a completed job can be rated."""


class AlreadyRated(Refusal):
    """The job was rated before."""


class StockPromised(Refusal):
    """Fewer parts than bookings have reserved; params: name, reserved."""


class IdempotencyKeyReused(Refusal):
    """Another request was sent under this key."""


class NeverOpen(Refusal):
    """Opening hours of a week without an open day."""

    http_status = 400


class PaymentUnavailable(Refusal):
    """The payment link can't be made now; the request is stored, and asking again returns its link."""

    http_status = 503


class AlreadySentBack(Refusal):
    """That money went back before, or Midtrans is still sending it; nothing is left to transfer by hand."""


class BooksDiffer(Refusal):
    """A report's sums don't match, so it isn't shown; params: where (ledger, sales or a booking's code), one, other."""

    http_status = 500
