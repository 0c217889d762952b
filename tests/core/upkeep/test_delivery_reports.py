"""What vendors report of messages they took: in any order, never backwards, and never into the void."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import ADMIN, book, booking_of
from shops import make_shop
from sqlalchemy import select, update

from conversations.texts import render
from core.context import Context
from core.db.database import Database
from core.db.tables import Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import message, message_from_json, say
from core.shop import Shop
from core.upkeep import delivery_reports, undelivered
from core.upkeep.delivery_reports import Report

CHAT = ("whatsapp", "whatsapp:+6281234567890")
HELLO = message(say("notice.see_you"))
MINUTE = timedelta(minutes=1)


class Letter:
    """One message, and what is reported of it."""

    def __init__(self, database: Database, shop: Shop, now: datetime) -> None:
        self.database, self.shop, self.now = database, shop, now
        self.channels = ["telegram", "email"]

    async def write(self, **changes: Any) -> None:
        """Write it, and hand it to somebody who sends it."""
        values = {"channel": CHAT[0], "address": CHAT[1], "language": "id", "message": HELLO} | changes
        async with self.database.write() as session:
            await outbox.enqueue(Context(session, make_shop(), self.now), key="letter", **values)
        await self.claim()

    async def claim(self) -> None:
        async with self.database.write() as session:
            [self.row] = await outbox_claims.claim(session, now=self.now, limit=1, channels=CHAT[:1])

    async def sent(self, vendor_id: str = "SM1") -> None:
        async with self.database.write() as session:
            await outbox_claims.sent(session, [(self.row, vendor_id)], now=self.now)

    async def report_at_once(self, *states: str) -> None:
        """As under a rush, when many reports are noted together."""
        steps = [Report("SM1", state, message=self.row.id) for state in states]
        async with self.database.write() as session:
            await delivery_reports.record_steps(session, steps)

    async def report(self, state: str, vendor_id: str = "SM1", **more: Any) -> None:
        given = Report(vendor_id, state, **({"message": self.row.id} | more))
        async with self.database.write() as session:
            await delivery_reports.record(Context(session, self.shop, self.now), given, channels=self.channels)

    async def stored(self, key: str = "letter") -> Outbox:
        async with self.database.read() as session:
            return (await session.scalars(select(Outbox).where(Outbox.key == key))).one()

    async def others(self) -> list[Outbox]:
        """What was written to others because of it."""
        async with self.database.read() as session:
            return list(await session.scalars(select(Outbox).where(Outbox.id > self.row.id)))


@pytest.fixture
def letter(database: Database, shop: Shop, now: datetime) -> Letter:
    return Letter(database, shop, now)


ORDERS = [
    pytest.param(["queued", "sent", "delivered", "read"], "read", id="the usual order"),
    pytest.param(["read", "delivered", "sent"], "read", id="the latest first"),
    pytest.param(["sent", "undelivered"], "undelivered", id="a failure after the vendor took it"),
    pytest.param(["delivered", "failed"], "delivered", id="what was delivered can't fail"),
    pytest.param(["delivered", "delivered"], "delivered", id="the same twice"),
    pytest.param(["teleported", "sent"], "sent", id="a state nobody knows"),
]


@pytest.mark.parametrize(("reported", "kept"), ORDERS)
@pytest.mark.parametrize("number", ["named", "unnamed"])
async def test_a_state_never_goes_back(letter: Letter, reported: list[str], kept: str, number: str) -> None:
    await letter.write()
    await letter.sent()
    for state in reported:
        await letter.report(state, **({} if number == "named" else {"message": None}))
    assert (await letter.stored()).delivery == kept


@pytest.mark.parametrize("reported", [["queued", "sent", "delivered", "read"], ["read", "delivered", "sent"]])
@pytest.mark.parametrize("known_as", [None, "SM1"])
async def test_of_steps_noted_at_once_the_furthest_counts(
    letter: Letter, reported: list[str], known_as: str | None
) -> None:
    await letter.write()
    if known_as:
        await letter.sent(known_as)
    await letter.report_at_once(*reported)
    await letter.report_at_once("sent")
    row = await letter.stored()
    assert (row.delivery, row.vendor_id) == ("read", "SM1")


async def test_steps_in_a_batch_match_message_and_vendor_id(letter: Letter) -> None:
    await letter.write()
    await letter.sent("SM2")
    async with letter.database.write() as session:
        steps = [
            Report("SM1", "read", message=letter.row.id),
            Report("SM2", "delivered", message=letter.row.id),
            Report("SM3", "read", message=letter.row.id + 1),
        ]
        await delivery_reports.record_steps(session, steps)
    row = await letter.stored()
    assert (row.delivery, row.vendor_id) == ("delivered", "SM2")


async def test_a_step_undoes_a_failure_only_if_delivered(letter: Letter) -> None:
    await letter.write()
    await letter.report("undelivered", error="63016")
    await letter.report_at_once("sent")
    row = await letter.stored()
    assert (row.delivery, row.state, row.error) == ("undelivered", "failed", "63016")


@pytest.mark.parametrize(
    ("report", "is_step"),
    [
        (Report("SM1", "sent", message=1), True),
        (Report("SM1", "failed", message=1), False),
        (Report("SM1", "teleported", message=1), False),
        (Report("SM1", "sent"), False),
        (Report("SM1", "sent", message=1, is_last_part=False), False),
    ],
)
def test_which_reports_are_steps(report: Report, *, is_step: bool) -> None:
    assert report.is_step == is_step


@pytest.mark.parametrize(("reported", "kept"), ORDERS)
async def test_a_report_before_the_send_is_recorded_counts(letter: Letter, reported: list[str], kept: str) -> None:
    await letter.write()
    for state in reported:
        await letter.report(state)
    await letter.sent()
    row = await letter.stored()
    assert (row.delivery, row.vendor_id) == (kept, "SM1")
    assert row.state == ("failed" if kept == "undelivered" else "sent")


async def test_a_report_of_an_earlier_try_is_ignored(letter: Letter) -> None:
    await letter.write()
    await letter.sent("SM2")
    await letter.report("failed", "SM1")
    row = await letter.stored()
    assert (row.state, row.delivery) == ("sent", None)


async def test_a_file_twilio_could_not_fetch_is_sent_again(letter: Letter, now: datetime) -> None:
    """We were down for a moment; if we are unreachable for good, trying on helps nobody."""
    await letter.write()
    for tries in range(1, 5):
        await letter.sent(f"SM{tries}")
        for _ in range(2):
            await letter.report("failed", f"SM{tries}", error="63019")
        row = await letter.stored()
        assert (row.state, row.error, row.parts_left, await letter.others()) == ("due", "63019", 1, [])
        assert row.not_before > letter.now
        letter.now = row.not_before
        await letter.claim()
        assert (letter.row.attempts, letter.row.unclear) == (tries + 1, 0)
    await letter.sent("SM5")
    assert (await letter.stored()).delivery is None, "what was reported of an earlier try is past"
    await letter.report("failed", "SM5", error="63019")
    assert (await letter.stored()).state == "failed"
    assert await letter.others()


async def test_a_file_is_not_sent_again_after_its_until(letter: Letter) -> None:
    await letter.write()
    async with letter.database.write() as session:
        await session.execute(update(Outbox).values(state="dropped"))
    await letter.report("failed", error="63019")
    assert (await letter.stored()).state == "dropped"


async def test_a_failed_earlier_part_sends_all_parts_again(letter: Letter) -> None:
    await letter.write()
    await letter.sent()
    await letter.report("failed", "SM0", error="63019", is_last_part=False)
    row = await letter.stored()
    assert (row.state, row.parts_left) == ("due", None)


async def test_an_undelivered_message_is_mailed(letter: Letter, now: datetime) -> None:
    await book(letter.database, letter.shop, now)
    booking = await booking_of(letter.database)
    await letter.write(booking_id=booking.id, kind="reminder")
    await letter.sent()
    for _ in range(2):
        await letter.report("undelivered", error="63016")
    row = await letter.stored()
    assert (row.state, row.error) == ("failed", "63016")
    assert [(each.channel, each.key) for each in await letter.others()] == [("email", "letter:email")]


async def test_where_there_is_no_mail_staff_is_asked_to_tell(letter: Letter, now: datetime) -> None:
    await book(letter.database, letter.shop, now)
    booking = await booking_of(letter.database)
    await letter.write(booking_id=booking.id, kind="reminder")
    await letter.sent()
    letter.channels.remove("email")
    await letter.report("undelivered")
    assert [(each.channel, each.address, each.kind) for each in await letter.others()] == [(*ADMIN, "staff")]


async def test_an_undelivered_alarm_is_mailed(letter: Letter, shop: Shop) -> None:
    [rina] = [member for member in shop.staff if member.role == "admin"]
    letter.shop = shop.model_copy(update={"staff": (rina.model_copy(update={"whatsapp": CHAT[1][9:]}),)})
    async with letter.database.write() as session:
        await outbox.enqueue(
            Context(session, make_shop(), letter.now),
            key="alarm:links",
            channel=CHAT[0],
            address=CHAT[1],
            language="id",
            message=HELLO,
        )
    await letter.claim()
    await letter.sent()
    await letter.report("failed", error="63016")
    assert [each.channel for each in await letter.others()] == ["email"]


async def test_a_failed_general_message_alarms_once_a_day(letter: Letter) -> None:
    await letter.write()
    await letter.sent()
    await letter.report("failed", error="63024")
    [alarm] = await letter.others()
    assert (alarm.channel, alarm.address) == ADMIN
    said = message_from_json(alarm.body).says
    assert [each.key for each in said] == ["alarm.given_up.head", "alarm.given_up.text"]
    assert render(said[0], "id") == "🔴 Ada pesan WhatsApp yang gagal terkirim"


async def test_only_failures_of_earlier_parts_count(letter: Letter) -> None:
    await letter.write()
    await letter.report("delivered", "SM0", is_last_part=False)
    assert (await letter.stored()).delivery is None
    await letter.sent("SM1")
    await letter.report("delivered", "SM1")
    await letter.report("undelivered", "SM0", is_last_part=False, error="63016")
    row = await letter.stored()
    assert (row.state, row.delivery, row.vendor_id, row.error) == ("failed", "undelivered", "SM1", "63016")


async def test_what_staff_sends_again_is_reported_on_anew(letter: Letter) -> None:
    await letter.write()
    await letter.sent("SM1")
    await letter.report("failed", "SM1")
    async with letter.database.write() as session:
        await undelivered.resend(Context(session, make_shop(), letter.now), key="letter")
    await letter.report("failed", "SM1", error="63019")  # Twilio says it twice
    await letter.report_at_once("delivered")
    row = await letter.stored()
    assert (row.state, row.delivery, row.attempts) == ("due", None, 0)
    await letter.claim()
    await letter.sent("SM2")
    await letter.report("sent", "SM2")
    assert (await letter.stored()).delivery == "sent"
    await letter.report("failed", "SM2")
    assert (await letter.stored()).state == "failed"
