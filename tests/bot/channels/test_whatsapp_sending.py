"""Rendering and sending for WhatsApp, and how Twilio's errors are translated; Twilio is a small server here."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from any_message import messages
from hypothesis import given, settings

from bot.channels.sending import File, NotSent, Outgoing, OutsideWindow, Unclear, Undeliverable
from bot.channels.text_fitting import width
from bot.channels.whatsapp import WhatsAppSender
from bot.channels.whatsapp_render import WHATSAPP, Interactive, Text, parts, template_text
from bot.sandbox.twilio_content import content_from
from bot.sandbox.twilio_content import render as fill
from conversations.texts import render
from core.messaging.messages import Document, Link, Message, Option, message, say
from core.upkeep.delivery_reports import Report

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
HELLO = message(say("channel.keys_gone"))
PAY = Link("https://example.com/_a_?b=*c*", say("channel.open_list"))
BUDI = "whatsapp:+6281234567890"


def labels(*names: str) -> tuple[Option, ...]:
    return tuple(Option(name, name) for name in names)


def only(body: Message) -> Any:
    [part] = parts(body, "id")
    return part


# --- what is shown -----------------------------------------------------------------------------


@settings(deadline=None)  # a busy machine is no failure
@given(messages())
def test_any_message_fits_whatsapps_limits(given_message: Message) -> None:
    shown = parts(given_message, "id")
    for part in shown[:-1]:
        assert isinstance(part, Text)
    for part in shown:
        if isinstance(part, Text):
            assert width(part.body) <= (1024 if part.file else 1600)
            assert part.file or part.body.strip()
        else:
            _check_content(part, given_message)
    assert sum(isinstance(part, Text) and part.file for part in shown) == bool(given_message.document)
    if len(given_message.options) > 10:
        assert f"\n{len(given_message.options)}." in "\n".join(part.body for part in shown)


def _check_content(part: Interactive, given_message: Message) -> None:
    """The Content and its variables are valid by the stand-in's rules."""
    filled = fill(content_from("HX1", {"types": part.types, "language": "id"}), json.dumps(part.variables))
    assert width(filled.body) <= 1024
    if not given_message.options:
        assert given_message.link
        assert filled.buttons[0][0].url == given_message.link.url
        return
    if filled.menu:
        chosen = [(item.id, item.title) for item in filled.menu.items]
        assert all(width(item.title) <= 24 and width(item.description or "") <= 72 for item in filled.menu.items)
    else:
        chosen = [(button.data, button.title) for row in filled.buttons for button in row]
        assert len(chosen) <= 3
        assert all(width(title) <= 20 for _, title in chosen)
    assert [tap for tap, _ in chosen] == [given_message.tap(i) for i in range(len(given_message.options))]
    assert len({title for _, title in chosen}) == len(chosen)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("*Budi* _Jaya_", "∗Budi∗ ˍJayaˍ"),  # would be bold and italic
        ("budi_jaya@example.com", "budi_jaya@example.com"),  # inside a word a mark does nothing: still to be copied
        ("2*3 ~500rb~ `x`", "2*3 ∼500rb∼ ˋxˋ"),  # struck out, and code
        ("> kutipan", "› kutipan"),  # a quote's bar
        ("<b>Budi</b>", "<b>Budi</b>"),  # no markup here
        ("محمد 🎉", "محمد 🎉"),  # any script
    ],
)
def test_a_name_is_escaped_for_whatsapp(name: str, shown: str) -> None:
    assert render(name, "id", WHATSAPP) == shown


def test_our_own_bold_is_whatsapps() -> None:
    assert "*Kirim lokasi saya*" in only(message(say("ask.address.telegram"))).body


def test_up_to_three_short_options_are_buttons() -> None:
    part = only(message(say("channel.keys_gone"), options=labels("Ya", "Tidak", "Ganti jam"), prompt=7))
    assert part.types["twilio/quick-reply"]["actions"][2]["type"] == "QUICK_REPLY"
    assert part.variables == {
        "1": "👌", "2": "Ya", "3": "7:0", "4": "Tidak", "5": "7:1", "6": "Ganti jam", "7": "7:2",
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        labels("Ya", "Tidak", "Nanti", "Batal"),  # four
        labels("JBL GT7-96 6x9 inci"[:19] + "xx"),  # one of 21 letters
        (Option("a", "JBL", "sisa 2"),),  # a hint, for which buttons have no room
    ],
)
def test_options_that_do_not_fit_on_buttons_are_a_list(options: tuple[Option, ...]) -> None:
    part = only(message(say("channel.keys_gone"), options=options, prompt=1))
    assert "twilio/list-picker" in part.types
    assert "Lihat pilihan" in part.variables.values()


def test_entries_that_look_the_same_are_numbered() -> None:
    two = labels("Pioneer TS-A6960F 6x9 inci 4 arah", "Pioneer TS-A6960F 6x9 inci 3 arah")
    part = only(message(say("channel.keys_gone"), options=two, prompt=1))
    values = list(part.variables.values())
    assert "1. Pioneer TS-A6960F 6x…" in values
    assert "2. Pioneer TS-A6960F 6x…" in values
    assert "Pioneer TS-A6960F 6x9 inci 3 arah" in values


def test_more_than_ten_options_are_numbered_text() -> None:
    part = only(message(say("channel.keys_gone"), options=labels(*(f"Opsi {i}" for i in range(1, 13))), prompt=1))
    assert "\n1. Opsi 1\n" in part.body
    assert "\n12. Opsi 12\n" in part.body


def test_a_content_is_shared_and_holds_no_texts() -> None:
    one = only(message(say("channel.link", label="Budi"), options=labels("Ya", "Tidak"), prompt=1))
    other = only(message(say("channel.link", label="Siti"), options=labels("A", "B"), prompt=2))
    assert one.name == other.name
    assert "Budi" not in json.dumps(one.types)


def test_a_link_alone_is_a_button() -> None:
    part = only(message(say("channel.keys_gone"), link=PAY))
    [action] = part.types["twilio/call-to-action"]["actions"]
    assert action == {"type": "URL", "title": "Lihat pilihan", "url": "https://example.com/{{2}}"}
    assert part.variables == {"1": "👌", "2": "_a_?b=*c*"}


def test_a_link_beside_options_is_a_line_of_its_own() -> None:
    part = only(message(say("channel.keys_gone"), link=PAY, options=labels("Menu"), prompt=1))
    assert part.body.endswith("\nhttps://example.com/_a_?b=*c*")


def test_a_templates_variable_has_no_line_ends() -> None:
    both = message(say("channel.keys_gone"), say("channel.link", label="a\nb"))
    assert template_text(both, "id") == "👌 👉 a b:"


# --- sending -----------------------------------------------------------------------------------

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Twilio:
    """A Twilio that records its messages; `answers` replaces the usual answers."""

    url: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)
    contents: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    listing_fails: bool = False
    listed: int = 0
    """How often Contents were listed."""
    endless: bool = False
    """Whether each page of messages has another behind it."""

    async def create(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        if self.answers:
            return await self.answers.pop(0)(request)
        return web.json_response(self.keep({**form, "MediaUrl": form.getall("MediaUrl", [])}), status=201)

    def keep(self, fields: dict[str, Any], at: datetime = NOW, status: str = "queued") -> dict[str, Any]:
        body = fields.get("Body", "")
        if "ContentSid" in fields:
            shape = next(each for each in self.contents if each["sid"] == fields["ContentSid"])
            body = fill(content_from(shape["sid"], shape), fields["ContentVariables"]).body
        kept = {"sid": f"SM{len(self.messages)}", "body": body, "status": status}
        kept["date_created"] = format_datetime(at, usegmt=True)
        self.messages.insert(0, fields | kept | {"num_media": str(len(fields.get("MediaUrl", [])))})
        return kept

    async def list(self, request: web.Request) -> web.StreamResponse:
        field = "To" if "To" in request.query else "From"
        self.asked.append(request.query[field])
        if self.endless:
            page = [{"sid": f"SM{number}", "from": BUDI, "body": "halo"} for number in range(1000)]
            return web.json_response({"messages": page, "next_page_uri": request.path_qs})
        found = [each for each in self.messages if each[field] == request.query[field]]
        return web.json_response({"messages": found, "next_page_uri": None})

    async def create_content(self, request: web.Request) -> web.StreamResponse:
        if self.answers:
            return await self.answers.pop(0)(request)
        content = await request.json() | {"sid": f"HX{len(self.contents)}"}
        content_from(content["sid"], content)
        self.contents.append(content)
        return web.json_response(content, status=201)

    async def list_contents(self, _: web.Request) -> web.StreamResponse:
        self.listed += 1
        if self.listing_fails:
            return web.Response(status=503, text="<html>")
        return web.json_response({"contents": self.contents, "meta": {"key": "contents", "next_page_url": None}})


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    twilio = Twilio()
    app = web.Application()
    app.router.add_post("/2010-04-01/Accounts/AC1/Messages.json", twilio.create)
    app.router.add_get("/2010-04-01/Accounts/AC1/Messages.json", twilio.list)
    app.router.add_post("/v1/Content", twilio.create_content)
    app.router.add_get("/v1/Content", twilio.list_contents)
    async with TestServer(app) as server:
        twilio.url = str(server.make_url("")).rstrip("/")
        yield twilio


def make_sender(url: str, **changes: Any) -> WhatsAppSender:
    return WhatsAppSender(
        account_sid="AC1",
        auth_token="secret",
        sender="+6281100000000",
        public_url="https://bengkel.example",
        templates={"reminder": {"id": "HXapproved"}},
        api_url=url,
        content_url=url,
        timeout=timedelta(seconds=0.3),
        **changes,
    )


@pytest.fixture
async def sender(twilio: Twilio) -> AsyncIterator[WhatsAppSender]:
    sender = make_sender(twilio.url)
    yield sender
    await sender.close()


def outgoing(body: Message = HELLO, **changes: Any) -> Outgoing:
    given = {
        "id": 7,
        "key": "k",
        "address": BUDI,
        "language": "id",
        "message": body,
        "kind": "reply",
        "written_at": NOW,
    }
    return Outgoing(**(given | changes))


def refusal(status: int, code: int) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": code, "message": "no", "status": status}, status=status)

    return answer


async def html(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>", status=201)


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.close()
    return web.Response()


async def test_a_text_is_sent_with_a_status_callback(twilio: Twilio, sender: WhatsAppSender) -> None:
    assert await sender.send(outgoing()) == "SM0"
    [sent] = twilio.messages
    assert (sent["From"], sent["To"], sent["Body"]) == ("whatsapp:+6281100000000", BUDI, "👌")
    assert sent["StatusCallback"] == "https://bengkel.example/webhooks/twilio/status?message=7"


async def test_the_status_callback_names_the_last_part(twilio: Twilio, sender: WhatsAppSender) -> None:
    await sender.send(outgoing(message("kata " * 1000)))
    queries = [sent["StatusCallback"].partition("?")[2] for sent in reversed(twilio.messages)]
    assert queries == ["part_of=7"] * (len(queries) - 1) + ["message=7"]
    assert len(queries) > 1


async def test_a_file_is_sent_by_its_url(twilio: Twilio, sender: WhatsAppSender) -> None:
    file = File("invoice.pdf", "application/pdf", b"%PDF", "https://bengkel.example/files/invoice/BK-7?sig=x")
    body = message(say("channel.keys_gone"), document=Document("invoice", "BK-7"))
    await sender.send(outgoing(body, file=file))
    assert (twilio.messages[0]["MediaUrl"], twilio.messages[0]["Body"]) == ([file.url], "👌")


async def test_an_unsupported_file_is_sent_as_a_link(twilio: Twilio, sender: WhatsAppSender) -> None:
    file = File("laporan.csv", "text/csv", b"", "https://bengkel.example/files/report/2026-11.id?sig=x")
    body = message(say("channel.keys_gone"), document=Document("report", "2026-11.id"))
    await sender.send(outgoing(body, file=file))
    [sent] = twilio.messages
    assert not sent.get("MediaUrl")
    assert sent["Body"] == f"👌\n{file.url}"


async def test_a_content_is_reused_after_a_restart(twilio: Twilio, sender: WhatsAppSender) -> None:
    ask = message(say("channel.keys_gone"), options=labels("Ya", "Tidak"), prompt=1)
    await sender.send(outgoing(ask))
    await sender.send(outgoing(ask))
    restarted = make_sender(twilio.url)
    await restarted.send(outgoing(ask))
    await restarted.close()
    assert len(twilio.contents) == 1
    assert {sent["ContentSid"] for sent in twilio.messages} == {"HX0"}


async def test_a_deleted_content_is_made_again(twilio: Twilio, sender: WhatsAppSender) -> None:
    ask = message(say("channel.keys_gone"), options=labels("Ya"), prompt=1)
    await sender.send(outgoing(ask))
    twilio.contents.clear()
    twilio.answers.append(refusal(400, 21655))
    with pytest.raises(NotSent):
        await sender.send(outgoing(ask))
    await sender.send(outgoing(ask, attempts=1, written_at=NOW + timedelta(hours=1)))
    assert len(twilio.contents) == 1
    assert len(twilio.messages) == 2


async def test_a_template_is_used_outside_the_window(twilio: Twilio, sender: WhatsAppSender) -> None:
    twilio.contents.append(
        {"sid": "HXapproved", "language": "id", "types": {"twilio/text": {"body": "Halo Kak, {{1}} Sampai jumpa."}}}
    )
    reminder = message(say("channel.keys_gone"), say("channel.keys_gone"))
    await sender.send(outgoing(reminder, kind="reminder", in_session=False))
    assert twilio.messages[0]["body"] == "Halo Kak, 👌 👌 Sampai jumpa."
    with pytest.raises(OutsideWindow):
        await sender.send(outgoing(kind="reminder", language="en", in_session=False))
    again = outgoing(reminder, kind="reminder", in_session=False, attempts=1)
    assert await sender.send(again) == "SM0"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(429, 20429), NotSent),  # too many requests
        (refusal(400, 63018), NotSent),  # too fast for this number
        (refusal(503, 20503), NotSent),  # rejected, so not sent
        (refusal(401, 20003), NotSent),  # our credentials: they can be corrected in the settings
        (refusal(400, 63016), OutsideWindow),  # the 24 hours ended meanwhile
        (refusal(400, 21617), Undeliverable),  # a retry can't help
        (hang_up, Unclear),  # it may have been accepted
        (html, Unclear),  # a 201 that isn't Twilio's
    ],
)
async def test_vendor_errors_are_translated(
    twilio: Twilio, sender: WhatsAppSender, answer: Answer, expected: type[Exception]
) -> None:
    twilio.answers.append(answer)
    with pytest.raises(expected):
        await sender.send(outgoing())


@pytest.mark.parametrize("status", [429, 503])
async def test_an_error_holds_retry_after(twilio: Twilio, sender: WhatsAppSender, status: int) -> None:
    async def busy(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": 20429}, status=status, headers={"Retry-After": "40"})

    twilio.answers.append(busy)
    with pytest.raises(NotSent) as no:
        await sender.send(outgoing())
    assert no.value.retry_after == timedelta(seconds=40)


async def test_a_refused_connection_means_not_sent() -> None:
    sender = make_sender("http://127.0.0.1:9")
    with pytest.raises(NotSent):
        await sender.send(outgoing())
    await sender.close()


async def test_a_number_without_whatsapp_is_unreachable(twilio: Twilio, sender: WhatsAppSender) -> None:
    twilio.answers.append(refusal(400, 63003))
    with pytest.raises(Undeliverable) as gone:
        await sender.send(outgoing())
    assert gone.value.unreachable


async def test_a_message_that_twilio_has_is_not_sent_again(twilio: Twilio, sender: WhatsAppSender) -> None:
    async def take_and_hang_up(request: web.Request) -> web.StreamResponse:
        twilio.keep(dict(await request.post()))
        return await hang_up(request)

    twilio.answers.append(take_and_hang_up)
    with pytest.raises(Unclear):
        await sender.send(outgoing())
    assert await sender.send(outgoing(attempts=1)) == "SM0"
    assert len(twilio.messages) == 1


async def test_only_the_missing_part_is_sent_again(twilio: Twilio, sender: WhatsAppSender) -> None:
    ask = message(say("channel.link", label="kata " * 300), options=labels("Ya"), prompt=1)
    await sender.send(outgoing(ask))
    lost = twilio.messages.pop(0)
    await sender.send(outgoing(ask, attempts=1))
    assert len(twilio.messages) == 2
    assert twilio.messages[0]["body"] == lost["body"]


async def test_a_retry_sends_only_the_parts_left(twilio: Twilio, sender: WhatsAppSender) -> None:
    ask = message(say("channel.link", label="kata " * 300), options=labels("Ya"), prompt=1)

    async def take(request: web.Request) -> web.StreamResponse:
        return web.json_response(twilio.keep(dict(await request.post())), status=201)

    await sender.send(outgoing(message(say("channel.keys_gone"), options=labels("Ya"), prompt=1)))  # makes the Content
    twilio.messages.clear()
    twilio.answers += [take, refusal(429, 20429)]
    with pytest.raises(NotSent) as no:
        await sender.send(outgoing(ask))
    assert no.value.parts_left == 1
    await sender.send(outgoing(ask, attempts=1, parts_left=1))
    assert [bool(sent.get("ContentSid")) for sent in twilio.messages] == [True, False]


async def test_another_message_with_the_same_text_is_ignored(twilio: Twilio, sender: WhatsAppSender) -> None:
    twilio.keep({"To": BUDI, "Body": "👌"}, at=NOW)
    await sender.send(outgoing(attempts=1, others=["SM0"]))
    assert len(twilio.messages) == 2


@pytest.mark.parametrize("status", ["failed", "undelivered"])
async def test_an_undelivered_message_is_sent_again(twilio: Twilio, sender: WhatsAppSender, status: str) -> None:
    twilio.keep({"To": BUDI, "Body": "👌"}, at=NOW, status=status)
    await sender.send(outgoing(attempts=1))
    assert len(twilio.messages) == 2


async def test_a_file_without_text_is_sent_again(twilio: Twilio, sender: WhatsAppSender) -> None:
    ask = message(say("channel.keys_gone"), options=labels("Ya"), prompt=1, document=Document("photo", "1"))
    file = File("1.jpg", "image/jpeg", b"", "https://bengkel.example/files/photo/1?sig=x")
    twilio.keep({"To": BUDI, "Body": "", "MediaUrl": [file.url]}, at=NOW)
    await sender.send(outgoing(ask, attempts=1, file=file))
    assert len(twilio.messages) == 3


async def test_the_lookup_allows_for_clock_skew(twilio: Twilio, sender: WhatsAppSender) -> None:
    twilio.keep({"To": BUDI, "Body": "👌"}, at=NOW - timedelta(seconds=30))
    assert await sender.send(outgoing(attempts=1)) == "SM0"


async def test_an_earlier_message_with_the_same_text_is_ignored(twilio: Twilio, sender: WhatsAppSender) -> None:
    twilio.keep({"To": BUDI, "Body": "👌"}, at=NOW - timedelta(minutes=5))
    await sender.send(outgoing(attempts=1))
    assert len(twilio.messages) == 2


async def test_missed_messages_are_fetched_oldest_first(twilio: Twilio, sender: WhatsAppSender) -> None:
    for sid, address, words in (
        ("SM8", BUDI, "besok jam 10"),
        ("SM9", "whatsapp:ID.77", "halo"),
        ("SM10", "+62811", "SMS"),
    ):
        twilio.messages.insert(0, {"sid": sid, "from": address, "To": "whatsapp:+6281100000000", "body": words})
    first, second = await sender.missed(NOW - timedelta(hours=1))
    assert (first.event_id, first.address, first.text, first.phone) == ("SM8", BUDI, "besok jam 10", "+6281234567890")
    assert (second.event_id, second.phone) == ("SM9", None)


async def test_missed_failures_are_fetched(twilio: Twilio, sender: WhatsAppSender) -> None:
    ours = {"To": BUDI, "From": "whatsapp:+6281100000000", "Body": "Invoice"}
    for status, code in (("failed", 63019), ("read", None), ("undelivered", 63003), ("queued", None)):
        twilio.keep(ours | {"error_code": code}, status=status)
    assert await sender.failures(NOW - timedelta(hours=1)) == [
        Report("SM2", "undelivered", "63003"),
        Report("SM0", "failed", "63019"),
    ]
    assert twilio.asked == ["whatsapp:+6281100000000"]


async def test_fetching_failures_raises_while_twilio_is_away(twilio: Twilio) -> None:
    sender = make_sender("http://127.0.0.1:1")
    with pytest.raises(NotSent):
        await sender.failures(NOW)
    await sender.close()


async def test_a_first_attempt_looks_nothing_up(twilio: Twilio, sender: WhatsAppSender) -> None:
    await sender.send(outgoing())
    assert twilio.asked == []


async def test_without_contents_options_go_out_as_numbered_text(twilio: Twilio) -> None:
    """Contents that can't be listed or made cost the buttons, never the message; they are asked for again later."""
    ask = message(say("channel.keys_gone"), options=labels("Ya", "Tidak"), link=PAY, prompt=1)
    twilio.listing_fails = True
    sender = make_sender(twilio.url)
    await sender.send(outgoing(ask))
    await sender.send(outgoing(ask))
    await sender.close()
    assert [sent.get("ContentSid") for sent in twilio.messages] == [None, None]
    assert all(part in twilio.messages[0]["Body"] for part in ("👌", PAY.url, "1. Ya", "2. Tidak"))
    assert twilio.listed == 1, "Contents aren't asked for again at once"


async def test_contents_are_used_again_once_twilio_has_them(twilio: Twilio) -> None:
    ask = message(say("channel.keys_gone"), options=labels("Ya", "Tidak"), prompt=1)
    sender = make_sender(twilio.url, without_contents=timedelta())
    twilio.listing_fails = True
    await sender.send(outgoing(ask))
    twilio.listing_fails = False
    twilio.answers.append(refusal(429, 20429))  # a Content can't be made
    await sender.send(outgoing(ask))
    await sender.send(outgoing(ask))
    await sender.close()
    assert [sent.get("ContentSid") for sent in reversed(twilio.messages)] == [None, None, "HX0"]


async def test_a_listing_of_messages_ends(twilio: Twilio, sender: WhatsAppSender) -> None:
    twilio.endless = True
    assert len(await sender.missed(NOW - timedelta(days=1), NOW)) == 5000
    assert len(twilio.asked) == 5
