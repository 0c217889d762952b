"""Property test: no sequence of taps, words, corrections and restarts ends a turn in a bug, leaves a person without a way
on, or loses an open order without "batal"; money and places stay consistent.

A customer with bookings in every state, another one without, a technician and an admin tap buttons, old ones too, and
write, while payments, time and the catalogue move on.
"""

import asyncio
import shutil
from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from consistency import check_consistency, has_draft, lets_the_draft_go
from databases import Postgres
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from shops import MONDAY_8_AM, make_shop
from sqlalchemy import func, select, update
from talk import Talk, shown
from workshop import order

from conversations import registry
from conversations.dialogue import FLOWS
from conversations.engine import Engine
from conversations.state import State
from conversations.turn import Step
from core import payment, work
from core.booking import cancel, join_waitlist, make_offer
from core.context import Context
from core.db.database import Database
from core.db.tables import Booking, Contact, Part, PaymentRequest, Refund, Service, Technician, Waiting
from core.messaging.messages import Message
from core.people import contacts, web_customers
from core.schedule import bookings
from core.schedule.orders import BookingRequest
from core.states import Location, PaymentMethod, RequestState

SARI, JOKO, DEDI, RINA = "812345", "whatsapp:+6281290000002", "7000000002", "7000000001"
CUSTOMERS = (SARI, JOKO)
PEOPLE = {SARI: "telegram", JOKO: "whatsapp", DEDI: "telegram", RINA: "telegram"}
SHOP = make_shop(
    max_unpaid_bookings=50,
    max_waits=9,
    onsite_radius_km=10,
    onsite_districts=["Kemang", "Tebet"],
    staff=[
        {"name": "Ibu Rina", "role": "admin", "telegram": int(RINA)},
        {"name": "Dedi", "role": "technician", "technician": "dedi", "telegram": int(DEDI)},
    ],
)
CODES = [f"BK-00000{number}" for number in range(1, 10)]
DAYS = (1, 2, 4, 5, 7, 8, 9, 11, 12)
"""When each begins, in days from now: the shop is open and Dedi works."""
PHOTO = "0123456789abcdef0123456789abcdef.jpg"
PART = "jbl-stage3-607cf"
SCENE = [
    *[(name, 1) for name in ("see", "pay", "move", "drop", "assign", "link", "shift", "call-off", "take")],
    *[(name, 2) for name in ("move", "drop", "job", "start", "note", "cost", "cash", "no-show", "shift", "write")],
    *[(name, 3) for name in ("see", "note", "cost", "cash", "finish", "finish-anyway", "call-off")],
    *[(name, 4) for name in ("see", "past", "again", "papers", "job", "rate")],
    *[(name, 5) for name in ("see", "refund", "job")],
    *[(name, 6) for name in ("see", "pay", "move", "money-back", "really-back", "assign")],
    *[(name, 7) for name in ("wait", "wait-leave")],
    *[(name, 8) for name in ("wait-take", "wait-pass", "wait-again", "see")],
    *[(name, 9) for name in ("join", "stranger")],
]
"""Actions that lead on from what each booking of the scene is."""
LINES = """
halo|mau booking|pindah jadwal|pindah ke jumat jam 10|batal|batalkan booking saya|booking saya mana|kembali|menu|ulang
ya|tidak|lanjut|lewati|1|2|0|99|2025|13:30|besok jam 10|kemarin|minggu depan|kapan aja|siapa aja|sama mas dedi
avanza 2018|BYD Seal 2025|mobil lain|honda|speaker jbl 607|2 pasang speaker|subwoofer|head unit android|kabel
pasang speaker di avanza 2018 besok jam 9|tuning audio|peredam full kabin|jasa saja|tambah|sudah cukup|tunggu|kabari
di rumah|di bengkel|Jl. Kemang Raya 8, Jakarta Selatan|Sari Dewi|sari@example.com|B 1234 XYZ|081298765432|0217654321
gopay|transfer|tunai|dp 30%|lunas|berapa harganya?|cocok buat brio 2020?|buka jam berapa?|alamatnya di mana|terima kasih
garansi|kirim invoice|mau bayar|BCA 1234567890 a.n. Sari|bicara dengan admin|english|bahasa indonesia|bagus sekali
eh jam 1 aja|ganti avanza jadi brio|bukan besok, lusa|I want a subwoofer|cancel my booking|reschedule to friday 2pm
tugas|tugas besok|angka|laporan november|laporan 2030|pending|stok jbl|stok|refund|macet|tutup hari|25 desember
mulai BK-000002|selesai BK-000003|catat BK-000003|biaya BK-000003|tunai BK-000001|link BK-000001|tugaskan BK-000001
pindah BK-000002|batalkan BK-000002|tidak datang BK-000002|pesan BK-000002|ambil alih BK-000001|selesai|otw BK-000002
eh ga jadi speaker, subwoofer aja deh|mobilnya bukan avanza tapi xenia 2019|jumat ga bisa, sabtu jam 10 aja|jgn sama dedi
lunas aja|oke bayar|bayar pake qris|dp aja|garansi berapa lama?|nambah kabel rca sekalian|kapan aja bisa|gak usah email
saya bawa speaker sendiri|di rumah aja deh|2 set|saya otw ya|kecewa saya|sudah transfer, ini buktinya|ga inget platnya
BK-000001|BK-999999|/start|/menu|/booking|/bookings|?|👍|50000|Rp 1.250.000|-5|²|satu dua tiga empat lima enam tujuh
""".replace("\n", "|")
BEGINNINGS = [
    "halo",
    "mau booking",
    "ya",
    "menu",
    "tuning audio avanza 2018 besok jam 10",
    "pasang speaker jbl 607 di avanza 2018 jumat jam 9 sama mas dedi",
    "pasang head unit di BYD Seal 2025 di rumah",
    "2 subwoofer di brio 2019 lusa",
    "konsultasi audio xenia 2021 besok pagi",
    "pindah jadwal",
    "mau pindah ke jumat jam 10",
    "tugas",
    "pending",
    "stok jbl",
    "tutup hari",
    "book",
    "mine",
    *(f"{name}:{code}" for name, number in SCENE for code in [f"BK-00000{number}"]),
]
ORDERS = [each for each in BEGINNINGS if "di " in each or "avanza" in each or "brio" in each]
REFUSED = "refusal.ends_draft"
"""Said when an order can't be booked at all."""
FRIENDLY = ("aside.acknowledged", "aside.welcome")
"""Answers to "ok" and "makasih" where nothing is open: buttons would only begin again what is over."""
ANSWERS = {
    "brand": "Avanza 2018",
    "model": "Brio",
    "year": "2019",
    "date": "besok",
    "time": "10:00",
    "technician": "siapa aja",
    "name": "Sari Dewi",
    "phone": "081298765432",
    "email": "sari@example.com",
    "plate": "B 1234 XYZ",
    "address": "Jl. Kemang Raya 8, Jakarta Selatan",
    "account": "BCA 1234567890 a.n. Sari Dewi",
    "words": "Bagus sekali",
    "which_day": "25 desember",
    "which_part": "jbl 607",
    "counted": "20",
    "what": "Kabel RCA",
    "how_much": "50000",
    "received": "50000",
    "reason": "Alat rusak",
    "content": "Kabel dirapikan",
    "because": "Libur bersama",
    "letter": "Halo Kak, mobilnya sudah siap",
}
"""Words that answer a step."""
SAID = [line for line in LINES.split("|") if line]
WORDS = st.sampled_from(SAID) | st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
WHO = st.sampled_from([SARI, SARI, SARI, JOKO, DEDI, RINA, RINA])
NUMBER = st.integers(0, 999)
LATER = st.sampled_from([5, 45, 60 * 3, 60 * 26])


class AnyTurn(RuleBasedStateMachine):
    """Every rule is one deed; `make_database` gives each example the database of the start."""

    make_database: Callable[[], str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database = Database(self.make_database())
        self.now = MONDAY_8_AM + timedelta(hours=1)
        engine = Engine()
        self.talks = {
            who: Talk(self.database, SHOP, channel, self.now, name="Sari Dewi", address=who, engine=engine)
            for who, channel in PEOPLE.items()
        }
        self.buttons: dict[str, list[str]] = {who: [] for who in PEOPLE}
        self.newest: dict[str, list[str]] = {who: [] for who in PEOPLE}
        self.asked: dict[str, str | None] = dict.fromkeys(PEOPLE)
        self.restarts = 0

    @initialize()
    def everybody_looks(self) -> None:
        for who in PEOPLE:
            self.talks[who].events = 100
            self.runner.run(self.looks(who))

    @rule(who=WHO, text=WORDS)
    def types(self, who: str, text: str) -> None:
        self.does(who, self.talks[who].type, text)

    @rule(who=WHO, begins=st.sampled_from(BEGINNINGS), choices=st.lists(NUMBER, min_size=3, max_size=14))
    def goes_on(self, who: str, begins: str, choices: list[int]) -> None:
        """Several answers in a row, which leads deep into a flow."""
        self.does(who, *self.said(who, begins))
        for number in choices:
            asked, newest = self.asked[who], self.newest[who]
            if number % 5 == 4:
                self.does(who, self.talks[who].type, SAID[number % len(SAID)])
            elif asked in ANSWERS and (number % 3 or not newest):
                self.does(who, self.talks[who].type, ANSWERS[asked])
            elif newest:
                self.does(who, self.talks[who].choose, newest[number % len(newest)])

    def said(self, who: str, words: str) -> tuple[Any, str]:
        """Words, or the tap of an action."""
        talk = self.talks[who]
        return (talk.choose if words.partition(":")[0] in registry.ACTIONS else talk.type), words

    @rule(who=WHO, which=NUMBER)
    def taps_any(self, who: str, which: int) -> None:
        known = self.buttons[who]
        if known:
            self.does(who, self.talks[who].choose, known[which % len(known)])

    @rule(who=WHO, name=st.sampled_from(sorted(registry.ACTIONS)), which=NUMBER)
    def taps_an_action(self, who: str, name: str, which: int) -> None:
        """A button of an action with an argument that was seen somewhere, or that the scene knows."""
        seen = {each.partition(":")[2] for each in self.buttons[who] if each.startswith(f"{name}:")}
        arguments = sorted(seen | {"", "1", f"{PHOTO}:0", *CODES, *(f"{code}:dedi" for code in CODES[:3])})
        self.does(who, self.talks[who].choose, f"{name}:{arguments[which % len(arguments)]}")

    @rule(who=WHO, what=st.sampled_from(["contact", "place", "photo", "photo in words", "other file"]))
    def sends(self, who: str, what: str) -> None:
        talk = self.talks[who]
        match what:
            case "contact":
                self.does(who, talk.share_contact, "+6281298765432")
            case "place":
                self.does(who, talk.share_place)
            case "other file":
                self.does(who, talk.send_photo)
            case _:
                stored = (PHOTO,)
                self.does(who, lambda: talk.send_photo("catatan" if "words" in what else None, stored=stored))

    @rule(who=WHO, begins=st.sampled_from(ORDERS), says=st.lists(WORDS, min_size=2, max_size=8))
    def orders_and_says_anything(self, who: str, begins: str, says: list[str]) -> None:
        """Words of all kinds in the middle of an order."""
        self.does(who, self.talks[who].type, begins)
        for text in says:
            self.does(who, self.talks[who].type, text)

    @precondition(lambda self: self.restarts < 2)
    @rule()
    def the_server_restarts(self) -> None:
        self.restarts += 1
        engine = Engine()
        for talk in self.talks.values():
            talk.engine = engine

    @rule(minutes=LATER)
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.runner.run(self.commits(payment.end_holds))
        self.runner.run(self.talks[SARI].line_moves())

    @rule(pays=st.booleans())
    def a_link_is_made_and_paid(self, pays: bool) -> None:
        self.runner.run(self.talks[SARI].link_arrives())
        if pays:
            self.runner.run(self.pays())

    @rule(table=st.sampled_from([Part, Service, Technician]), which=NUMBER)
    def something_is_retired(self, table: Any, which: int) -> None:
        async def retire(ctx: Context) -> None:
            ids = list(await ctx.session.scalars(select(table.id).order_by(table.id)))
            one = await ctx.session.get_one(table, ids[which % len(ids)])
            one.retired_at, one.is_available = ctx.now, False
            await ctx.session.flush()

        self.runner.run(self.commits(retire))

    @rule(which=NUMBER)
    def a_part_is_sold_out(self, which: int) -> None:
        async def sell(ctx: Context) -> None:
            ids = list(await ctx.session.scalars(select(Part.id).order_by(Part.id)))
            await ctx.session.execute(
                update(Part).where(Part.id == ids[which % len(ids)]).values(on_hand=Part.reserved)
            )

        self.runner.run(self.commits(sell))

    def does(self, who: str, deed: Any, *arguments: Any) -> None:
        self.runner.run(self._does(who, deed, *arguments))

    async def _does(self, who: str, deed: Any, *arguments: Any) -> None:
        talk = self.talks[who]
        self.now += timedelta(seconds=15)
        talk.now = self.now
        talk.seen = []
        before, orders = await self.remembered(talk), await self.orders()
        await deed(*arguments)
        reply = next((each for each in reversed(talk.seen) if each.prompt is not None), None)
        stored = await self.remembered(talk)
        says = [each.key for each in reply.says] if reply else []
        is_ordered = await self.orders() > orders
        if deed == talk.type and who in CUSTOMERS and has_draft(before) and not lets_the_draft_go(arguments[0]):
            is_kept = has_draft(stored) or stored["flow"] == before["flow"]
            is_given_up = before["asked"] == "give_up"  # the shop asked "cancel it?", and this is the answer
            assert is_kept or is_given_up or is_ordered or REFUSED in says, f"{arguments[0]!r} has lost the order"
        state = State.from_json(stored, now=self.now)
        self.asked[who] = state.asked
        if reply is None:
            is_for_a_person = state.human or state.customer or state.writer
            assert is_for_a_person or await self.link_follows(), "no answer at all"
        else:
            self.newest[who] = [reply.tap(index) for index in range(len(reply.options))]
            assert reply.says, "an answer without words"
            has_way_on = reply.options or _takes_words(state) or state.waits or says[-1] in FRIENDLY
            assert has_way_on, f"no way on from {says}"
        await self.looks(who)

    async def remembered(self, talk: Talk) -> dict[str, Any]:
        async with self.database.read() as session:
            return await contacts.load_state(session, talk.channel, talk.address)

    async def orders(self) -> int:
        async with self.database.read() as session:
            tables = (Booking, Waiting)
            return sum([await session.scalar(select(func.count()).select_from(each)) or 0 for each in tables])

    async def link_follows(self) -> bool:
        async with self.database.read() as session:
            wanted = select(PaymentRequest.order_id).where(PaymentRequest.state == RequestState.WANTED)
            return await session.scalar(wanted.limit(1)) is not None

    async def looks(self, who: str) -> None:
        """Everything that came is rendered on both channels in both languages, and its buttons are remembered."""
        talk = self.talks[who]
        if not talk.seen:
            await talk.look()
        for message in talk.seen:
            for channel in ("telegram", "whatsapp"):
                for language in ("id", "en"):
                    assert shown(message, channel, language)
            self.buttons[who] += _buttons(message)

    async def pays(self) -> None:
        async with self.database.read() as session:
            request = await session.scalar(select(PaymentRequest).where(PaymentRequest.state == RequestState.OPEN))
        if request is not None:
            self.talks[SARI].now = self.now
            await self.talks[SARI].pays()

    async def commits(self, change: Any) -> None:
        async with self.database.write() as session:
            await change(Context(session, SHOP, self.now))

    def teardown(self) -> None:
        self.runner.run(check_consistency(self.database, places=SHOP.max_bookings_per_slot, unentered=CODES[5:6]))
        self.runner.run(self.database.close())
        self.runner.close()


def _buttons(message: Message) -> list[str]:
    taps = [message.tap(index) for index in range(len(message.options))]
    return taps + [option.id for option in message.options if option.id.partition(":")[0] in registry.ACTIONS]


def _takes_words(state: State) -> bool:
    """Whether the open question can be answered in words alone."""
    flow = FLOWS.get(state.flow or "")
    step = next((step for step in flow.steps if step.name == state.asked), None) if flow else None
    return step is not None and (type(step).read is not Step.read or type(step).parse is not Step.parse)


def test_no_turn_ends_in_a_bug_or_a_dead_end(sqlite_templates: Path, tmp_path: Path) -> None:
    start, file = tmp_path / "start.db", tmp_path / "any.db"
    shutil.copy(sqlite_templates / "stocked.db", start)
    asyncio.run(_set_the_scene(f"sqlite+aiosqlite:///{start}"))

    def make_database(_: object = None) -> str:
        shutil.copy(start, file)
        return f"sqlite+aiosqlite:///{file}"

    _run(make_database, examples=6, steps=25)


def test_no_turn_ends_in_a_bug_on_postgres(postgres: Postgres) -> None:
    def make_database(_: object = None) -> str:
        url = postgres.put_back("stocked")
        asyncio.run(_set_the_scene(url))
        return url

    _run(make_database, examples=2, steps=15)


def _run(make_database: Callable[..., str], *, examples: int, steps: int) -> None:
    bounded = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    machine = type("AnyTurn", (AnyTurn,), {"make_database": make_database})
    run_state_machine_as_test(machine, settings=bounded)


async def _set_the_scene(url: str) -> None:
    """Sari has a booking in every state, Joko none; all have a chat."""
    database, now = Database(url), MONDAY_8_AM
    for who, channel in PEOPLE.items():
        await Talk(database, SHOP, channel, now, address=who).type("halo")
    async with database.write() as session:
        ctx = Context(session, SHOP, now)
        sari = await session.scalar(select(Contact).where(Contact.address == SARI))
        assert sari
        await contacts.prove_phone(session, sari, "+6281234567890")
        await session.flush()
        await _book_all(ctx, sari)
    await database.close()


async def _book_all(ctx: Context, sari: Contact) -> None:
    """In the order of CODES: unpaid, assigned, at work with a cost, completed, refund by hand, slot lost, waits, offer,
    made on the web.
    """
    session = ctx.session

    def asked(number: int, customer: int | None = None, **changes: Any) -> BookingRequest:
        day = SHOP.local(ctx.now).date() + timedelta(days=DAYS[number - 1])
        wish = order(SHOP.at(day, time(10)), **{"services": ("tuning-audio",)} | changes)
        contact = sari.id if customer is None else None
        return BookingRequest(
            order=wish,
            customer_id=customer or sari.customer_id,
            contact_id=contact,
            language="id",
            code=CODES[number - 1],
        )

    async def book(number: int, **changes: Any) -> Booking:
        return await bookings.book(ctx, asked(number, **changes))

    await payment.request(ctx, await book(1), percent=30)
    away = {"location": Location.ONSITE, "address": "Jl. Tebet Timur Dalam 12", "method": PaymentMethod.COD}
    await work.assign(ctx, await book(2, **away), "dedi", actor="Rina")
    for number in (3, 4):
        code = (await book(number, parts=((PART, 1),))).code
        await work.assign(ctx, await bookings.load(session, code=code), "dedi", actor="Rina")
        await work.start(ctx, await bookings.load(session, code=code), actor="Dedi")
        await work.add_note(ctx, await bookings.load(session, code=code), "Kabel", photos=[PHOTO], actor="Dedi")
    at_work, done = CODES[2:4]
    booking = await bookings.load(session, code=at_work)
    await work.add_cost(ctx, booking, "Kabel", 50_000, agreed=False, photo=None, actor="Dedi")
    await work.receive_cash(ctx, await bookings.load(session, code=done), 1_699_000, actor="Dedi")
    await work.complete(ctx, await bookings.load(session, code=done), actor="Dedi")
    await _money_goes_back(ctx, await book(5))
    lost = await book(6)
    await session.execute(
        update(Booking)
        .where(Booking.id == lost.id)
        .values(paid_amount=lost.total_price, holding=False, hold_until=None)
    )
    await join_waitlist(ctx, asked(7))
    offered = await join_waitlist(ctx, asked(8))
    await make_offer(ctx, offered.id)
    on_the_web = await web_customers.of_user(session, "user_web", now=ctx.now)
    await book(9, customer=on_the_web.id)


async def _money_goes_back(ctx: Context, booking: Booking) -> None:
    await work.receive_cash(ctx, booking, 100_000, actor="Rina")
    booking = await bookings.load(ctx.session, code=booking.code)
    await cancel(ctx, booking, reason="batal", actor="customer")
    assert await ctx.session.scalar(select(Refund.key))
