"""The Twilio stand-in works with Twilio's own client, whose host names are mapped to it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession, encode_basic_auth
from listener import Call, Clock, Shop
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList

from bot.sandbox.phones import Person
from bot.sandbox.server import DEFAULTS, StandIns
from bot.sandbox.twilio_chats import signature

SHOP = f"whatsapp:{DEFAULTS.twilio_sender}"
PASSWORD = {"Authorization": encode_basic_auth(DEFAULTS.twilio_sid, DEFAULTS.twilio_token)}
SARI = "+6281234567890"


class Http(AsyncTwilioHttpClient):
    """Twilio's client with its hosts mapped to the stand-in. It also sends JSON bodies as JSON."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._stand_in = url

    async def request(self, method: str, url: str, **rest: Any) -> Response:
        for host in ("https://api.twilio.com", "https://content.twilio.com"):
            url = url.replace(host, self._stand_in)
        headers = dict(rest.pop("headers", None) or {}) | {"Authorization": encode_basic_auth(*rest.pop("auth"))}
        if headers.get("Content-Type") == "application/json":
            rest["data"] = json.dumps(rest["data"])
        return await super().request(method, url, headers=headers, **rest)


def client_at(vendors: StandIns, http: Http, token: str = DEFAULTS.twilio_token) -> Client:
    return Client(DEFAULTS.twilio_sid, token, http_client=http)


@pytest.fixture
async def http(vendors: StandIns) -> AsyncIterator[Http]:
    async with Http(vendors.url) as http:
        yield http


@pytest.fixture
def client(vendors: StandIns, http: Http) -> Client:
    return client_at(vendors, http)


@pytest.fixture
async def sari(vendors: StandIns, shop: Shop) -> Person:
    """Wrote a moment ago, so the 24-hour window is open."""
    sari = vendors.world.whatsapp.person(SARI, "Sari")
    await sari.type("halo")
    return sari


async def send(client: Client, **message: Any) -> Any:
    return await client.messages.create_async(**{"to": f"whatsapp:{SARI}", "from_": SHOP} | message)


async def content(client: Client, kind: str, fields: dict[str, Any], **more: Any) -> str:
    body = {"friendly_name": "x", "language": "id", "types": {kind: fields}} | more
    made = await client.content.v1.contents.create_async(Json(body))
    return made.sid


class Json(ContentList.ContentCreateRequest):
    """A raw creation request: the library's own also sends null for every unused type."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body

    def to_dict(self) -> dict[str, Any]:
        return self.body


def valid(call: Call, url: str) -> bool:
    validator = RequestValidator(DEFAULTS.twilio_token)
    return validator.validate(f"{url}{call.path}", call.form, call.headers["X-Twilio-Signature"])


def test_signature_matches_twilios_validator() -> None:
    """The example is from Twilio's own tests."""
    form = {
        "ToCountry": "US", "ToState": "CA", "To": "+18005551212", "FromZip": "90210", "Caller": "+14158675309",
        "Digits": "1234", "From": "+14158675309", "CallSid": "CA1234567890ABCDE",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", url, form) == RequestValidator("12345").compute_signature(url, form)


async def test_an_inbound_message_is_signed(sari: Person, shop: Shop) -> None:
    [call] = shop.calls
    assert valid(call, shop.url)
    assert call.form is not None
    assert call.form["Body"] == "halo"
    assert (call.form["From"], call.form["To"]) == (f"whatsapp:{SARI}", SHOP)
    assert (call.form["WaId"], call.form["ProfileName"]) == (SARI.removeprefix("+"), "Sari")


async def test_a_wrong_password_is_refused(vendors: StandIns, http: Http, sari: Person) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await send(client_at(vendors, http, "wrong"), body="halo")
    assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_a_message_is_shown_and_its_status_reported(
    client: Client, vendors: StandIns, shop: Shop, sari: Person
) -> None:
    message = await send(client, body="*Halo* Kak <b>", status_callback=f"{shop.url}/webhooks/twilio/status?id=7")
    assert message.status == "queued"
    shown = await sari.next_reply()
    await vendors.world.hub.wait_idle()

    assert (shown.text, shown.html) == ("Halo Kak <b>", "<b>Halo</b> Kak &lt;b&gt;")
    assert shop.statuses == ["queued", "sent", "delivered", "read"]
    assert sari.last().status == "read"
    call = shop.calls[-1]
    assert call.form["MessageSid"] == message.sid
    validator = RequestValidator(DEFAULTS.twilio_token)
    url = f"{shop.url}/webhooks/twilio/status?id=7"
    assert validator.validate(url, call.form, call.headers["X-Twilio-Signature"])


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ({"body": "a" * 1601}, 21617, "at most 1,600 characters"),
        ({"body": " "}, 21619, "no content"),
        ({}, 21619, "no content"),
        ({"body": "x", "from_": "whatsapp:+628119999999"}, 63007, "not our sender"),
        ({"body": "x", "to": "whatsapp:0812"}, 21211, "not E.164"),
        ({"body": "x", "to": SARI}, 21211, "not a WhatsApp address"),
        ({"content_sid": f"HX{0:032x}"}, 21655, "unknown content"),
        ({"body": "x", "content_variables": "{}"}, 21654, "variables without a template"),
        ({"media_url": ["file:///etc/passwd"]}, 21620, "not a web address"),
        ({"media_url": ["https://a.example/1.png", "https://a.example/2.png"]}, 21623, "at most one file"),
    ],
)
async def test_invalid_messages_are_refused(
    client: Client, sari: Person, message: dict[str, Any], code: int, reason: str
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await send(client, **message)
    assert (refused.value.status, refused.value.code) == (400, code), reason


async def test_free_text_is_limited_to_24_hours(
    client: Client, vendors: StandIns, shop: Shop, sari: Person, clock: Clock
) -> None:
    clock.move(timedelta(hours=24))
    await send(client, body="masih di dalam")
    assert (await sari.next_reply()).text == "masih di dalam"

    clock.move(timedelta(seconds=1))
    late = await send(client, body="terlambat", status_callback=f"{shop.url}/webhooks/twilio/status")
    await vendors.world.hub.wait_idle()

    assert shop.statuses == ["queued", "failed"]
    assert shop.calls[-1].form["ErrorCode"] == "63016"
    assert (await client.messages(late.sid).fetch_async()).error_code == 63016
    assert sari.last().text == "masih di dalam"


async def test_an_approved_template_can_be_sent_any_time(
    client: Client, sari: Person, vendors: StandIns, clock: Clock
) -> None:
    clock.move(timedelta(days=3))
    body = {"body": "Pengingat: {{1}}. Sampai jumpa!"}
    sid = await content(client, "twilio/text", body, variables={"1": "besok jam 10"})
    await send(client, content_sid=sid)
    await vendors.world.hub.wait_idle()
    assert sari.unread() == []

    await approve(vendors, sid)
    await send(client, content_sid=sid, content_variables=json.dumps({"1": "Senin jam 9"}))
    assert (await sari.next_reply()).text == "Pengingat: Senin jam 9. Sampai jumpa!"


async def approve(vendors: StandIns, sid: str) -> dict[str, Any]:
    url = f"{vendors.url}/v1/Content/{sid}/ApprovalRequests/whatsapp"
    body = {"name": "x", "category": "UTILITY"}
    async with ClientSession(headers=PASSWORD) as session, session.post(url, json=body) as got:
        return await got.json()


@pytest.mark.parametrize(
    "variables",
    [
        '{"1": ""}',
        '{"1": " "}',
        '{"1": null}',
        '{"1": 5}',
        '{"1": {"a": "b"}}',
        "[]",
        "{",
        '{"2": "x"}',  # the first is missing and has no sample
        '{"1": "dua\\nbaris"}',
        '{"1": "a     b"}',
    ],
)
async def test_invalid_variables_are_refused(client: Client, sari: Person, variables: str) -> None:
    sid = await content(client, "twilio/text", {"body": "Halo {{1}}."})
    with pytest.raises(TwilioRestException) as refused:
        await send(client, content_sid=sid, content_variables=variables)
    assert refused.value.code == 21656


QUICK = {"body": "Mau pilih apa?", "actions": [{"title": "Speaker", "id": "1:0"}, {"title": "Amplifier", "id": "1:1"}]}
LIST = {
    "body": "Jam berapa, Kak?",
    "button": "Pilih jam",
    "items": [{"id": "2:0", "item": "09:00", "description": "2/3"}, {"id": "2:1", "item": "10:00"}],
}


async def test_a_quick_reply_is_tapped(client: Client, shop: Shop, sari: Person) -> None:
    message = await send(client, content_sid=await content(client, "twilio/quick-reply", QUICK))
    await sari.next_reply()

    await sari.tap("Amplifier")

    form = shop.calls[-1].form
    assert valid(shop.calls[-1], shop.url)
    assert (form["ButtonText"], form["ButtonPayload"], form["Body"]) == ("Amplifier", "1:1", "Amplifier")
    assert form["OriginalRepliedMessageSid"] == message.sid


async def test_a_list_entry_is_tapped(client: Client, shop: Shop, sari: Person) -> None:
    await send(client, content_sid=await content(client, "twilio/list-picker", LIST))
    shown = await sari.next_reply()
    assert shown.to_json()["list"] == {
        "button": "Pilih jam",
        "items": [
            {"id": "2:0", "title": "09:00", "description": "2/3"},
            {"id": "2:1", "title": "10:00", "description": None},
        ],
    }
    await sari.tap("10:00")
    assert (shop.calls[-1].form["ListId"], shop.calls[-1].form["ListTitle"]) == ("2:1", "10:00")


async def test_a_link_button_has_its_url(client: Client, sari: Person) -> None:
    fields = {"body": "Silakan bayar", "actions": [{"type": "URL", "title": "Bayar", "url": "https://pay.example/1"}]}
    await send(client, content_sid=await content(client, "twilio/call-to-action", fields))
    assert (await sari.next_reply()).to_json()["buttons"] == [
        [{"id": "Bayar", "title": "Bayar", "kind": "url", "url": "https://pay.example/1"}]
    ]


def _actions(*titles: str) -> dict[str, Any]:
    return {"body": "x", "actions": [{"title": title, "id": str(n)} for n, title in enumerate(titles)]}


def _items(count: int = 1, **changes: str) -> dict[str, Any]:
    return {"body": "x", "button": "y", "items": [{"id": str(n), "item": "z"} | changes for n in range(count)]}


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("twilio/quick-reply", _actions("a" * 21), "titles have at most 20 characters"),
        ("twilio/quick-reply", _actions(" "), "a button needs a title"),
        ("twilio/quick-reply", _actions(), "at least one button"),
        ("twilio/quick-reply", _actions(*"abcdefghijk"), "at most ten buttons, even if approved"),
        ("twilio/quick-reply", QUICK | {"body": "a" * 1025}, "interactive bodies have at most 1,024 characters"),
        ("twilio/list-picker", _items(11), "at most ten entries"),
        ("twilio/list-picker", _items(item="a" * 25), "entries have at most 24 characters"),
        ("twilio/list-picker", _items(description="a" * 73), "descriptions have at most 72 characters"),
        ("twilio/list-picker", _items(2, id="same"), "ids differ"),
        ("twilio/list-picker", LIST | {"button": "a" * 21}, "the button has at most 20 characters"),
        ("twilio/list-picker", LIST | {"body": ""}, "a list needs a body"),
        ("twilio/media", {"body": "x", "media": []}, "a file is needed"),
        (
            "twilio/call-to-action",
            {"body": "x", "actions": [{"type": "URL", "title": "x", "url": "y"}]},
            "not a web address",
        ),
        ("twilio/unknown", {"body": "x"}, "an unknown type"),
    ],
)
async def test_invalid_content_is_refused(client: Client, kind: str, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await content(client, kind, fields)
    assert refused.value.status == 400, reason


async def test_limits_apply_after_filling_in_variables(client: Client, sari: Person) -> None:
    sid = await content(client, "twilio/quick-reply", {"body": "Pilih", "actions": [{"title": "{{1}}", "id": "1"}]})
    with pytest.raises(TwilioRestException) as refused:
        await send(client, content_sid=sid, content_variables=json.dumps({"1": "a" * 21}))
    assert refused.value.code == 21656


async def test_four_buttons_need_approval(client: Client, vendors: StandIns, shop: Shop, sari: Person) -> None:
    sid = await content(client, "twilio/quick-reply", _actions(*"abcd"))
    await send(client, content_sid=sid, status_callback=f"{shop.url}/webhooks/twilio/status")
    await vendors.world.hub.wait_idle()
    assert shop.calls[-1].form["ErrorCode"] == "63021"

    assert (await approve(vendors, sid))["status"] == "approved"
    await send(client, content_sid=sid)
    assert len((await sari.next_reply()).buttons) == 4


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("twilio/list-picker", LIST, "lists are only for the session"),
        ("twilio/text", {"body": "{{1}} menunggu"}, "begins with a variable"),
        ("twilio/text", {"body": "Halo {{1}}"}, "ends with a variable"),
        ("twilio/text", {"body": "Halo {{2}}!"}, "no sample of the variable"),
    ],
)
async def test_whatsapp_rejects_invalid_templates(
    client: Client, vendors: StandIns, kind: str, fields: dict[str, Any], reason: str
) -> None:
    sid = await content(client, kind, fields, variables={"1": "x"})
    assert (await approve(vendors, sid))["status"] == "rejected", reason
    approvals = client.content.v1.contents(sid).approval_fetch()
    assert (await approvals.fetch_async()).whatsapp["status"] == "rejected"


async def test_content_can_be_created_twice_and_deleted(client: Client, sari: Person) -> None:
    first, second = await content(client, "twilio/list-picker", LIST), await content(client, "twilio/list-picker", LIST)
    assert first != second
    assert [known.sid for known in await client.content.v1.contents.list_async()] == [first, second]
    assert await client.content.v1.contents(first).delete_async()
    with pytest.raises(TwilioRestException) as gone:
        await client.content.v1.contents(first).fetch_async()
    assert (gone.value.status, gone.value.code) == (404, 20404)
    await send(client, content_sid=second)


async def test_a_pdf_is_fetched_by_head_and_two_gets(
    client: Client, vendors: StandIns, shop: Shop, sari: Person
) -> None:
    shop.files["INV-1.pdf"] = ("application/pdf", b"%PDF-1.7")
    await send(client, body="Faktur", media_url=[f"{shop.url}/files/INV-1.pdf?sig=x"])
    shown = await sari.next_reply()

    assert shop.fetched == [("HEAD", "INV-1.pdf"), ("GET", "INV-1.pdf"), ("GET", "INV-1.pdf")]
    assert (shown.kind, shown.text, shown.media.name) == ("document", "Faktur", "INV-1.pdf")
    async with ClientSession() as page, page.get(f"{vendors.url}{shown.media.url}") as got:
        assert await got.read() == b"%PDF-1.7"
        assert got.headers["Content-Disposition"] == "inline"


@pytest.mark.parametrize(
    ("content_type", "size", "code", "reason"),
    [
        ("application/pdf", 16 * 1024 * 1024 + 1, "63021", "at most 16 MB"),
        ("image/jpeg", 5 * 1024 * 1024 + 1, "63021", "pictures have at most 5 MB"),
        ("text/html", 10, "63021", "HTML isn't accepted"),
        (None, 0, "63019", "404"),
    ],
)
async def test_invalid_files_are_refused(
    client: Client,
    vendors: StandIns,
    shop: Shop,
    sari: Person,
    content_type: str | None,
    size: int,
    code: str,
    reason: str,
) -> None:
    if content_type:
        shop.files["f"] = (content_type, b"x" * size)
    callback = f"{shop.url}/webhooks/twilio/status"
    await send(client, body="x", media_url=[f"{shop.url}/files/f"], status_callback=callback)
    await vendors.world.hub.wait_idle()
    assert shop.statuses == ["queued", "failed"]
    assert shop.calls[-1].form["ErrorCode"] == code, reason
    assert sari.last().author == "me"


async def test_messages_are_listed_newest_first_and_by_date(
    client: Client, vendors: StandIns, sari: Person, clock: Clock
) -> None:
    before = clock()
    clock.move(timedelta(minutes=5))
    await send(client, body="satu")
    clock.move(timedelta(days=1))
    await send(client, body="dua")
    await vendors.world.hub.wait_idle()

    async def bodies(**filters: Any) -> list[str]:
        return [message.body for message in await client.messages.list_async(**filters)]

    assert await bodies() == ["dua", "satu", "halo"]
    assert await bodies(to=f"whatsapp:{SARI}") == ["dua", "satu"]
    assert await bodies(to=SHOP) == ["halo"]
    assert await bodies(from_=SHOP, date_sent_after=clock() - timedelta(hours=1)) == ["dua"]
    assert await bodies(date_sent_before=before + timedelta(minutes=1)) == ["halo"]
    assert await bodies(page_size=1) == ["dua", "satu", "halo"]
    assert await bodies(limit=1) == ["dua"]


async def test_downloading_a_photo_needs_the_password(vendors: StandIns, shop: Shop, sari: Person) -> None:
    await sari.send_photo(b"\xff\xd8\xff", "image/jpeg")
    form = shop.calls[-1].form
    assert (form["NumMedia"], form["MediaContentType0"]) == ("1", "image/jpeg")
    async with ClientSession() as anyone, anyone.get(form["MediaUrl0"]) as got:
        assert got.status == 401
    async with ClientSession() as shop_itself, shop_itself.get(form["MediaUrl0"], headers=PASSWORD) as got:
        assert (got.status, await got.read()) == (200, b"\xff\xd8\xff")


async def test_a_location_and_a_contact_arrive(shop: Shop, sari: Person) -> None:
    await sari.share_location(-6.29, 106.79, "Jl. Fatmawati 21")
    assert shop.calls[-1].form["Latitude"] == "-6.29"
    assert shop.calls[-1].form["Address"] == "Jl. Fatmawati 21"
    await sari.share_contact()
    assert shop.calls[-1].form["MediaContentType0"] == "text/vcard"


async def test_an_inbound_message_has_one_retry(vendors: StandIns, sari: Person) -> None:
    calls = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    vendors.connect_shop(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert await sari.type("halo?") is None
    server.close()
    assert calls == 2


async def test_messages_to_a_person_who_blocked_stay_sent(
    client: Client, vendors: StandIns, shop: Shop, sari: Person
) -> None:
    await sari.block()
    await send(client, body="halo?", status_callback=f"{shop.url}/webhooks/twilio/status")
    await vendors.world.hub.wait_idle()
    assert shop.statuses == ["queued", "sent"]
    assert sari.last().author == "me"


async def test_a_message_with_a_dropped_response_is_listed(client: Client, vendors: StandIns, sari: Person) -> None:
    vendors.world.twilio_api.faults.drop_responses()
    with pytest.raises(aiohttp.ClientError):
        await send(client, body="sampai atau tidak")
    [found] = await client.messages.list_async(to=f"whatsapp:{SARI}")
    assert found.body == "sampai atau tidak"


async def test_a_simulated_error_is_an_html_page(client: Client, vendors: StandIns, sari: Person) -> None:
    vendors.world.twilio_api.faults.fail(503)
    with pytest.raises(TwilioRestException) as refused:
        await send(client, body="x")
    assert refused.value.status == 503


async def test_invalid_credentials_are_refused(vendors: StandIns) -> None:
    url = f"{vendors.url}/2010-04-01/Accounts/{DEFAULTS.twilio_sid}.json"
    for header in ("", "Basic", "Bearer x", "Basic " + base64.b64encode(b"no colon").decode()):
        async with ClientSession() as anyone, anyone.get(url, headers={"Authorization": header}) as got:
            assert (got.status, (await got.json())["code"]) == (401, 20003)
