"""A call for a person: the card, when it comes again, and what is true to tell the customer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from paying import letters
from shops import make_shop
from sqlalchemy import select, update
from talk import Talk

from conversations import person
from conversations.engine import Engine
from conversations.incoming import Incoming
from core.context import Context
from core.db.database import Database
from core.db.tables import Contact, Conversation, Escalation, Outbox
from core.notices import escalations
from core.shop import Shop
from core.states import CallReason

RINA = "7000000001"
PHOTOS = tuple(f"{number:032x}.jpg" for number in range(9))


@pytest.fixture
def now(now: datetime) -> datetime:
    """Monday 10:00, the shop is open."""
    return now + timedelta(hours=2)


async def _cards(database: Database) -> list[str]:
    return [text for text in (await letters(database, kind="staff")).values() if "Pelanggan:" in text]


async def _photos(database: Database) -> list[str]:
    return [text for text in (await letters(database, kind="staff")).values() if text.startswith("👤")]


async def _open(database: Database) -> Escalation | None:
    async with database.read() as session:
        return (await session.scalars(select(Escalation).where(Escalation.closed_at.is_(None)))).one_or_none()


async def test_the_same_need_again_makes_no_second_card(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    for call in range(60):
        sari.now = now + timedelta(seconds=5 * call)
        await sari.type("admin")
        assert "sebentar lagi dibalas" in sari.screen
    assert len(await _cards(stocked)) == 1


async def test_each_customer_makes_a_card(stocked: Database, shop: Shop, now: datetime) -> None:
    for channel in ("whatsapp", "telegram"):
        talk = Talk(stocked, shop, channel, now)
        await talk.type("admin")
        await talk.type("admin")
    assert len(await _cards(stocked)) == 2


async def test_a_new_need_makes_a_card_at_once(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    for reason in ("asked", "complaint", "proof", "proof"):
        await sari.choose(f"human:{reason}")
    cards = await _cards(stocked)
    assert [card.split("</b>")[0].split("\n")[0] for card in cards] == [
        "🙋 Minta bicara dengan orang: ada pelanggan yang perlu dibantu langsung.",
        "⏰ Keluhan: masih menunggu sejak Sen, 23 Nov 10:00.",
        "⏰ Bukti transfer: masih menunggu sejak Sen, 23 Nov 10:00.",
    ]


async def test_a_call_after_a_takeover_is_a_new_one(stocked: Database, shop: Shop, now: datetime) -> None:
    sari, rina = Talk(stocked, shop, "whatsapp", now), Talk(stocked, shop, "telegram", now, address=RINA)
    await sari.type("admin")
    rina.now = sari.now
    await rina.look()
    await rina.tap("Ambil alih")
    await rina.type("selesai")
    sari.now = rina.now
    await sari.type("admin")
    assert len(await _cards(stocked)) == 2


async def test_a_card_comes_again_in_growing_intervals(stocked: Database, shop: Shop, now: datetime) -> None:
    """After 10, 20, 40, 80 and 160 minutes of opening time, then every four hours."""
    sari = Talk(stocked, shop, "whatsapp", now)
    await sari.type("admin")
    came: list[str] = []
    begins = now.replace(second=0)
    for minute in range(0, 3 * 24 * 60, 5):
        sari.now = begins + timedelta(minutes=minute, seconds=30)
        before = len(await _cards(stocked))
        await sari.waiting_is_renewed()
        if len(await _cards(stocked)) > before:
            came.append(f"{shop.local(sari.now):%a %H:%M}")
    assert came == [
        "Mon 10:10", "Mon 10:30", "Mon 11:10", "Mon 12:30", "Mon 15:10", "Tue 11:10", "Tue 15:10", "Wed 11:10", "Wed 15:10",
    ]  # fmt: skip


async def test_two_processes_renew_a_card_once(postgres_url: str, shop: Shop, now: datetime) -> None:
    database = Database(postgres_url)
    sari = Talk(database, shop, "whatsapp", now)
    await sari.type("admin")
    later = now + timedelta(minutes=11)
    async with database.write() as one, database.write() as other:
        assert await escalations.claim_renewal(Context(one, shop, later), 1) is not None
        await one.commit()
        assert await escalations.claim_renewal(Context(other, shop, later), 1) is None
    await database.close()


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-23T10:00", "sebentar lagi dibalas"),
        ("2026-11-23T16:59", "sebentar lagi dibalas"),
        ("2026-11-23T17:00", "besok jam 9 dibalas"),
        ("2026-11-24T03:00", "hari ini jam 9 dibalas"),
        ("2026-11-28T18:00", "Senin, 30 November 2026 jam 9 dibalas"),  # Saturday; closed on Sunday
        ("2026-12-24T18:00", "Sabtu, 26 Desember 2026 jam 9 dibalas"),  # Christmas
    ],
)
async def test_the_customer_hears_when_a_person_answers(at: str, said: str, stocked: Database, shop: Shop) -> None:
    sari = Talk(stocked, shop, "whatsapp", datetime.fromisoformat(at).replace(tzinfo=shop.zone))
    await sari.type("admin")
    assert said in sari.screen


@pytest.mark.parametrize("language", ["id", "en"])
async def test_without_an_admin_the_customer_gets_the_number(stocked: Database, now: datetime, language: str) -> None:
    shop = make_shop(staff=[{"name": "Dedi", "role": "technician", "technician": "dedi", "telegram": 7000000002}])
    sari = Talk(stocked, shop, "telegram", now, language=language)
    await sari.choose("human:complaint")
    assert "+62217654321" in sari.screen
    assert not {"teruskan", "passed"} & set(sari.screen.split())
    assert await letters(stocked, kind="staff") == {}


async def test_an_admin_who_blocked_the_bot_is_not_relied_on(stocked: Database, shop: Shop, now: datetime) -> None:
    sari, rina = Talk(stocked, shop, "whatsapp", now), Talk(stocked, shop, "telegram", now, address=RINA)
    await rina.type("halo")
    async with stocked.write() as session:
        await session.execute(update(Contact).values(unreachable_at=now + timedelta(minutes=1)))
    await sari.type("admin")
    assert shop.contact in sari.screen
    assert await _cards(stocked) == []
    # Rina writes again, and the card comes when it is due.
    rina.now = now + timedelta(minutes=5)
    await rina.type("halo")
    sari.now = now + timedelta(minutes=11)
    await sari.waiting_is_renewed()
    assert len(await _cards(stocked)) == 1
    await sari.type("admin")
    assert "sebentar lagi dibalas" in sari.screen


async def test_photos_sent_before_the_call_go_along_once(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    await sari.send_photo(stored=(PHOTOS[0],))
    await sari.send_photo("kresek2 nih", stored=(PHOTOS[1],))
    await sari.choose("human:complaint")
    await sari.send_photo(stored=(PHOTOS[2],))
    await sari.choose("human:claim")
    async with stocked.read() as session:
        bodies = (await session.scalars(select(Outbox.body).where(Outbox.kind == "staff").order_by(Outbox.id))).all()
    assert [body["document"]["id"] for body in bodies if "document" in body] == list(PHOTOS[:3])


async def test_nobody_floods_the_admins(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "whatsapp", now)
    for number in range(40):
        await sari.choose(f"human:{('claim', 'proof')[number % 2]}")
        await sari.send_photo(stored=(f"{number:032x}.jpg",))
    assert len(await _cards(stocked)) == 2
    assert len(await _photos(stocked)) == person.MOST_MEDIA


async def test_the_card_names_the_last_ten_messages(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    for number in range(8):
        await sari.type(f"xyzzy plugh {number}")
    await sari.choose("human:other")
    lines = (await _cards(stocked))[-1].splitlines()
    said = [line for line in lines if "👤" in line or "🤖" in line]
    assert len(said) == 10
    assert "xyzzy plugh 7" in said[-2]
    assert "🤖" in said[-1]


@pytest.mark.parametrize("sent", [(), ("halo",) * 9])
async def test_a_strangers_photos_are_stored_sparingly(
    stocked: Database, shop: Shop, now: datetime, sent: tuple[str, ...]
) -> None:
    """Three among the last ten messages; all once somebody is called."""
    sari, wanted = Talk(stocked, shop, "telegram", now), []
    for number in range(5):
        wanted.append(await _wants(sari))
        await sari.send_photo(stored=(PHOTOS[number],) if wanted[-1] else ())
    assert wanted == [True, True, True, False, False]
    for text in sent:
        await sari.type(text)
    assert await _wants(sari) is bool(sent)
    await sari.type("admin")
    assert await _wants(sari)


async def test_what_was_not_stored_is_said(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    await sari.send_photo()
    await sari.type("admin")
    assert "kiriman yang tidak tersimpan" in (await _cards(stocked))[0]


@pytest.mark.parametrize("deed", ["Ambil alih", "Sudah dibantu", "Balas"])
async def test_whatever_an_admin_does_ends_the_wait(stocked: Database, shop: Shop, now: datetime, deed: str) -> None:
    sari, rina = Talk(stocked, shop, "whatsapp", now), Talk(stocked, shop, "telegram", now, address=RINA)
    await sari.type("admin")
    rina.now = sari.now
    await rina.look()
    await rina.tap(deed)
    if deed == "Balas":
        assert await _open(stocked) is not None
        await rina.type("Siap Kak")
    assert await _open(stocked) is None
    sari.now = now + timedelta(hours=3)
    await sari.choose("menu")
    assert (await _state(stocked, sari))["waits"] is False


async def test_an_answer_of_a_chat_in_other_hands_is_refused(stocked: Database, now: datetime) -> None:
    staff = [{"name": "Ibu Rina", "role": "admin", "telegram": 7000000001}]
    shop = make_shop(staff=[*staff, {"name": "Pak Edi", "role": "admin", "telegram": 7000000009}])
    sari, rina = Talk(stocked, shop, "whatsapp", now), Talk(stocked, shop, "telegram", now, address=RINA)
    edi = Talk(stocked, shop, "telegram", now, address="7000000009")
    await sari.type("admin")
    for admin in (rina, edi):
        admin.now = sari.now
        await admin.look()
    await rina.tap("Ambil alih")
    await edi.tap("Balas")
    await edi.type("Halo Kak")
    assert "sedang dipegang Ibu Rina" in edi.screen
    await sari.look()
    assert "Halo Kak" not in sari.screen


async def test_an_admin_with_a_chat_in_hand_replies_to_another(stocked: Database, shop: Shop, now: datetime) -> None:
    sari, budi = Talk(stocked, shop, "whatsapp", now), Talk(stocked, shop, "telegram", now, address="5009")
    rina = Talk(stocked, shop, "telegram", now, address=RINA)
    await sari.type("admin")
    rina.now = sari.now
    await rina.look()
    await rina.tap("Ambil alih")
    budi.now = rina.now
    await budi.type("admin")
    rina.now = budi.now
    await rina.look()
    await rina.tap("Balas")
    await rina.type("Ini untuk Budi")
    for talk, got in ((sari, False), (budi, True)):
        talk.now = rina.now
        await talk.look()
        assert ("Ini untuk Budi" in talk.screen) is got
    await rina.type("Ini untuk Sari")
    sari.now = rina.now
    await sari.look()
    assert "Ini untuk Sari" in sari.screen


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("baru dipasang kemarin udah kresek2", CallReason.CLAIM),
        ("subwoofer saya rusak masih garansi ga", CallReason.CLAIM),
        ("suaranya jelek banget, nyesel pasang disini", CallReason.COMPLAINT),
        ("udah saya transfer kak", CallReason.PROOF),
        ("garansi berapa lama?", None),
        ("speakernya mati sebelah bisa diperbaiki?", None),
        ("bisa transfer bca?", None),
    ],
)
@pytest.mark.parametrize("stocked", ["sqlite"], indirect=True)
async def test_what_a_line_says_calls_a_person(
    stocked: Database, shop: Shop, now: datetime, text: str, reason: CallReason | None
) -> None:
    sari = Talk(stocked, shop, "telegram", now)
    await sari.type("mau pasang speaker di avanza 2018")
    await sari.type(text)
    escalation = await _open(stocked)
    assert (escalation.reason if escalation else None) is reason
    assert (await _state(stocked, sari))["flow"] == "booking", "the order stays open"


async def test_an_unknown_fit_says_what_and_whose(stocked: Database, shop: Shop, now: datetime) -> None:
    """`about` is on the card, and on the renewed one."""
    from core.messaging.messages import say

    sari = Talk(stocked, shop, "telegram", now)
    await sari.type("halo")
    async with stocked.write() as session:
        turn = await _turn(session, sari)
        told = await person.call(
            turn, CallReason.UNKNOWN_FIT, about=say("fit.unknown", name="Skeleton 6", car="Suzuki Karimun 2003")
        )
        assert person.waiting_for_person(turn)
    assert told.key == "person.lead.unknown_fit"
    sari.now = now + timedelta(minutes=15)
    await sari.waiting_is_renewed()
    assert ["Skeleton 6 untuk Suzuki Karimun 2003" in card for card in await _cards(stocked)] == [True, True]


async def _wants(talk: Talk) -> bool:
    async with talk.database.read() as session:
        incoming = Incoming(talk.channel, talk.address, "x", media=("y",))
        return await Engine().wants_photos(Context(session, talk.shop, talk.now), incoming)


async def _state(database: Database, talk: Talk) -> dict[str, Any]:
    async with database.read() as session:
        found = select(Conversation.state).join(Contact, Contact.id == Conversation.contact_id)
        state: dict[str, Any] = (await session.scalars(found.where(Contact.address == talk.address))).one()
        return state


async def _turn(session: Any, talk: Talk) -> Any:
    """A turn of this chat in hand, as a policy has it."""
    from conversations.state import State
    from conversations.turn import Turn
    from conversations.understand import Understanding
    from core.people import contacts

    contact, kept, _ = await contacts.find_or_create(
        session, talk.channel, talk.address, phone=None, language="id", now=talk.now
    )
    catalogue, lexicon = await Engine().refresh(session)
    incoming = Incoming(talk.channel, talk.address, "z")
    state = State.from_json(kept, now=talk.now)
    return Turn(
        Context(session, talk.shop, talk.now), catalogue, lexicon, "f" * 16, contact, state, incoming, Understanding()
    )
