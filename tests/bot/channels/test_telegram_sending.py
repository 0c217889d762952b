"""Rendering and sending for Telegram, and how its errors are translated; the Bot API is a small server here."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from any_message import messages
from hypothesis import given, settings
from telegram import InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove

from bot.channels.sending import File, NotSent, Outgoing, Unclear, Undeliverable
from bot.channels.telegram import TelegramSender, make_bot
from bot.channels.telegram_polling import backoff, poll
from bot.channels.telegram_render import HTML, parts
from bot.channels.text_fitting import width
from bot.sandbox.markup import telegram_html
from conversations.incoming import Incoming
from conversations.texts import render
from core.messaging.messages import Document, Link, Message, Option, message, say

TOKEN = "7000:test"
WRITTEN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def labels(*names: str) -> tuple[Option, ...]:
    return tuple(Option(name, name) for name in names)


# --- what is shown -----------------------------------------------------------------------------


@settings(deadline=None)  # a busy machine is no failure
@given(messages(most_options=120))
def test_any_message_fits_telegrams_limits(given_message: Message) -> None:
    for keys_open in (False, True):
        shown = parts(given_message, "id", keys_open=keys_open)
        for part in shown:
            assert width(telegram_html(part.text).text) <= (1024 if part.document else 4096)
            assert part.document or part.text.strip()
        assert sum(part.document for part in shown) == bool(given_message.document)
        _check_options(given_message, shown[-1].keyboard, "\n".join(part.text for part in shown))


def _check_options(given_message: Message, keyboard: object, text: str) -> None:
    count = len(given_message.options)
    if count > 100:
        assert f"\n{count}." in text
        return
    if isinstance(keyboard, ReplyKeyboardMarkup):
        reachable = [key.text for row in keyboard.keyboard for key in row][1:]
    else:
        rows = keyboard.inline_keyboard if isinstance(keyboard, InlineKeyboardMarkup) else ()
        taps = [button for row in rows for button in row if button.callback_data]
        assert [tap.callback_data for tap in taps] == [given_message.tap(i) for i in range(count)]
        assert all(len(str(tap.callback_data).encode()) <= 64 for tap in taps)
        reachable = [tap.text for tap in taps]
    assert len(set(reachable)) == count
    assert all(title.strip() for title in reachable)


def test_a_name_is_escaped_for_telegram() -> None:
    [part] = parts(message(say("channel.link", label="<b>Budi</b> & Co *x* \u202e")), "id")
    assert part.text == "👉 &lt;b&gt;Budi&lt;/b&gt; &amp; Co *x* :"


def test_our_own_bold_stays_bold() -> None:
    assert "<b>Kirim lokasi saya</b>" in render(say("ask.address.telegram"), "id", HTML)


def test_only_short_options_share_a_row() -> None:
    keyboard = parts(
        message(
            say("channel.keys_gone"),
            options=labels(
                "09:00 (2/3)", "10:00 (1/3)", "11:00 (0/3)", "13:00", "JBL GT7-96 6x9 inci — Rp850.000", "Ya"
            ),
            prompt=4,
        ),
        "id",
    )[0].keyboard
    assert isinstance(keyboard, InlineKeyboardMarkup)
    assert [[button.text for button in row] for row in keyboard.inline_keyboard] == [
        ["09:00 (2/3)", "10:00 (1/3)", "11:00 (0/3)"],
        ["13:00"],
        ["JBL GT7-96 6x9 inci — Rp850.000"],
        ["Ya"],
    ]


def test_options_with_the_same_label_are_numbered() -> None:
    keyboard = parts(message(say("channel.keys_gone"), options=labels("Rian", "Rian"), prompt=1), "id")[0].keyboard
    assert isinstance(keyboard, InlineKeyboardMarkup)
    assert [button.text for row in keyboard.inline_keyboard for button in row] == ["1. Rian", "2. Rian"]


def test_a_hint_is_on_its_button() -> None:
    [part] = parts(message(say("channel.keys_gone"), options=(Option("a", "JBL", "sisa 2"),), prompt=1), "id")
    assert isinstance(part.keyboard, InlineKeyboardMarkup)
    assert [button.text for row in part.keyboard.inline_keyboard for button in row] == ["JBL · sisa 2"]
    assert "sisa 2" not in part.text


def test_a_contact_request_has_options_as_plain_keys() -> None:
    link = Link("https://example.com/?a=1&b=2", say("channel.open_list"))
    [part] = parts(message(say("channel.keys_gone"), options=labels("Lewati"), wants="contact", link=link), "id")
    assert isinstance(part.keyboard, ReplyKeyboardMarkup)
    [[asked], [skip]] = part.keyboard.keyboard
    assert (asked.request_contact, skip.text) == (True, "Lewati")
    assert "https://example.com/?a=1&amp;b=2" in part.text


def test_an_open_reply_keyboard_is_removed_first() -> None:
    asked = message(say("channel.keys_gone"), options=labels("Ya"), prompt=2)
    first, second = parts(asked, "id", keys_open=True)
    assert isinstance(first.keyboard, ReplyKeyboardRemove)
    assert isinstance(second.keyboard, InlineKeyboardMarkup)
    assert len(parts(asked, "id")) == 1


def test_a_long_caption_is_sent_before_the_document() -> None:
    invoice = Document("invoice", "BK-7")
    [short] = parts(message(say("channel.keys_gone"), document=invoice), "id")
    assert (short.document, short.text) == (True, "👌")
    long, file = parts(message(say("channel.link", label="x" * 1100), document=invoice), "id")
    assert (long.document, file.document, file.text) == (False, True, "")


# --- sending -----------------------------------------------------------------------------------

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class BotApi:
    """A Bot API that records its calls; `answers` replaces the usual answers."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.StreamResponse:
        fields = dict(await request.post())
        self.calls.append((request.match_info["method"], fields))
        if self.answers:
            return await self.answers.pop(0)(request)
        sent = {"message_id": 40 + len(self.calls), "date": 1, "chat": {"id": 5, "type": "private"}, "text": "x"}
        kind = request.match_info["method"]
        return web.json_response({"ok": True, "result": sent if kind.startswith("send") else True})

    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    api = BotApi()
    app = web.Application()
    app.router.add_post("/bot" + TOKEN + "/{method}", api.take)
    async with TestServer(app) as server:
        api.url = str(server.make_url("")).rstrip("/")
        yield api


@pytest.fixture
async def sender(api: BotApi) -> AsyncIterator[TelegramSender]:
    sender = TelegramSender(make_bot(TOKEN, api.url, timeout=timedelta(seconds=0.3)))
    yield sender
    await sender.close()


def refusal(status: int, description: str, **parameters: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        body = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
        return web.json_response(body, status=status)

    return answer


def page(status: int, words: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=f"<html><h1>{words}</h1></html>", content_type="text/html")

    return answer


async def never(request: web.Request) -> web.StreamResponse:
    assert request.transport
    while not request.transport.is_closing():  # noqa: ASYNC110 the caller gives up
        await asyncio.sleep(0)
    return web.Response()


async def hang_up(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.close()
    return web.Response()


async def html(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>", content_type="text/html")


def outgoing(body: Message, **changes: Any) -> Outgoing:
    return Outgoing(
        **(
            {
                "id": 7,
                "key": "k",
                "address": "5",
                "language": "id",
                "message": body,
                "kind": "reply",
                "written_at": WRITTEN,
            }
            | changes
        )
    )


HELLO = message(say("channel.keys_gone"))


async def test_a_message_is_sent_as_html_and_returns_its_id(api: BotApi, sender: TelegramSender) -> None:
    assert await sender.send(outgoing(HELLO)) == "41"
    [(method, fields)] = api.calls
    assert (method, fields["chat_id"], fields["text"], fields["parse_mode"]) == ("sendMessage", "5", "👌", "HTML")


async def test_a_document_is_uploaded_with_name_and_caption(api: BotApi, sender: TelegramSender) -> None:
    file = File("invoice-BK-7.pdf", "application/pdf", b"%PDF-1.7", "https://example.com/f")
    await sender.send(outgoing(message(say("channel.keys_gone"), document=Document("invoice", "BK-7")), file=file))
    [(method, fields)] = api.calls
    upload = next(value for value in fields.values() if isinstance(value, web.FileField))
    assert (method, fields["caption"], upload.filename) == ("sendDocument", "👌", "invoice-BK-7.pdf")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(429, "Too Many Requests: retry after 7", retry_after=7), NotSent),  # has to wait
        (refusal(403, "Forbidden: bot was blocked by the user"), Undeliverable),  # the chat is closed
        (refusal(400, "Bad Request: message is too long"), Undeliverable),  # a retry can't help
        (refusal(401, "Unauthorized"), NotSent),  # our token: it can be corrected in the settings
        (refusal(502, "Bad Gateway"), NotSent),  # rejected, so not sent
        (refusal(500, "Internal Server Error"), NotSent),  # the same: retried while it lasts
        (page(504, "504 Gateway Time-out"), NotSent),  # the same, said by a proxy
        (never, Unclear),  # it may have been accepted
        (hang_up, Unclear),  # the same
        (html, Unclear),  # a 200 that isn't Telegram's
    ],
)
async def test_vendor_errors_are_translated(
    api: BotApi, sender: TelegramSender, answer: Answer, expected: type[Exception]
) -> None:
    api.answers.append(answer)
    with pytest.raises(expected):
        await sender.send(outgoing(HELLO))


async def test_errors_hold_retry_after_and_unreachable(api: BotApi, sender: TelegramSender) -> None:
    api.answers.append(refusal(429, "Too Many Requests", retry_after=7))
    with pytest.raises(NotSent) as wait:
        await sender.send(outgoing(HELLO))
    assert wait.value.retry_after == timedelta(seconds=7)
    api.answers.append(refusal(403, "Forbidden: bot was blocked by the user"))
    with pytest.raises(Undeliverable) as gone:
        await sender.send(outgoing(HELLO))
    assert gone.value.unreachable


async def test_a_retry_needs_a_telegram_that_answers(api: BotApi, sender: TelegramSender) -> None:
    """An unclear message is repeated a few times: an outage must not use them up."""
    api.answers.append(never)
    with pytest.raises(NotSent):
        await sender.send(outgoing(HELLO, attempts=1))
    assert api.methods() == ["getMe"]


async def test_a_refused_connection_means_not_sent() -> None:
    sender = TelegramSender(make_bot(TOKEN, "http://127.0.0.1:9"))
    with pytest.raises(NotSent):
        await sender.send(outgoing(HELLO))
    await sender.close()


@pytest.mark.parametrize(("language", "mark"), [("id", "(kirim ulang)"), ("en", "(sent again)")])
def test_a_message_that_may_have_arrived_says_so(language: str, mark: str) -> None:
    hello, again = parts(HELLO, language)[0].text, parts(HELLO, language, again=True)[0].text
    assert again == f"{mark}\n{hello}"


def test_the_mark_never_makes_another_part() -> None:
    long = message(say("channel.link", label="kata " * 1500))
    assert len(parts(long, "id", again=True)) == len(parts(long, "id"))


def test_the_part_that_may_have_arrived_says_so() -> None:
    long = message(say("channel.link", label="kata " * 1500))
    first, second = parts(long, "id", again=True, left=1)
    assert ("(kirim ulang)" in first.text, second.text.startswith("(kirim ulang)\n")) == (False, True)
    paper = replace(long, document=Document("invoice", "BK-1"))
    assert parts(paper, "id", again=True, left=1)[-1].text.startswith("(kirim ulang)")
    assert len(parts(paper, "id", again=True, left=1)) == len(parts(paper, "id"))


async def test_a_retry_sends_only_the_parts_left(api: BotApi, sender: TelegramSender) -> None:
    long = message(say("channel.link", label="kata " * 1500))

    async def fine(_: web.Request) -> web.StreamResponse:
        sent = {"message_id": 1, "date": 1, "chat": {"id": 5, "type": "private"}}
        return web.json_response({"ok": True, "result": sent})

    api.answers += [fine, refusal(502, "Bad Gateway")]
    with pytest.raises(NotSent) as no:
        await sender.send(outgoing(long))
    assert no.value.parts_left == 1
    elsewhere = TelegramSender(make_bot(TOKEN, api.url))  # in another process, or after a restart
    await elsewhere.send(outgoing(long, parts_left=no.value.parts_left))
    await elsewhere.close()
    first, second, again = (fields["text"] for _, fields in api.calls)
    assert second == again != first


async def test_parts_left_survive_a_failed_connection_check(api: BotApi, sender: TelegramSender) -> None:
    api.answers.append(never)
    with pytest.raises(NotSent) as no:
        await sender.send(outgoing(HELLO, attempts=1, parts_left=1))
    assert no.value.parts_left == 1


async def test_buttons_remove_the_reply_keyboard_once(api: BotApi, sender: TelegramSender) -> None:
    ask = message(say("channel.keys_gone"), wants="contact")
    buttons = message(say("channel.keys_gone"), options=labels("Ya"), prompt=1)
    for body in (ask, buttons, buttons):
        await sender.send(outgoing(body))
    keyboards = [next(iter(json.loads(fields["reply_markup"]))) for _, fields in api.calls]
    assert keyboards == ["keyboard", "remove_keyboard", "inline_keyboard", "inline_keyboard"]


async def test_a_tap_that_is_too_old_is_no_error(api: BotApi, sender: TelegramSender) -> None:
    api.answers.append(refusal(400, "Bad Request: query is too old and response timeout expired"))
    sender.answer("q1")
    await sender.close()
    assert api.methods() == ["answerCallbackQuery"]


async def test_announce_sets_commands_and_webhook(api: BotApi, sender: TelegramSender) -> None:
    await sender.announce({"menu": say("channel.open_list")}, ("https://x.example/webhooks/telegram", "s3cret"))
    assert api.methods() == ["setMyCommands", "setMyCommands", "setWebhook"]
    assert [fields.get("language_code") for _, fields in api.calls] == [None, "en", None]
    assert api.calls[2][1]["secret_token"] == "s3cret"


# --- polling -----------------------------------------------------------------------------------


def updates(*ids: int) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        user = {"id": 5, "is_bot": False, "first_name": "Budi"}
        chat = {"id": 5, "type": "private"}
        found = [
            {"update_id": i, "message": {"message_id": i, "date": 1, "chat": chat, "from": user, "text": str(i)}}
            for i in ids
        ]
        return web.json_response({"ok": True, "result": found})

    return answer


class Enough(Exception):
    pass


async def test_an_update_is_confirmed_after_its_commit(api: BotApi) -> None:
    """The database is away at update 11: that one is fetched again, and 10 isn't."""
    taken: list[str] = []

    async def take(incoming: Incoming) -> None:
        taken.append(incoming.event_id)
        if taken == ["10", "11"]:
            raise ConnectionRefusedError
        if incoming.event_id == "12":
            raise Enough

    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    api.answers += [updates(10, 11), updates(11, 12)]
    sender = TelegramSender(make_bot(TOKEN, api.url))
    with pytest.raises(Enough):
        await poll(sender.bot, take=take, answer=sender.answer, pause=pause)
    await sender.close()
    assert taken == ["10", "11", "11", "12"]
    assert [fields["offset"] for _, fields in api.calls] == ["0", "11"]
    assert pauses == [1]


async def test_polling_waits_longer_while_another_server_polls(api: BotApi) -> None:
    api.answers += [refusal(409, "Conflict: terminated by other getUpdates request")] * 3
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise Enough

    sender = TelegramSender(make_bot(TOKEN, api.url))
    with pytest.raises(Enough):
        await poll(sender.bot, take=_nothing, answer=sender.answer, pause=pause)
    await sender.close()
    assert pauses == [1, 2, 4]


async def _nothing(_: Incoming) -> None:
    raise AssertionError


def test_backoff_is_at_most_a_minute() -> None:
    assert backoff(0) == timedelta(seconds=1)
    assert backoff(1000) == timedelta(minutes=1)
