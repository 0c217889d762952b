"""The demo's page in a real browser, operated by clicks and keys."""

import io
import re

import pytest
from playwright.async_api import Locator, Page, expect
from pypdf import PdfReader
from waiting import HANG

from bot.sandbox.server import StandIns
from conversations.texts import render
from core.messaging.messages import say

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=HANG * 1000)

HOSTILE = '<b>tebal</b> <img src=x onerror="alert(1)"> 🔊 &lt;ok&gt; *x'


class Hand:
    """Operates one phone of the page."""

    def __init__(self, page: Page, app: str) -> None:
        self.app = app
        self.phone = page.get_by_test_id(f"phone-{app}")
        self.input = page.get_by_test_id(f"input-{app}")
        self.send = page.get_by_test_id(f"send-{app}")
        self.heard = self.phone.locator("[data-testid=bubble][data-from=shop]")
        self.said = self.phone.locator("[data-testid=bubble][data-from=me]")
        self._answered: str | None = None

    async def type(self, text: str) -> None:
        await self._hear_more()
        await self.input.fill(text)
        await self.input.press("Enter")

    async def choose(self, label: str | re.Pattern[str]) -> None:
        """Tap the first button with this label under the newest bubble, in its list if it has one."""
        await self._hear_more()
        newest = self.heard.last
        button = newest.get_by_role("button", name=label).first
        opener = newest.get_by_test_id("list-open")
        await expect(opener.or_(button).first).to_be_visible()
        if await opener.count():
            await opener.click()
            button = self.phone.get_by_test_id("list-item").filter(has_text=label).first
        await button.click()

    async def send_sample_photo(self) -> None:
        await self._hear_more()
        await self.phone.get_by_test_id("attach").click()
        await self.phone.get_by_test_id("attach-sample").click()

    async def _hear_more(self) -> None:
        """Wait until the shop has sent something since the last call."""
        if self._answered is not None:
            await expect(self.heard).not_to_have_count(0)
            await expect(self.heard.last).not_to_have_attribute("data-id", self._answered)
        self._answered = (await self.heard.last.get_attribute("data-id") if await self.heard.count() else None) or ""


def label(key: str) -> str:
    return str(render(say(key), "id"))


async def book(hand: Hand, *, email: str) -> None:
    """From the first word to the payment link."""
    await hand.type("halo")
    await hand.choose(label("option.book"))
    await hand.choose(label("category.speaker"))
    await hand.choose("Toyota")
    await hand.choose("Avanza")
    await hand.choose(label("option.next_page"))
    await hand.choose("2018")
    await hand.choose(re.compile("Kenwood KFC-S1676"))
    await hand.choose(re.compile(r"^\w{3}, \d+ \w{3}"))
    await hand.choose(re.compile(r"^\d\d:00"))
    if hand.app == "telegram":
        await hand.phone.get_by_test_id("keyboard").get_by_role("button").click()
    await hand.choose(label("option.change"))
    await hand.choose(label("option.next_page"))
    await hand.choose(label("change.email"))
    await hand.type(email)
    await expect(hand.heard.last).to_contain_text(email)
    await expect(hand.heard.last).to_contain_text("Rp649.000")
    await hand.choose(label("option.full"))


async def book_for_cash(hand: Hand) -> str:
    """From the first word to the code of a booking that is paid at the workshop."""
    await hand.type("mau tuning audio di brio 2019")
    await hand.choose(re.compile(r"^(Sen|Sel|Rab|Jum|Sab), \d+ \w{3}"))  # not Thursday, Dedi's day off
    await hand.choose(re.compile(r"^\d\d:00"))
    await hand.choose(label("method.cod"))
    booked = hand.heard.filter(has_text=re.compile(r"BK-\w+"))
    code = re.search(r"BK-\w+", await booked.last.inner_text())
    assert code
    return code[0]


async def pay(page: Page, hand: Hand) -> None:
    """Open the link beside the phones and pay there."""
    await hand.phone.get_by_test_id("link").click()
    sheet = page.frame_locator("[data-testid=panel-frame]")
    await expect(sheet.get_by_test_id("amount")).to_have_text("Rp649.000")
    await sheet.locator("[data-testid^=channel-]").first.click()
    await sheet.get_by_test_id("pay").click()
    await expect(sheet.get_by_test_id("result-paid")).to_be_visible()
    await page.get_by_test_id("panel-close").click()


async def opened_pdf(page: Page, link: Locator) -> str:
    """The text of a PDF that opens from a link."""
    await link.click()
    frame = page.get_by_test_id("panel-frame")
    await expect(frame).to_be_visible()
    path = (await frame.get_attribute("src") or "").partition("#")[0]
    answer = await page.request.get(f"{page.url.rstrip('/')}{path}")
    assert answer.headers["content-type"] == "application/pdf"
    text = "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(await answer.body())).pages)
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("panel")).to_be_hidden()
    return text


@pytest.mark.parametrize("app", ["telegram", "whatsapp"])
async def test_a_booking_from_hello_to_the_invoice(page: Page, app: str) -> None:
    hand, email = Hand(page, app), f"siti.{app}@contoh.com"
    await book(hand, email=email)
    await pay(page, hand)

    document = hand.phone.get_by_test_id("document")
    await expect(document).to_be_in_viewport()
    code = re.search(r"BK-\w+", await hand.heard.last.inner_text())
    assert code
    assert code[0] in await opened_pdf(page, document)

    mail = page.get_by_test_id("mail").filter(has_text=email)
    await mail.click()
    await expect(page.frame_locator("[data-testid=mail-frame]").locator("body")).to_contain_text(code[0])
    assert code[0] in await opened_pdf(page, page.get_by_test_id("mail-attachment"))
    await expect(page.get_by_test_id("phone-owner").get_by_text(code[0]).first).to_be_visible()


async def test_a_job_on_the_phones_of_customer_and_staff(page: Page) -> None:
    customer, owner, dedi = Hand(page, "whatsapp"), Hand(page, "owner"), Hand(page, "technician")
    code = await book_for_cash(customer)
    await expect(owner.heard.last).to_contain_text(code)
    await expect(dedi.phone).to_be_hidden()
    await owner.type(f"tugaskan {code}")
    await owner.choose("Dedi")
    await expect(owner.phone.get_by_test_id("switch-technician").locator("em")).not_to_be_empty()

    await owner.phone.get_by_test_id("switch-technician").click()
    await expect(owner.phone).to_be_hidden()
    await dedi.type(f"mulai {code}")
    await dedi.choose(label("team.option.note"))
    await dedi.send_sample_photo()
    await dedi.choose(label("team.option.note_done"))
    await expect(customer.heard.last.locator(".photo img")).to_be_visible()
    await dedi.choose(label("team.option.cash"))
    await dedi.choose(re.compile("lunas"))
    await dedi.choose(label("team.option.finish"))
    await expect(customer.heard.filter(has_text="sudah selesai")).to_be_visible()


@pytest.mark.parametrize("app", ["telegram", "whatsapp"])
async def test_typed_html_and_emoji_are_shown_as_text(page: Page, app: str) -> None:
    hand = Hand(page, app)
    await hand.type(HOSTILE)
    await expect(hand.said.last.locator(".text")).to_have_text(HOSTILE)
    await expect(hand.said.last.locator("img, b")).to_have_count(0)
    await expect(hand.heard).not_to_have_count(0)
    assert await hand.input.input_value() == ""


async def test_a_phone_sends_photo_location_and_contact(page: Page, demo: StandIns) -> None:
    """Also Start; and the tick changes once the shop has replied."""
    hand = Hand(page, "telegram")
    await hand.phone.get_by_test_id("start").click()
    await expect(hand.said.last).to_contain_text("/start")
    await expect(hand.said.last.get_by_label("Dibaca")).to_be_visible()
    for attachment, kind in (("sample", "photo"), ("location", "location"), ("contact", "contact")):
        await hand.phone.get_by_test_id("attach").click()
        await hand.phone.get_by_test_id(f"attach-{attachment}").click()
        if attachment == "location":
            await hand.phone.get_by_test_id("place").nth(1).click()
        await expect(hand.said.last).to_have_attribute("data-kind", kind)
        await expect(hand.said.last).to_be_in_viewport()
    photo = next(bubble for bubble in demo.world.phones["telegram"].bubbles if bubble.kind == "photo")
    assert photo.media
    assert photo.media.content.startswith(b"\xff\xd8")


async def test_language_block_and_new_person(page: Page, demo: StandIns) -> None:
    hand = Hand(page, "telegram")
    await hand.phone.get_by_test_id("language-en").click()
    await expect(hand.input).to_have_attribute("placeholder", "Message")
    await hand.type("/start")
    await expect(hand.heard.last).to_contain_text("Welcome")
    await hand.phone.get_by_test_id("more").click()
    await hand.phone.get_by_test_id("block").click()
    await expect(hand.input).to_be_hidden()
    assert demo.world.phones["telegram"].blocked
    await hand.phone.get_by_test_id("unblock").click()
    await expect(hand.input).to_be_visible()
    await hand.phone.get_by_test_id("new-person").click()
    await expect(hand.phone.get_by_test_id("bubble")).to_have_count(0)
    await expect(hand.input).to_have_attribute("placeholder", "Ketik pesan")


async def test_a_reconnected_page_shows_what_it_missed(page: Page, demo: StandIns) -> None:
    demo.world.hub.publish({"type": "end"})
    await expect(page.get_by_test_id("lost")).to_be_visible()
    await demo.world.phones["whatsapp"].type("masih di sana?")
    await expect(page.get_by_test_id("lost")).to_be_hidden()
    await expect(Hand(page, "whatsapp").said.last).to_contain_text("masih di sana?")
    await demo.world.phones["whatsapp"].type("oke")
    await expect(Hand(page, "whatsapp").said.last).to_contain_text("oke")


async def test_a_small_screen_shows_one_phone_at_a_time(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    whatsapp, telegram = Hand(page, "whatsapp"), Hand(page, "telegram")
    await expect(whatsapp.phone).to_be_visible()
    await expect(telegram.phone).to_be_hidden()
    await page.get_by_test_id("tab-telegram").click()
    await expect(whatsapp.phone).to_be_hidden()
    await page.get_by_test_id("help").click()
    await page.get_by_test_id("try").first.click()
    await expect(telegram.input).to_have_value(re.compile("avanza 2018"))
    await telegram.send.click()
    await expect(telegram.heard.last).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390


async def test_the_page_loads_nothing_from_other_hosts(page: Page, demo: StandIns) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = await page.reload()
    await page.locator("body[data-ready]").wait_for()
    assert answer
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert [url for url in asked if not url.startswith((demo.url, "data:"))] == []
    missing = await page.request.get(f"{demo.url}/page/pages.py")
    assert missing.status == 404
