"""The moves between states: those of flow.md, and no other."""

from itertools import product

import pytest

from core.refusals import InvalidTransition
from core.states import BookingStatus, check_move

ALLOWED = {
    ("pending", "confirmed"),
    ("pending", "cancelled"),
    ("confirmed", "in_progress"),
    ("confirmed", "cancelled"),
    ("in_progress", "completed"),
    ("in_progress", "cancelled"),
}


@pytest.mark.parametrize(("now", "then"), [*product(BookingStatus, BookingStatus)])
def test_which_status_changes_are_allowed(now: BookingStatus, then: BookingStatus) -> None:
    if (now, then) in ALLOWED:
        check_move(now, then)
    else:
        with pytest.raises(InvalidTransition) as refusal:
            check_move(now, then)
        assert refusal.value.params == {"now": now, "then": then}
