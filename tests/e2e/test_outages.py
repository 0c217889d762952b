"""Outages of each vendor and of the database: nothing is lost or done twice, and the shop recovers by itself.

a vendor is down ── webhooks are accepted and stored ──> processed in order and once after the outage
the database is down ── webhooks get a 503, so that vendors retry ──> the same
"""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import asyncpg
import pytest
from aiohttp import ClientSession
from booking_by_phone import sees
from fronts import TAKEN, Front, Http, Smtp, Trouble, before
from on_the_web import Visitor
from pydantic import SecretStr
from sqlalchemy import Engine, event, func, select, text
from town import Clock, Town
from waiting import HANG, result, until

from bot import app
from bot.config import DatabaseAt
from bot.sandbox.phones import Person, Typed
from bot.timeouts import DEFAULT_TIMEOUTS, Timeouts
from bot.watching import metrics
from core.context import Context
from core.db.database import Database
from core.db.tables import Inbound, LedgerEntry, Outbox, PaymentRequest
from core.messaging import outbox
from core.messaging.messages import message, say
from core.states import RequestState

MOMENT = timedelta(seconds=3)
"""Timeout for a silent vendor or database; a healthy one answers sooner, also on a busy machine."""
WITH_VENDORS = Timeouts(chat=MOMENT, midtrans=MOMENT, mail=MOMENT, keys=MOMENT)
WITH_THE_DATABASE = Timeouts(database=MOMENT / 2, statement=MOMENT)
Result = TypeVar("Result")
A_WHILE = {"minutes": 6}
"""Longer than any delay between two retries."""
BETWEEN_TRIES = 1
"""Real seconds between two moves of the test clock."""


@dataclass
class Weather:
    """A town in which every vendor can have an outage."""

    town: Town
    fronts: Mapping[str, Front]
    http: ClientSession
    user: str = "customer"

    async def health(self) -> tuple[int, int]:
        """The statuses of /healthz and /readyz."""
        async with self.http.get("/healthz") as alive, self.http.get("/readyz") as ready:
            return alive.status, ready.status

    async def status(self, method: str, path: str, **body: Any) -> int:
        """The status of an API call."""
        async with self.http.request(method, path, json=body or None) as answer:
            return answer.status

    def visitor(self, user: str) -> Visitor:
        """A newly signed-in user of a web front end."""
        self.user = user
        self.http.headers["Authorization"] = f"Bearer {self.town.there.clerk.token(user)}"
        return Visitor(self.http)

    async def tried_in_vain(self, vendor: str, before: float = 0) -> None:
        """Wait until a call of a vendor has failed, which is then stored for its retry."""

        async def has_failed() -> bool:
            return self.failures(vendor) > before

        await until(has_failed)

    async def at_last(self, what: Callable[[], Awaitable[Result]]) -> Result:
        """Call repeatedly while time passes; returns the first result."""
        return await _at_last(self.town.clock, what, meanwhile=lambda: self.visitor(self.user))

    @staticmethod
    def failures(vendor: str) -> float:
        """Number of failed calls to a vendor so far."""
        [calls] = metrics.VENDOR_CALLS.collect()
        counted = [each for each in calls.samples if each.name.endswith("_total") and each.labels["vendor"] == vendor]
        return sum(each.value for each in counted if each.labels["outcome"] != "ok")


async def _at_last(
    clock: Clock, what: Callable[[], Awaitable[Result]], meanwhile: Callable[[], object] = lambda: None
) -> Result:
    """Move the clock and retry until the call returns in time; on a busy machine a healthy service may also time out."""
    async with asyncio.timeout(HANG):
        while True:
            clock.move(**A_WHILE)
            meanwhile()  # nobody's session is to end
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(what(), BETWEEN_TRIES)


async def _a_moment() -> None:
    """Let the server work before it is looked at again."""
    await asyncio.sleep(0)


@pytest.fixture
async def weather(closed_town: Town) -> AsyncIterator[Weather]:
    """A running shop that reaches each vendor through a proxy."""
    town = closed_town
    port = int(town.there.url.rpartition(":")[2])
    fronts = {name: before(port, Http()) for name in ("telegram", "twilio", "snap", "status", "clerk")}
    fronts["smtp"] = before(town.there.smtp_port, Smtp())
    async with AsyncExitStack() as stack:
        for front in fronts.values():
            await stack.enter_async_context(front.open())
        town.settings = _through(town, {name: f"http://127.0.0.1:{front.port}" for name, front in fronts.items()})
        url = await stack.enter_async_context(_serving(town, WITH_VENDORS))
        http = await stack.enter_async_context(ClientSession(url))
        yield Weather(town, fronts, http)


def _serving(town: Town, timeouts: Timeouts) -> AbstractAsyncContextManager[str]:
    return app.serving(town.settings, clock=town.clock, tick=timedelta(milliseconds=100), timeouts=timeouts)


def _through(town: Town, urls: Mapping[str, str]) -> Any:
    given = town.settings
    changed = {
        "telegram": {"api_url": urls["telegram"]},
        "whatsapp": {"api_url": urls["twilio"], "content_url": urls["twilio"]},
        "midtrans": {"snap_url": f"{urls['snap']}/snap/v1", "api_url": urls["status"]},
        "email": {"smtp_url": SecretStr(urls["smtp"].replace("http", "smtp"))},
        "clerk": {"jwks_url": f"{urls['clerk']}/clerk/.well-known/jwks.json"},
    }
    return given.model_copy(
        update={name: getattr(given, name).model_copy(update=values) for name, values in changed.items()}
    )


only_on_sqlite = pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)
"""Vendor outages don't depend on the database."""


@only_on_sqlite
@pytest.mark.parametrize(("vendor", "channel"), [("telegram", "telegram"), ("twilio", "whatsapp")])
async def test_messages_are_answered_after_a_messenger_outage(weather: Weather, vendor: str, channel: str) -> None:
    """In order and once. But Telegram can't be asked whether it accepted a message, so an unclear one is sent twice."""
    customer = weather.town.customer(channel)
    for words in ("halo", "jam buka sampai jam berapa ya?"):  # creates the answer's template at Twilio
        await customer.type(words)
        await customer.next_reply()
    for trouble in Trouble:
        failed = weather.failures(channel)
        await weather.fronts[vendor].turn(trouble)
        heard = len(_said_to(customer))
        assert await customer.type("jam buka sampai jam berapa ya?") == 200, trouble
        assert await customer.type("alamatnya di mana?") == 200, trouble
        await weather.tried_in_vain(channel, failed)
        assert await weather.health() == (200, 200), trouble
        if trouble in TAKEN:
            await sees(customer, "09")
        assert len(_said_to(customer)[heard:]) == (trouble in TAKEN), trouble
        await weather.fronts[vendor].turn(None)
        await weather.at_last(partial(sees, customer, "Fatmawati"))
        times = 2 if trouble in TAKEN and channel == "telegram" else 1
        *hours, where = _said_to(customer)[heard:]
        assert ["09" in said for said in hours] == [True] * times, trouble
        assert "Fatmawati" in where, trouble


@only_on_sqlite
async def test_an_unclear_telegram_message_is_sent_five_times_at_most(
    weather: Weather,
) -> None:
    """The second and the later ones say that they are sent again."""
    town, customer = weather.town, weather.town.telegram
    await customer.type("halo")
    await customer.next_reply()
    for number, trouble in enumerate(TAKEN, 1):
        await weather.fronts["telegram"].turn(trouble, only=b"/sendMessage")
        heard = len(_said_to(customer))
        await customer.type("jam buka sampai jam berapa ya?")
        await sees(customer, "09")
        await weather.at_last(partial(sees, customer, "09"))
        lost = select(func.count()).where(Outbox.address == customer.address, Outbox.state == "failed")
        await weather.at_last(partial(town.until, lost, number))
        await weather.fronts["telegram"].turn(None)
        await customer.type("alamatnya di mana?")
        await weather.at_last(partial(sees, customer, "Fatmawati"))
        hours = [text for text in _said_to(customer)[heard:] if "09" in text]
        assert ["(kirim ulang)" in text for text in hours] == [False, *[True] * 4], trouble
    await weather.at_last(partial(sees, town.owner, "gagal terkirim"))


def _said_to(customer: Person) -> list[str]:
    return [bubble.text for bubble in customer.bubbles if bubble.author == "shop"]


@only_on_sqlite
async def test_mails_wait_for_the_end_of_an_outage(weather: Weather) -> None:
    """A mail that may have been accepted is sent again with the same Message-ID."""
    box = weather.town.there.mailbox
    for number, trouble in enumerate(Trouble):
        failed, came = weather.failures("email"), len(box.messages)
        await weather.fronts["smtp"].turn(trouble)
        await _queue_mails(weather.town, str(number))
        await weather.tried_in_vain("email", failed)
        assert await weather.health() == (200, 200), trouble
        await weather.fronts["smtp"].turn(None)
        copies = 2 if trouble in TAKEN else 1
        await weather.at_last(partial(box.mail, came + copies + 1))
        *first, last = box.messages[came:]
        assert len(first) == copies, trouble
        assert len({mail.message["Message-ID"] for mail in first}) == 1, trouble
        assert first[0].subject == f"Booking BK-{number}a terkonfirmasi · Suara Jaya", trouble
        assert last.subject == f"Booking BK-{number}b terkonfirmasi · Suara Jaya", trouble


async def _queue_mails(town: Town, code: str) -> None:
    """Queue two mails to one customer."""
    database = Database(town.settings.database.url)
    async with database.write() as session:
        for each in (f"{code}a", f"{code}b"):
            subject = say("notice.mail.confirmed", code=f"BK-{each}", shop="Suara Jaya")
            await outbox.enqueue(
                Context(session, town.settings.shop, town.clock()),
                key=f"paid:{each}:email",
                channel="email",
                address="sari@example.com",
                language="id",
                message=message(subject, say("notice.see_you")),
            )
    await database.close()


@only_on_sqlite
async def test_each_booking_gets_one_link_after_a_snap_outage(
    weather: Weather,
) -> None:
    town = weather.town
    links = select(func.count()).where(PaymentRequest.state == RequestState.OPEN)
    for number, trouble in enumerate(Trouble):
        customer = weather.visitor(f"user_{number}")
        code = (await customer.post("/api/bookings", **_wish(number)))["_id"]
        await weather.fronts["snap"].turn(trouble)
        assert await weather.status("POST", f"/api/bookings/{code}/payment", paymentType="full") == 503, trouble
        assert await weather.health() == (200, 200), trouble
        await weather.fronts["snap"].turn(None)
        await weather.at_last(partial(town.until, links, number + 1))
        link = await customer.post(f"/api/bookings/{code}/payment", paymentType="full")
        assert town.there.midtrans.is_open(town.there.midtrans.page(link["snapToken"])), trouble
    bookings = await town.bookings()
    assert [booking.holding for booking in bookings] == [True] * len(Trouble)
    assert _open_pages(town) == await town.count(PaymentRequest) == len(Trouble)


def _open_pages(town: Town) -> int:
    """Number of open payment pages; a new page of an order closes the older ones."""
    midtrans = town.there.midtrans
    return sum(midtrans.is_open(page) for page in midtrans.pages.values())


@only_on_sqlite
async def test_payments_and_refunds_after_a_status_outage(
    weather: Weather,
) -> None:
    midtrans = weather.town.there.midtrans
    customer = weather.visitor("customer")
    paid = await _booked(customer, 0)
    await _pay(weather, customer, paid)
    await customer.until(paid, paymentStatus="paid")
    for number, trouble in enumerate(Trouble, 1):
        customer = weather.visitor("customer")
        called_off, paid = paid, await _booked(customer, number)
        link = await customer.post(f"/api/bookings/{paid}/payment", paymentType="full")
        failed = weather.failures("midtrans")
        await weather.fronts["status"].turn(trouble)
        await midtrans.pay(link["snapToken"])
        await customer.post(f"/api/bookings/{called_off}/cancel", reason="")
        await weather.tried_in_vain("midtrans", failed + 1)
        assert {sent.status for sent in midtrans.notifications.sent} == {200}, trouble
        assert await weather.health() == (200, 200), trouble
        assert (await customer.get(f"/api/bookings/{paid}"))["paymentStatus"] == "pending", trouble
        assert (await customer.get(f"/api/bookings/{called_off}"))["paymentStatus"] == "paid", trouble
        await weather.fronts["status"].turn(None)
        settled = partial(customer.until, paid, paymentStatus="paid", bookingStatus="confirmed")
        await weather.at_last(settled)
        sent_back = partial(customer.until, called_off, paymentStatus="refunded", bookingStatus="cancelled")
        await weather.at_last(sent_back)
    assert await weather.town.count(LedgerEntry) == 1 + 2 * len(Trouble)
    assert [len(each.refunds) for each in midtrans.transactions] == [1] * len(Trouble) + [0]


@only_on_sqlite
async def test_a_refund_with_a_lost_response_is_made_once(weather: Weather) -> None:
    midtrans = weather.town.there.midtrans
    midtrans.notifications.held = True  # a notification would report the refund, too
    for number, trouble in enumerate(TAKEN):
        customer = weather.visitor("customer")
        code = await _booked(customer, number)
        await _pay(weather, customer, code)
        await midtrans.notifications.release()
        midtrans.notifications.held = True
        await customer.until(code, paymentStatus="paid")
        failed = weather.failures("midtrans")
        await weather.fronts["status"].turn(trouble, only=b"/refund")
        await customer.post(f"/api/bookings/{code}/cancel", reason="")
        await weather.tried_in_vain("midtrans", failed)
        assert (await customer.get(f"/api/bookings/{code}"))["paymentStatus"] == "paid", trouble
        await weather.fronts["status"].turn(None)
        await weather.at_last(partial(customer.until, code, paymentStatus="refunded"))
    await midtrans.notifications.release()
    assert await weather.town.count(LedgerEntry) == 2 * len(TAKEN)
    assert [list(each.refunds.values()) for each in midtrans.transactions] == [[150_000]] * len(TAKEN)


async def _booked(customer: Visitor, number: int) -> str:
    return str((await customer.post("/api/bookings", **_wish(number)))["_id"])


async def _pay(weather: Weather, customer: Visitor, code: str) -> None:
    link = await customer.post(f"/api/bookings/{code}/payment", paymentType="full")
    await weather.town.there.midtrans.pay(link["snapToken"])


def _wish(number: int) -> dict[str, Any]:
    return {
        "customerName": "Sari Dewi",
        "customerPhone": "081234567890",
        "vehicleInfo": {"brand": "Toyota", "model": "Avanza", "year": 2018},
        "services": [{"serviceId": "pasang-speaker"}],
        "scheduledDate": "2026-11-25",
        "scheduledTime": f"{9 + number:02}:00",
        "paymentMethod": "ewallet",
    }


@only_on_sqlite
async def test_sign_in_during_an_outage_of_the_issuer(weather: Weather) -> None:
    for trouble in Trouble:
        await weather.fronts["clerk"].turn(trouble)
        weather.visitor("customer")
        assert await weather.status("GET", "/api/bookings/my-bookings") == 503, trouble
        assert await weather.status("GET", "/api/services") == 200, trouble
        assert await weather.health() == (200, 200), trouble
        weather.town.clock.move(seconds=31)  # keys are fetched at most twice a minute
    await weather.fronts["clerk"].turn(None)
    assert await weather.status("GET", "/api/bookings/my-bookings") == 200
    for trouble in Trouble:
        await weather.fronts["clerk"].turn(trouble)
        weather.town.clock.move(hours=2)  # expired keys are used during an outage
        weather.visitor("customer")
        assert await weather.status("GET", "/api/bookings/my-bookings") == 200, trouble


# --- the database ---------------------------------------------------------------------------------

Outage = Callable[[str], AbstractAsyncContextManager[None]]


@pytest.mark.parametrize("silent", [False, True], ids=["refuses", "is silent"])
async def test_callers_get_503_while_the_database_is_down(closed_town: Town, silent: bool) -> None:
    """Twilio, Midtrans and a web page retry, and retry once more after success: each request is processed once."""
    town = closed_town
    town.there.world.telegram.retry_delays = (0.2,)
    url = town.settings.database.url
    async with _reached(town, silent=silent) as (outages, http):
        await _answered(town)
        callers = Callers(town, http)
        for name, outage in outages.items():
            shown = len(town.telegram.bubbles)
            await callers.begin()
            async with outage(url):
                asked = asyncio.gather(town.telegram.type("jam buka sampai jam berapa ya?"), callers.call())
                assert await asked == [503, {503}], name
                assert await _get(http, "/healthz") == 200, name
                await _until_readiness_is(503, http)
                assert len(town.telegram.bubbles) == shown + 1, name
            assert "09" in (await town.telegram.next_reply()).text, name
            await _until_readiness_is(200, http)
            await callers.come_again()
            await _answered(town)
            assert len(town.telegram.bubbles) == shown + 4, name
        replies = select(func.count()).where(Outbox.key.startswith("reply:"))
        await town.until(replies, await town.count(Inbound))
        assert await town.count(LedgerEntry) == len(outages)
        assert len(await town.bookings()) == 2 * len(outages)
        assert len(_said_to(town.whatsapp)) == len(outages)


class Callers:
    """Other callers during an outage of the database: Twilio, Midtrans, and a web page that books."""

    def __init__(self, town: Town, http: ClientSession) -> None:
        self._town = town
        self._http = http
        self._round = 0

    async def begin(self) -> None:
        """Prepare an unpaid booking and an inbound message."""
        self._paid = (await self._book(2 * self._round))["data"]["_id"]
        link = await self._post(f"/api/bookings/{self._paid}/payment", {"paymentType": "full"})
        self._link = link["data"]["snapToken"]
        writer = self._town.whatsapp
        self._letter = self._town.there.world.whatsapp.payload(writer, Typed("alamatnya di mana?"))
        writer.last_wrote = self._town.clock()

    async def call(self) -> set[int | None]:
        """Send all requests at once; returns their statuses."""
        booked, written, _ = await asyncio.gather(
            self._book(2 * self._round + 1), self._write(), self._town.there.midtrans.pay(self._link)
        )
        notified = {sent.status for sent in self._town.there.midtrans.notifications.sent[-2:]}
        return {booked["status"], written, *notified}

    async def come_again(self) -> None:
        """Retry all requests until they succeed, and then once more."""
        await asyncio.gather(self._book_again(), self._write_again())
        await _at_last(self._town.clock, partial(result, self._look, _is_paid))
        self._round += 1

    async def _book_again(self) -> None:
        again = 2 * self._round + 1
        first = await _heard(partial(self._book, again), _is_taken)
        assert first["status"] == 201
        assert await _heard(partial(self._book, again), _is_taken) == first

    async def _write_again(self) -> None:
        for _ in range(2):
            await _heard(self._write, lambda status: status == 200)
        await self._town.whatsapp.next_reply()

    async def _write(self) -> int | None:
        assert self._letter
        return await self._town.there.world.whatsapp.deliver(self._letter)

    async def _book(self, number: int) -> Any:
        """Book; two numbers share an hour."""
        return await self._post("/api/bookings", _wish(number // 2), key=f"booking-{number}")

    async def _post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Any:
        """The response's body with its HTTP status."""
        headers = self._signed_in() | ({"Idempotency-Key": key} if key else {})
        async with self._http.post(path, json=body, headers=headers) as answer:
            return await answer.json() | {"status": answer.status}

    async def _look(self) -> Any:
        async with self._http.get(f"/api/bookings/{self._paid}", headers=self._signed_in()) as answer:
            return (await answer.json()).get("data", {})

    def _signed_in(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._town.there.clerk.token(f'user_{self._round}')}"}


def _is_taken(answer: Mapping[str, Any]) -> bool:
    return bool(answer["status"] != 503)


def _is_paid(booking: Mapping[str, Any]) -> bool:
    return booking.get("paymentStatus") == "paid"


async def _heard(call: Callable[[], Awaitable[Result]], enough: Callable[[Result], bool]) -> Result:
    """Retry a call until its result is good; on a busy machine a healthy database may also time out."""
    async with asyncio.timeout(HANG):
        while not enough(answer := await call()):
            await _a_moment()
    return answer


@asynccontextmanager
async def _reached(town: Town, *, silent: bool) -> AsyncIterator[tuple[Mapping[str, Outage], ClientSession]]:
    """Run the shop; yields the outages of its database that refuse, or (`silent`) the ones that don't answer."""
    async with AsyncExitStack() as stack:
        outages = ON_SQLITE
        if "postgres" in town.settings.database.url:
            server, socket = town.settings.database.url.split("?host=")
            front = Front(lambda: asyncio.open_unix_connection(f"{socket}/.s.PGSQL.5432"))
            await stack.enter_async_context(front.open())
            there = server.replace("@/", f"@127.0.0.1:{front.port}/") + "?ssl=disable"
            town.settings = town.settings.model_copy(update={"database": DatabaseAt(url=there)})
            outages = {**ON_POSTGRESQL, "away": _away(front), "standing still": _standing_still(front)}
        serving = await stack.enter_async_context(_serving(town, WITH_THE_DATABASE if silent else DEFAULT_TIMEOUTS))
        http = await stack.enter_async_context(ClientSession(serving))
        yield {name: outage for name, outage in outages.items() if (name in SILENT) is silent}, http


async def _answered(town: Town) -> None:
    await town.telegram.type("alamatnya di mana?")
    await town.telegram.next_reply()


async def _get(http: ClientSession, path: str) -> int:
    async with http.get(path) as answer:
        return answer.status


async def _until_readiness_is(status: int, http: ClientSession) -> None:
    """Poll /readyz, which caches the state of the database for a moment."""
    async with asyncio.timeout(HANG):
        while await _get(http, "/readyz") != status:
            await _a_moment()


@asynccontextmanager
async def _locked_file(url: str) -> AsyncIterator[None]:
    """Another writer holds the lock."""
    database = Database(url)
    async with database.write() as session:
        await session.connection()
        yield
    await database.close()


@asynccontextmanager
async def _failing_disk(_: str) -> AsyncIterator[None]:
    """Set the file size limit of this process to 0, so that SQLite gets I/O errors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@asynccontextmanager
async def _full_disk(url: str) -> AsyncIterator[None]:
    """The file can't grow any more, and every insert needs new pages."""
    database = Database(url)
    needs_room = "CREATE TRIGGER full_{0} BEFORE INSERT ON {0} BEGIN INSERT INTO room VALUES (zeroblob(65536)); END"
    await _execute(database, "CREATE TABLE room (taken)", *(needs_room.format(table) for table in WRITTEN))
    async with _switched("PRAGMA max_page_count=1", "PRAGMA max_page_count=1000000")(url):
        yield
    await _execute(database, *(f"DROP TRIGGER full_{table}" for table in WRITTEN), "DROP TABLE room")
    await database.close()


async def _execute(database: Database, *statements: str) -> None:
    async with database.write() as session:
        for statement in statements:
            await session.execute(text(statement))


def _switched(on: str, off: str) -> Outage:
    """An outage that a statement on each writing connection starts, and another one ends."""

    @asynccontextmanager
    async def outage(_: str) -> AsyncIterator[None]:
        goes_on, switched, back = True, set[object](), asyncio.Event()

        def switch(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            if statement != "BEGIN IMMEDIATE":
                return
            cursor.execute(on if goes_on else off)
            (switched.add if goes_on else switched.discard)(connection.engine)
            if not switched:
                back.set()

        event.listen(Engine, "before_cursor_execute", switch)
        yield
        goes_on = False
        async with asyncio.timeout(HANG):  # the server's own connection must switch back, too
            await back.wait()
        event.remove(Engine, "before_cursor_execute", switch)

    return outage


def _asked(*, before: Sequence[str], after: Sequence[str]) -> Outage:
    """An outage that statements on PostgreSQL start and end."""

    @asynccontextmanager
    async def outage(url: str) -> AsyncIterator[None]:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            for statement in before:
                await connection.execute(statement)
            yield
        finally:
            for statement in after:
                await connection.execute(statement)
            await connection.close()

    return outage


def _away(front: Front) -> Outage:
    @asynccontextmanager
    async def outage(_: str) -> AsyncIterator[None]:
        await front.turn(Trouble.CLOSED)
        yield
        await front.turn(None)

    return outage


def _standing_still(front: Front) -> Outage:
    """Connections stay open, and nothing is answered."""

    @asynccontextmanager
    async def outage(_: str) -> AsyncIterator[None]:
        front.freeze()
        yield
        front.thaw()

    return outage


OURS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'bengkel'"
WRITTEN = ("inbound", "payment_notification", "booking", "secret")
"""The tables that callers write to: messengers, Midtrans, a web page and /readyz."""
SILENT = ("locked", "standing still")
ON_SQLITE: Mapping[str, Outage] = {
    "locked": _locked_file,
    # As after a remount without write access.
    "read-only": _switched("PRAGMA query_only=ON", "PRAGMA query_only=OFF"),
    "full": _full_disk,
    "failing": _failing_disk,
}
ON_POSTGRESQL: Mapping[str, Outage] = {
    "locked": _asked(before=["BEGIN", f"LOCK TABLE {', '.join(WRITTEN)}"], after=["COMMIT"]),
    "read-only": _asked(
        before=["ALTER DATABASE bengkel SET default_transaction_read_only = on", OURS],
        after=["ALTER DATABASE bengkel RESET default_transaction_read_only", OURS],
    ),
    "full": _asked(
        before=[
            """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END$$""",
            *(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION full_disk()" for table in WRITTEN),
        ],
        after=["DROP FUNCTION full_disk CASCADE"],
    ),
}
