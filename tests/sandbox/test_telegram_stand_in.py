"""The Telegram stand-in works with an unchanged python-telegram-bot."""

import io
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from listener import Clock, Shop
from PIL import Image
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
)
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut
from telegram.request import HTTPXRequest

from bot.sandbox.markup import telegram_html
from bot.sandbox.phones import ActionImpossible, Person
from bot.sandbox.server import Credentials, ProductionCredentials, StandIns, refuse_production
from bot.sandbox.telegram_chats import RateLimit

BUDI = 5_123_456_789
NO_CERTIFICATES = {"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
"""Reading the certificates takes 0.1 s for each bot, and the stand-in speaks HTTP without TLS."""


def bot_at(vendors: StandIns, token: str = Credentials().telegram_token) -> Bot:
    return Bot(
        token,
        base_url=f"{vendors.url}/bot",
        base_file_url=f"{vendors.url}/file/bot",
        request=HTTPXRequest(connection_pool_size=256, httpx_kwargs=NO_CERTIFICATES),
        get_updates_request=HTTPXRequest(httpx_kwargs=NO_CERTIFICATES),
    )


@pytest.fixture
async def bot(vendors: StandIns) -> AsyncIterator[Bot]:
    bot = bot_at(vendors)
    async with bot:
        yield bot


@pytest.fixture
def budi(vendors: StandIns) -> Person:
    return vendors.world.telegram.person(BUDI, "Budi", phone="+6281234567890")


@pytest.fixture
async def hooked(bot: Bot, shop: Shop) -> Shop:
    await bot.set_webhook(f"{shop.url}/webhooks/telegram", secret_token="s3cret")
    return shop


async def test_a_wrong_token_is_unauthorized(vendors: StandIns) -> None:
    with pytest.raises(InvalidToken):
        await bot_at(vendors, "0000000000:SANDBOX-other").get_me()


async def test_a_typed_message_reaches_the_webhook(hooked: Shop, budi: Person) -> None:
    assert await budi.type("halo") == 200

    update = Update.de_json(hooked.updates[0], None)
    assert update.message.text == "halo"
    assert update.effective_user.language_code == "id"
    assert hooked.calls[0].headers["X-Telegram-Bot-Api-Secret-Token"] == "s3cret"


async def test_an_update_is_retried_until_it_succeeds(vendors: StandIns, hooked: Shop, budi: Person) -> None:
    vendors.world.telegram.retry_delays = (0.01,)
    hooked.answers = [500, 503]

    assert await budi.type("halo") == 500
    await vendors.world.hub.wait_idle()

    assert [update["update_id"] for update in hooked.updates] == [hooked.updates[0]["update_id"]] * 3
    assert vendors.world.telegram.pending == {}


async def test_a_tap_reaches_the_bot(bot: Bot, hooked: Shop, budi: Person) -> None:
    buttons = InlineKeyboardMarkup([[InlineKeyboardButton("Speaker", callback_data="1:0")]])
    await bot.send_message(BUDI, "Pilih <b>kategori</b>", parse_mode="HTML", reply_markup=buttons)
    shown = await budi.next_reply()
    assert (shown.text, shown.html) == ("Pilih kategori", "Pilih <b>kategori</b>")

    await budi.tap("Speaker")

    query = Update.de_json(hooked.updates[-1], bot).callback_query
    assert (query.data, query.message.message_id) == ("1:0", int(shown.id))
    assert await query.answer()


async def test_a_button_from_before_an_edit_can_be_tapped(bot: Bot, hooked: Shop, budi: Person) -> None:
    buttons = InlineKeyboardMarkup([[InlineKeyboardButton("Speaker", callback_data="1:0")]])
    sent = await bot.send_message(BUDI, "Pilih", reply_markup=buttons)
    before = budi.last()
    await bot.edit_message_reply_markup(BUDI, sent.message_id)

    with pytest.raises(ActionImpossible):
        await budi.tap("Speaker")
    assert await budi.tap("Speaker", before) == 200


async def test_a_callback_query_expires(bot: Bot, hooked: Shop, budi: Person, clock: Clock) -> None:
    buttons = InlineKeyboardMarkup([[InlineKeyboardButton("Ya", callback_data="1:0")]])
    await bot.send_message(BUDI, "Benar?", reply_markup=buttons)
    await budi.tap("Ya")
    clock.move(timedelta(seconds=151))
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_callback_query(hooked.updates[-1]["callback_query"]["id"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Message text is empty"),
        (" \n ", "Message text is empty"),
        ("a" * 4097, "Message is too long"),
        ("😀" * 2049, "Message is too long"),  # Telegram counts UTF-16 units
        ("<u></u>", "Message text is empty"),
        ("harga < 5 juta", 'Unsupported start tag "" at byte offset 6'),
        ("<script>x</script>", 'Unsupported start tag "script" at byte offset 0'),
        ("é<b>x</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("x <b", "Unclosed start tag at byte offset 2"),
    ],
)
async def test_invalid_texts_are_refused(bot: Bot, budi: Person, text: str, reason: str) -> None:
    with pytest.raises(BadRequest) as refused:
        await bot.send_message(BUDI, text, parse_mode="HTML")
    assert reason.lower() in str(refused.value).lower()  # the library changes the case
    assert budi.bubbles == []


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"callback_data": "x" * 65}, "Button_data_invalid"),
        ({"callback_data": "é" * 33}, "Button_data_invalid"),  # 66 bytes
        ({"callback_data": ""}, "Button_data_invalid"),
        ({}, "text buttons are unallowed"),
        ({"url": "bayar"}, "wrong http url"),
    ],
)
async def test_invalid_buttons_are_refused(bot: Bot, budi: Person, button: dict[str, str], reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        await bot.send_message(BUDI, "x", reply_markup={"inline_keyboard": [[{"text": "x"} | button]]})


@pytest.mark.parametrize("markup", [{"inline_keyboard": [{"text": "x"}]}, {"buttons": []}, []])
async def test_malformed_markup_is_refused(bot: Bot, budi: Person, markup: object) -> None:
    with pytest.raises(BadRequest):
        await bot.send_message(BUDI, "x", reply_markup=markup)


async def test_more_than_a_hundred_buttons_are_refused(bot: Bot, budi: Person) -> None:
    rows = [[InlineKeyboardButton(str(n), callback_data=str(n))] for n in range(101)]
    with pytest.raises(BadRequest, match="Reply markup is too long"):
        await bot.send_message(BUDI, "x", reply_markup=InlineKeyboardMarkup(rows))


async def test_the_bot_cant_start_a_conversation(bot: Bot, vendors: StandIns) -> None:
    vendors.world.telegram.person(42, "Orang Baru", started=False)
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(42, "halo")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(43, "halo")


async def test_a_block_is_reported_and_can_be_undone(bot: Bot, hooked: Shop, budi: Person) -> None:
    await budi.block()
    assert Update.de_json(hooked.updates[-1], bot).my_chat_member.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(BUDI, "halo")
    with pytest.raises(ActionImpossible):
        await budi.type("halo")

    await budi.unblock()
    await bot.send_message(BUDI, "halo lagi")


async def test_only_ones_own_contact_has_a_user_id(hooked: Shop, budi: Person) -> None:
    await budi.share_contact()
    await budi.share_contact("+6281300000000", own=False)
    own, other = (update["message"]["contact"] for update in hooked.updates)
    assert (own["user_id"], own["phone_number"]) == (BUDI, "6281234567890")
    assert "user_id" not in other


async def test_a_reply_keyboard_is_shown_and_removed(bot: Bot, hooked: Shop, budi: Person) -> None:
    keyboard = ReplyKeyboardMarkup([[KeyboardButton("Kirim nomor", request_contact=True)], ["Lewati"]])
    await bot.send_message(BUDI, "Nomor?", reply_markup=keyboard)
    await budi.tap("Kirim nomor")
    assert "contact" in hooked.updates[-1]["message"]
    await budi.tap("Lewati")
    assert hooked.updates[-1]["message"]["text"] == "Lewati"

    await bot.send_message(BUDI, "Baik", reply_markup=ReplyKeyboardRemove())
    with pytest.raises(ActionImpossible):
        await budi.tap("Lewati")


async def test_a_location_has_its_address(hooked: Shop, budi: Person) -> None:
    await budi.share_location(-6.29, 106.79, "Jl. Fatmawati 21")
    message = Update.de_json(hooked.updates[-1], None).message
    assert (message.location.latitude, message.venue.address) == (-6.29, "Jl. Fatmawati 21")


async def test_a_photo_can_be_downloaded(bot: Bot, hooked: Shop, budi: Person) -> None:
    picture = png()
    await budi.send_photo(picture, "image/png")
    [size] = Update.de_json(hooked.updates[-1], bot).message.photo
    assert (size.width, size.height) == (3, 2)
    file = await bot.get_file(size.file_id)
    assert bytes(await file.download_as_bytearray()) == picture


async def test_an_edit_without_changes_is_refused(bot: Bot, budi: Person) -> None:
    sent = await bot.send_message(BUDI, "satu")
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_text("satu", BUDI, sent.message_id)

    await bot.edit_message_text("dua", BUDI, sent.message_id)
    assert (budi.last().text, budi.last().edited) == ("dua", True)


async def test_a_deleted_message_cant_be_edited_or_deleted(bot: Bot, budi: Person) -> None:
    sent = await bot.send_message(BUDI, "satu")
    assert await bot.delete_message(BUDI, sent.message_id)
    assert budi.bubbles == []
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("dua", BUDI, sent.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(BUDI, sent.message_id)


async def test_a_document_arrives_with_its_name(bot: Bot, budi: Person) -> None:
    sent = await bot.send_document(
        BUDI, InputFile(b"%PDF-1.7", "INV-1.pdf"), caption="<i>Faktur</i>", parse_mode="HTML"
    )
    assert sent.document.file_name == "INV-1.pdf"
    assert budi.last().to_json()["document"] == {
        "name": "INV-1.pdf", "url": budi.last().media.url, "type": "application/pdf", "size": 8,
    }  # fmt: skip
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_document(BUDI, b"%PDF", caption="a" * 1025)
    with pytest.raises(BadRequest, match="must be non-empty"):
        await bot.send_document(BUDI, InputFile(b"", "kosong.pdf"))


async def test_files_are_downloaded_from_links(bot: Bot, shop: Shop, budi: Person) -> None:
    shop.files = {"a.png": ("image/png", png()), "a.pdf": ("application/pdf", b"%PDF"), "a.txt": ("text/plain", b"x")}
    await bot.send_photo(BUDI, f"{shop.url}/files/a.png")
    await bot.send_document(BUDI, f"{shop.url}/files/a.pdf")
    assert [bubble.kind for bubble in budi.bubbles] == ["photo", "document"]
    with pytest.raises(BadRequest, match="Wrong type of the web page content"):
        await bot.send_document(BUDI, f"{shop.url}/files/a.txt")
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await bot.send_photo(BUDI, b"no picture")


async def test_polling_confirms_updates_by_offset(bot: Bot, vendors: StandIns, budi: Person) -> None:
    await budi.type("satu")
    vendors.world.telegram.next_update_id += 1000
    await budi.type("dua")

    first, second = await bot.get_updates()
    assert second.update_id > first.update_id + 1000
    assert [update.message.text for update in await bot.get_updates()] == ["satu", "dua"]
    assert [update.message.text for update in await bot.get_updates(offset=first.update_id + 1)] == ["dua"]
    assert await bot.get_updates(offset=second.update_id + 1) == ()


async def test_polling_and_a_webhook_exclude_each_other(bot: Bot, hooked: Shop, budi: Person) -> None:
    with pytest.raises(Conflict):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await budi.type("halo") is None
    assert len(await bot.get_updates()) == 1


async def test_pending_updates_go_to_a_new_webhook(bot: Bot, vendors: StandIns, shop: Shop, budi: Person) -> None:
    await budi.type("halo")
    assert (await bot.get_webhook_info()).pending_update_count == 1
    await bot.set_webhook(f"{shop.url}/webhooks/telegram")
    await vendors.world.hub.wait_idle()
    assert len(shop.updates) == 1


@pytest.mark.parametrize(
    ("url", "secret", "reason"),
    [
        ("http://bengkel.example/hook", "ok", "an https url must be provided"),
        ("https://bengkel.example/hook", "tidak boleh", "unallowed characters"),
        ("https://bengkel.example/hook", "a" * 257, "too long"),
    ],
)
async def test_invalid_webhooks_are_refused(bot: Bot, url: str, secret: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        await bot.set_webhook(url, secret_token=secret)


async def test_invalid_command_names_are_refused(bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("pesan", "Buat pesanan")], language_code="id")
    assert [command.command for command in await bot.get_my_commands(language_code="id")] == ["pesan"]
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([BotCommand("Pesan!", "x")])


async def test_a_chat_has_a_rate_limit(
    bot: Bot, vendors: StandIns, budi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    vendors.world.telegram.rate_limit = RateLimit(burst=2)
    await bot.send_message(BUDI, "1")
    await bot.send_message(BUDI, "2")
    with pytest.raises(RetryAfter):
        await bot.send_message(BUDI, "3")


async def test_simulated_faults(bot: Bot, vendors: StandIns, budi: Person) -> None:
    vendors.world.bot_api.faults.fail(502)
    with pytest.raises(NetworkError):
        await bot.send_message(BUDI, "tidak sampai")
    assert budi.bubbles == []

    vendors.world.bot_api.faults.drop_responses()
    with pytest.raises((NetworkError, TimedOut)):
        await bot.send_message(BUDI, "sampai")
    assert budi.last().text == "sampai"


async def test_an_update_can_be_delivered_ten_times_at_once(hooked: Shop, budi: Person) -> None:
    await budi.type("halo", times=10)
    assert len({update["update_id"] for update in hooked.updates}) == 1
    assert len(hooked.updates) == 10


async def test_release_delivers_held_updates(vendors: StandIns, hooked: Shop, budi: Person) -> None:
    vendors.world.telegram.hold()
    assert await budi.type("satu") is None
    assert await budi.type("dua") is None
    assert hooked.updates == []
    assert await vendors.world.telegram.release() == [200, 200]
    assert len(hooked.updates) == 2


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("a &lt;b&gt; &amp; &#39;c&#39;", "a &lt;b&gt; &amp; &#x27;c&#x27;"),
        ('<a href="javascript:alert(1)">x</a>', '<a href="" target="_blank" rel="noopener">x</a>'),
        ("<span class='tg-spoiler'>x</span>", '<span class="spoiler">x</span>'),
        ("<strong><i>x</i></strong>", "<b><i>x</i></b>"),
    ],
)
def test_telegram_html_is_shown_as_safe_html(source: str, shown: str) -> None:
    assert telegram_html(source).html == shown


@pytest.mark.parametrize(
    "real",
    [
        Credentials(telegram_token="7012345678:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"),
        Credentials(twilio_sid="AC5ef8732a3c49700934481addd5ce1659"),
        Credentials(midtrans_server_key="Mid-server-abc"),
    ],
)
def test_production_credentials_are_refused(real: Credentials) -> None:
    with pytest.raises(ProductionCredentials, match="could be a real one"):
        refuse_production(real)


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2)).save(buffer, "PNG")
    return buffer.getvalue()
