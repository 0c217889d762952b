"""Who may do what (flow.md, "Who may do what"), until when, and how much of the money the shop keeps. Pure rules."""

from datetime import datetime, timedelta

from core.money import Money
from core.pricing.prices import down_payment
from core.refusals import (
    InvalidTransition,
    MovedTooOften,
    NotAssigned,
    TooEarlyForNoShow,
    TooLateToCancel,
    TooLateToChange,
    TooLateToMove,
)
from core.shop import Shop, StaffMember
from core.states import BookingStatus, check_move


def may_work_on(member: StaffMember, technician_id: str | None) -> bool:
    return member.role == "admin" or (member.technician is not None and member.technician == technician_id)


def check_may_work_on(member: StaffMember, technician_id: str | None) -> None:
    if not may_work_on(member, technician_id):
        raise NotAssigned


def check_may_cancel(status: BookingStatus, left: timedelta, shop: Shop) -> None:
    """Raise `InvalidTransition` or `TooLateToCancel`; a booking that isn't confirmed yet has no deadline."""
    check_move(status, BookingStatus.CANCELLED)
    if status is BookingStatus.IN_PROGRESS:
        raise InvalidTransition(now=status, then=BookingStatus.CANCELLED)
    if status is BookingStatus.CONFIRMED and left < timedelta(hours=shop.cancel_until_hours):
        raise TooLateToCancel(hours=shop.cancel_until_hours)


def check_may_reschedule(status: BookingStatus, left: timedelta, moves: int, shop: Shop) -> None:
    """Raise `InvalidTransition`, `TooLateToMove` or, after so many `moves` by the customer, `MovedTooOften`."""
    if status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        raise InvalidTransition(now=status, then=status)
    if left < timedelta(hours=shop.move_until_hours):
        raise TooLateToMove(hours=shop.move_until_hours)
    if moves >= shop.max_moves:
        raise MovedTooOften(most=shop.max_moves)


def check_may_change(status: BookingStatus, left: timedelta, shop: Shop) -> None:
    """Raise `InvalidTransition` or `TooLateToChange`; the deadline is that for moving it."""
    if status not in (BookingStatus.PENDING, BookingStatus.CONFIRMED):
        raise InvalidTransition(now=status, then=status)
    if left < timedelta(hours=shop.move_until_hours):
        raise TooLateToChange(hours=shop.move_until_hours)


def missed_deadline(left: timedelta, shop: Shop) -> int | None:
    """The last deadline for cancelling that is over, in hours before the start; None before the first."""
    return min((hours for hours in shop.kept_percents if left < timedelta(hours=hours)), default=None)


def kept_when_cancelled(total: Money, paid: Money, percent: int | None, left: timedelta, shop: Shop) -> Money:
    """What the shop keeps when the customer cancels now; nothing before the first deadline.

    It is a share of the down payment, whatever was paid: of `percent` of the total, or (None: paid in full) of
    the lowest down payment that the shop takes.
    """
    missed = missed_deadline(left, shop)
    share = shop.kept_percents[missed] if missed is not None else 0
    return _share_of_down_payment(total, paid, percent, share, shop)


def kept_for_no_show(total: Money, paid: Money, percent: int | None, shop: Shop) -> Money:
    """What the shop keeps after a no-show; `percent` as in `kept_when_cancelled`."""
    return _share_of_down_payment(total, paid, percent, shop.no_show_kept_percent, shop)


def check_no_show(status: BookingStatus, starts_at: datetime, now: datetime, shop: Shop) -> None:
    """Raise `InvalidTransition` or `TooEarlyForNoShow`."""
    if status is not BookingStatus.CONFIRMED:
        raise InvalidTransition(now=status, then=BookingStatus.CANCELLED)
    if now < starts_at:
        raise TooEarlyForNoShow(at=shop.local(starts_at))


def is_trusted(no_shows: int, shop: Shop) -> bool:
    return no_shows <= shop.no_shows_tolerated


def down_payments(no_shows: int, shop: Shop) -> tuple[int, ...]:
    """The down payments, in percent, that a customer with so many no-shows may choose from."""
    offered = shop.down_payment_percents
    return offered if is_trusted(no_shows, shop) or not offered else (max(offered),)


def _share_of_down_payment(total: Money, paid: Money, percent: int | None, share: int, shop: Shop) -> Money:
    lowest = min(shop.down_payment_percents, default=0)
    whole = min(paid, down_payment(total, percent if percent is not None else lowest))
    return whole * share // 100
