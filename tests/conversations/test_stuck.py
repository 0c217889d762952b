"""Undelivered messages: an admin sees the reason and sends them again, once."""

from datetime import datetime

import pytest
from shops import make_shop
from sqlalchemy import select
from talk import Talk

from core.context import Context
from core.db.database import Database
from core.db.tables import Outbox
from core.messaging import outbox, outbox_claims
from core.messaging.messages import message, say
from core.shop import Shop

SARI = ("whatsapp", "whatsapp:+6281290000001")
RINA = ("telegram", "7000000001")
DEDI = ("telegram", "7000000002")


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Ibu Rina is the admin, Dedi a technician."""
    dedi = {"name": "Dedi", "role": "technician", "technician": "dedi", "telegram": int(DEDI[1])}
    return Shop.model_validate(shop.model_dump() | {"staff": [*(each.model_dump() for each in shop.staff), dedi]})


async def fail(
    database: Database, now: datetime, reason: str = "63016: outside\nthe window", kind: str = "notice"
) -> None:
    """A notice to Sari that failed for good."""
    channel, address = SARI
    async with database.write() as session:
        await outbox.enqueue(
            Context(session, make_shop(), now),
            key="lost",
            channel=channel,
            address=address,
            language="id",
            message=message(say("notice.see_you")),
            kind=kind,
        )
        (row,) = await outbox_claims.claim(session, now=now, limit=1, channels=[channel])
        await outbox_claims.failed(session, row, reason=reason)


async def state(database: Database) -> str:
    async with database.read() as session:
        return (await session.scalars(select(Outbox.state).where(Outbox.key == "lost"))).one()


async def test_admin_resends_a_failed_message(stocked: Database, shop: Shop, now: datetime) -> None:
    sari = Talk(stocked, shop, SARI[0], now, name="Sari", address=SARI[1])
    await sari.type("halo")
    rina = Talk(stocked, shop, RINA[0], now, name="Rina", address=RINA[1])
    await rina.type("/macet")
    assert "Tidak ada pesan yang gagal terkirim" in rina.screen
    await fail(stocked, now)
    await rina.type("surat macet")
    assert "pemberitahuan untuk +6281290000001: 63016: outside the window" in rina.screen
    await rina.tap("+6281290000001")
    assert "sedang dikirim lagi" in rina.screen
    assert await state(stocked) == "due"
    async with stocked.read() as session:
        (failed,) = await session.scalars(select(Outbox.id).where(Outbox.key == "lost"))
    await rina.choose(f"resend:{failed}")
    assert "sudah dikirim lagi sebelumnya" in rina.screen


@pytest.mark.parametrize("stocked", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "reason", "shown"),
    [
        ("reply", "63016", "balasan untuk +6281290000001: sudah lewat 24 jam sejak pesan terakhirnya (63016)"),
        ("reminder", "63024", "pengingat untuk +6281290000001: nomornya tidak bisa menerima pesan (63024)"),
        ("staff", "99999", "pesan staf untuk +6281290000001: 99999"),
        ("takeover", "timeout", "kabar chat kembali ke bot untuk +6281290000001: timeout"),
    ],
)
async def test_kinds_and_known_reasons_are_shown_in_words(
    stocked: Database, shop: Shop, now: datetime, kind: str, reason: str, shown: str
) -> None:
    await fail(stocked, now, reason, kind)
    rina = Talk(stocked, shop, RINA[0], now, name="Rina", address=RINA[1])
    await rina.type("/macet")
    assert shown in rina.screen


@pytest.mark.parametrize(("who", "name"), [(DEDI, "Dedi"), (SARI, "Sari")])
async def test_only_admins_resend(
    stocked: Database, shop: Shop, now: datetime, who: tuple[str, str], name: str
) -> None:
    await fail(stocked, now)
    talk = Talk(stocked, shop, who[0], now, name=name, address=who[1])
    await talk.type("macet")
    assert "63016" not in talk.screen
    await talk.choose("resend:1")
    assert await state(stocked) == "failed"


async def test_a_failed_message_is_chosen_by_number(stocked: Database, shop: Shop, now: datetime) -> None:
    await fail(stocked, now)
    rina = Talk(stocked, shop, RINA[0], now, name="Rina", address=RINA[1])
    await rina.type("macet")
    await rina.type("1")
    assert "sedang dikirim lagi" in rina.screen
    assert await state(stocked) == "due"
