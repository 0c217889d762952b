from datetime import date, time, datetime, timedelta
import pytest
from shops import make_shop
from talk import Talk
from sqlalchemy import select, update
from core import payment
from core.context import Context
from core.db.tables import *
from core.booking import review, impossible_bookings, close_day, keep
from core.work import assign, start, complete, add_cost
from core.schedule import bookings
pytestmark = pytest.mark.parametrize("stocked", ["sqlite"], indirect=True)

async def say(t, *words):
    for w in words:
        await t.type(w); print(">>>", w); print(t.screen); print()

async def until(talk, words, stop):
    for w in words:
        if stop in talk.screen: return
        await talk.type(w); print(">", w, "|", talk.screen[:300].replace("\n"," / "))


async def test_past_and_notice(stocked, now):
    for n,w in enumerate(("hari ini jam 10","tanggal 20 november 2026 jam 10","hari ini jam 9", "hari ini jam 16", "minggu depan hari minggu jam 10")):
        t = Talk(stocked, make_shop(), "telegram", now + timedelta(hours=1, minutes=55), address=str(4700+n))  # 09:55
        await t.type("mau tuning audio avanza 2018 "+w)
        await t.type("lanjut"); print(">>>", w); print(t.screen); print()
async def test_refund_live_chat(stocked, now):
    shop=make_shop(); t = Talk(stocked, shop, "telegram", now)
    await t.type("halo")
    await t.has_booked("2026-11-24T10:00", None)
    await t.link_arrives(); await t.pays()
    print(t.screen)
    async with stocked.write() as s:
        r=(await s.scalars(select(PaymentRequest))).one()
        from paying import answer
        print(await payment.settle(Context(s,shop,now+timedelta(hours=2)), r.order_id, answer(r.order_id,"refund",amount=r.amount, transaction_id=f"t-{r.order_id}")))
    await t.look(); print(t.screen)
    await say(t,"booking saya")
    t.now += timedelta(hours=3)
    await t.tap("BK-000001"); print(t.screen)
    await t.tap("Riwayat") if "Riwayat" in t.screen else None; print(t.screen)
    await say(t,"batalkan booking BK-000001")
