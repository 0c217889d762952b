"""The demo page's API under /world."""

import json
import smtplib
from asyncio import to_thread
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession
from listener import Clock, Shop

from bot.sandbox.markup import whatsapp
from bot.sandbox.phones import Bubble, Button, Item, Menu
from bot.sandbox.server import StandIns


@pytest.fixture
async def page(vendors: StandIns, shop: Shop) -> AsyncIterator[ClientSession]:
    async with ClientSession(vendors.url) as page:
        yield page


async def state(page: ClientSession) -> dict[str, Any]:
    async with page.get("/world/state") as got:
        assert got.status == 200
        return await got.json()


async def test_state_has_every_phone_and_the_mails(page: ClientSession, vendors: StandIns, shop: Shop) -> None:
    vendors.world.add_staff("owner", 7_000_000_001, "Ibu Rina", phone="+628111000001")
    vendors.world.telegram.person(7_000_000_009, "Tono")  # he has no phone on the page
    await to_thread(_send_mail, vendors.smtp_port)
    async with page.post("/world/owner/type", json={"text": "/staf"}) as got:
        assert got.status == 204

    seen = await state(page)

    assert set(seen["phones"]) == {"whatsapp", "telegram", "owner"}
    assert seen["phones"]["telegram"]["person"]["name"] != seen["phones"]["whatsapp"]["person"]["name"]
    owner = seen["phones"]["owner"]
    assert (owner["person"]["name"], [bubble["text"] for bubble in owner["bubbles"]]) == ("Ibu Rina", ["/staf"])
    assert [mail["subject"] for mail in seen["mail"]] == ["Halo"]


async def test_staff_cant_be_replaced(page: ClientSession, vendors: StandIns) -> None:
    vendors.world.add_staff("owner", 7_000_000_001, "Ibu Rina", phone="+628111000001")
    for path, body in (("owner/new-person", {}), ("nobody/type", {"text": "halo"})):
        async with page.post(f"/world/{path}", json=body) as got:
            assert got.status == 404
    assert vendors.world.phones["owner"].name == "Ibu Rina"


def _send_mail(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail("a@a.example", ["b@b.example"], "Subject: Halo\r\n\r\nIsi")


@pytest.mark.parametrize("phone", ["telegram", "whatsapp"])
async def test_a_person_types_and_shares_and_is_replaced(page: ClientSession, vendors: StandIns, phone: str) -> None:
    place = {"latitude": -6.3, "longitude": 106.8, "address": "Jl. Melati 3"}
    for action, body in (("type", {"text": "halo <b>"}), ("contact", {}), ("location", place)):
        async with page.post(f"/world/{phone}/{action}", json=body) as got:
            assert got.status == 204
    seen = (await state(page))["phones"][phone]
    assert [bubble["kind"] for bubble in seen["bubbles"]] == ["text", "contact", "location"]
    assert seen["bubbles"][0]["html"] == "halo &lt;b&gt;"

    async with page.post(f"/world/{phone}/new-person", json={}) as got:
        assert got.status == 204
    after = await state(page)
    assert after["phones"][phone]["person"]["id"] != seen["person"]["id"]
    assert after["phones"][phone]["bubbles"] == []


async def test_a_photo_is_shown_and_a_language_is_set(page: ClientSession, vendors: StandIns, shop: Shop) -> None:
    async with page.post("/world/whatsapp/photo", data=b"\xff\xd8\xff", headers={"Content-Type": "image/jpeg"}) as got:
        assert got.status == 204
    [bubble] = (await state(page))["phones"]["whatsapp"]["bubbles"]
    async with page.get(bubble["photo"]["url"]) as got:
        assert (got.content_type, await got.read()) == ("image/jpeg", b"\xff\xd8\xff")

    async with page.post("/world/telegram/language", json={"language": "en"}) as got:
        assert got.status == 204
    assert vendors.world.phones["telegram"].language == "en"


async def test_a_button_is_tapped_by_bubble_and_id(page: ClientSession, vendors: StandIns, shop: Shop) -> None:
    customer = vendors.world.phones["whatsapp"]
    menu = Menu("Pilih", (Item("1:0", "09:00"), Item("1:1", "10:00")))
    customer.show(Bubble("SM1", "shop", vendors.world.hub.clock(), "text", "Jam?", "Jam?", menu=menu))
    async with page.post("/world/whatsapp/tap", json={"bubble": "SM1", "button": "1:1"}) as got:
        assert got.status == 204
    assert shop.calls[-1].form["ListTitle"] == "10:00"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/world/telegram/type", {}, 400),
        ("/world/telegram/location", {"latitude": "di sana", "longitude": 1}, 400),
        ("/world/telegram/tap", {"bubble": "9", "button": "0-0"}, 400),
        ("/world/telegram/fly", {}, 404),
        ("/world/signal/type", {"text": "halo"}, 404),
        ("/world/telegram/photo", {}, 400),
    ],
)
async def test_an_impossible_action_is_refused(
    page: ClientSession, path: str, body: dict[str, Any], status: int
) -> None:
    async with page.post(path, json=body) as got:
        assert got.status == status


async def test_events_report_new_bubbles(page: ClientSession, vendors: StandIns) -> None:
    async with page.get("/world/events") as events:
        assert events.content_type == "text/event-stream"
        await events.content.readline()
        await vendors.world.phones["telegram"].type("halo")
        event = json.loads(await anext(_data(events.content)))
    assert (event["type"], event["phone"], event["bubble"]["text"]) == ("bubble", "telegram", "halo")


async def _data(lines: Any) -> AsyncIterator[bytes]:
    async for line in lines:
        if line.startswith(b"data: "):
            yield line.removeprefix(b"data: ")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "demo.example"},  # DNS rebinding
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},  # another server on this machine
    ],
)
async def test_other_origins_are_refused(page: ClientSession, headers: dict[str, str]) -> None:
    async with page.get("/world/state", headers=headers) as got:
        assert got.status == 403
    async with page.post("/world/telegram/type", json={"text": "x"}, headers=headers) as got:
        assert got.status == 403


async def test_a_whatsapp_id_replaces_the_number(vendors: StandIns, shop: Shop) -> None:
    hidden = vendors.world.whatsapp.person("+6281234567890", "Sari", whatsapp_id="ID.4566778899")
    await hidden.type("halo")
    assert shop.calls[-1].form["From"] == "whatsapp:ID.4566778899"


async def test_waiting_for_a_reply_times_out(vendors: StandIns, shop: Shop, clock: Clock) -> None:
    customer = vendors.world.phones["telegram"]
    clock.move(timedelta(days=1))  # the timeout doesn't use the simulated clock
    with pytest.raises(TimeoutError, match=f"no reply to {customer.name}"):
        await customer.next_reply(timeout=0.01)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("*tebal* _miring_ ~coret~", "<b>tebal</b> <i>miring</i> <s>coret</s>"),
        ("*_dua_*", "<b><i>dua</i></b>"),
        ("2*3*4 dan a_b_c", "2*3*4 dan a_b_c"),
        ("* bukan *", "* bukan *"),
        ("*dua\nbaris*", "*dua\nbaris*"),
        ("```*apa adanya*```", "<code>*apa adanya*</code>"),
        ("*<script>*", "<b>&lt;script&gt;</b>"),
        (
            "https://pay.example/_a_?x=1&y=*2*.",
            (
                '<a href="https://pay.example/_a_?x=1&amp;y=*2*" target="_blank" rel="noopener">'
                "https://pay.example/_a_?x=1&amp;y=*2*</a>."
            ),
        ),
    ],
)
def test_whatsapp_markup_is_shown_as_safe_html(source: str, shown: str) -> None:
    assert whatsapp(source).html == shown


def test_button_json_leaves_out_the_data() -> None:
    assert Button("0-0", "Ya", "callback", data="1:0").to_json() == {"id": "0-0", "title": "Ya", "kind": "callback"}
