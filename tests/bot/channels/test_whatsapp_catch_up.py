"""WhatsApp messages whose webhook failed are fetched, at the start and later."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from bot.channels.sending import NotSent
from bot.channels.whatsapp_catch_up import OLDEST, OVERLAP, SLICE, WEBHOOK_TIME, catch_up
from conversations.incoming import Incoming
from core.upkeep.delivery_reports import Report


class Enough(Exception):
    pass


class Twilio:
    """Answers each fetch in turn, with messages or an error."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[datetime, datetime]] = []

    async def failures(self, since: datetime, until: datetime) -> list[Report]:
        assert (since, until) == self.asked[-1]
        return [Report("SM9", "failed", "63019")]

    async def missed(self, since: datetime, until: datetime) -> list[Incoming]:
        self.asked.append((since, until))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [Incoming("whatsapp", "whatsapp:+62811", sid) for sid in answer]


class Desk:
    """Takes messages; the database is away for some. Pauses move the clock."""

    def __init__(self, now: datetime, *away: str) -> None:
        self.now, self.away = now, list(away)
        self.taken: list[str] = []
        self.noted: list[Report] = []
        self.pauses: list[timedelta] = []

    async def take(self, messages: Sequence[Incoming]) -> None:
        for incoming in messages:
            if incoming.event_id in self.away:
                self.away.remove(incoming.event_id)
                raise ConnectionRefusedError
            self.taken.append(incoming.event_id)

    async def note(self, report: Report) -> None:
        self.noted.append(report)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(timedelta(seconds=seconds))
        self.now += self.pauses[-1]


async def _look(twilio: Twilio, desk: Desk, since: datetime) -> None:
    with pytest.raises(Enough):
        await catch_up(twilio, since=since, take=desk.take, note=desk.note, clock=lambda: desk.now, pause=desk.pause)  # type: ignore[arg-type]


async def test_the_first_fetch_begins_at_the_last_message(now: datetime) -> None:
    since, desk, twilio = now - timedelta(hours=3), Desk(now), Twilio(["SM1", "SM2"], Enough())
    await _look(twilio, desk, since)
    assert desk.taken == ["SM1", "SM2"]
    assert desk.noted == [Report("SM9", "failed", "63019")]
    assert twilio.asked[0] == (since - OVERLAP, now - WEBHOOK_TIME)
    assert twilio.asked[1][0] == now - WEBHOOK_TIME - OVERLAP, "the next look begins where this one ended"
    assert desk.pauses == [WEBHOOK_TIME], "what was dropped just before the start is not left for long"


@pytest.mark.parametrize(
    ("answers", "away", "taken"),
    [
        ((NotSent("503"), NotSent("503"), ["SM1"]), [], ["SM1"]),  # Twilio is away
        ((["SM1", "SM2"], ["SM1", "SM2"]), ["SM2"], ["SM1", "SM1", "SM2"]),  # the database is: SM1 is known by its id
    ],
)
async def test_a_failed_fetch_is_repeated_for_the_same_time(
    now: datetime,
    answers: tuple[list[str] | Exception, ...],
    away: list[str],
    taken: list[str],
) -> None:
    since, desk, twilio = now - timedelta(hours=3), Desk(now, *away), Twilio(*answers, Enough())
    await _look(twilio, desk, since)
    assert desk.taken == taken
    assert {asked for asked, _ in twilio.asked[:-1]} == {since - OVERLAP}
    assert desk.pauses[-1] == WEBHOOK_TIME
    assert desk.pauses[0] == timedelta(seconds=1)


async def test_fetching_respects_retry_after(now: datetime) -> None:
    desk, twilio = Desk(now), Twilio(NotSent("429", timedelta(seconds=40)), ["SM1"], Enough())
    await _look(twilio, desk, now)
    assert desk.pauses[0] == timedelta(seconds=40)


async def test_a_long_outage_is_looked_through_in_slices_and_not_for_ever(now: datetime) -> None:
    desk, twilio = Desk(now), Twilio(*[[f"SM{number}"] for number in range(12)], Enough())
    await _look(twilio, desk, now - timedelta(days=300))
    assert twilio.asked[0][0] == now - WEBHOOK_TIME - OLDEST - OVERLAP
    assert twilio.asked[11][1] == now - WEBHOOK_TIME
    for (_, until), (since, end) in pairwise(twilio.asked[:12]):
        assert (since, end) == (until - OVERLAP, until + SLICE)
    assert desk.taken == [f"SM{number}" for number in range(12)]
    assert desk.pauses == [WEBHOOK_TIME]
