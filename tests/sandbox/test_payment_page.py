"""The payment page of the Midtrans stand-in: its buttons are the customer and the bank."""

import re
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession
from listener import Shop
from playwright.async_api import Page as Tab
from playwright.async_api import async_playwright, expect
from waiting import HANG

from bot.sandbox.midtrans_records import Page
from bot.sandbox.server import Outside

ITEMS = [
    {"id": "P1", "name": "<img src=x onerror=alert(1)> Speaker", "price": 450_000, "quantity": 2},
    {"id": "DP", "name": "Uang muka", "price": -300_000, "quantity": 1},
]


def page_for(there: Outside, **more: Any) -> Page:
    details = {"order_id": "BOOKING-A1-1", "gross_amount": 600_000}
    return there.midtrans.create({"transaction_details": details, "item_details": ITEMS} | more)


def told(shop: Shop) -> list[str]:
    return [update["transaction_status"] for update in shop.updates]


async def test_the_buttons_of_the_page_pay(there: Outside, shop: Shop) -> None:
    url = there.midtrans.url(page_for(there, callbacks={"finish": "https://suarajaya.example/selesai?x=1"}))
    async with ClientSession() as browser:
        chosen = await (await browser.post(f"{url}/choose", json={"channel": "bca_va"})).json()
        assert chosen["attempt"]["to_pay_with"]["va_numbers"][0]["bank"] == "bca"
        paid = await (await browser.post(f"{url}/pay", json={})).json()
    assert paid["attempt"]["status"] == "settlement"
    assert paid["finish"] == (
        "https://suarajaya.example/selesai?x=1&order_id=BOOKING-A1-1&status_code=200&transaction_status=settlement"
    )
    assert told(shop) == ["pending", "settlement"]


@pytest.mark.parametrize(
    ("verb", "stays_open"),
    [
        ("abandon", True),  # the same link can be opened again
        ("expire", False),  # nothing was chosen, so nobody is told
    ],
)
async def test_leaving_without_a_choice_tells_nobody(there: Outside, shop: Shop, verb: str, stays_open: bool) -> None:
    url = there.midtrans.url(page_for(there))
    async with ClientSession() as browser:
        left = await (await browser.post(f"{url}/{verb}", json={})).json()
    assert (left["open"], left["attempt"], told(shop)) == (stays_open, None, [])


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("choose", {"channel": "indomaret"}),  # not enabled
        ("choose", {"channel": "entah"}),  # no such thing
        ("choose", {}),  # nothing said
        ("fail", {}),  # nothing pending
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    there: Outside, shop: Shop, verb: str, body: dict[str, str]
) -> None:
    url = there.midtrans.url(page_for(there, enabled_payments=["bca_va"]))
    async with ClientSession() as browser:
        answer = await browser.post(f"{url}/{verb}", json=body)
        assert answer.status == 409
        assert (await answer.json())["refused"]
    assert told(shop) == []


async def test_a_page_that_was_replaced_is_closed(there: Outside, shop: Shop) -> None:
    old, new = page_for(there), page_for(there)
    await there.midtrans.pay(new.token, "gopay")
    async with ClientSession() as browser:
        shown = await (await browser.get(f"{there.midtrans.url(old)}/state")).json()
    assert (shown["open"], shown["closed"], shown["attempt"]) == (False, True, None)


async def test_the_page_loads_nothing_from_elsewhere(there: Outside) -> None:
    url = there.midtrans.url(page_for(there))
    async with ClientSession() as browser:
        page = await browser.get(url)
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        text = await page.text()
        assert "SIMULASI" in text
        assert "http" not in text
        for asset in ("page.css", "page.js"):
            answer = await browser.get(url.rsplit("/", 1)[0] + f"/assets/{asset}")
            assert answer.status == 200
            assert "http" not in await answer.text()


@pytest.mark.parametrize("path", ["", "/state", "/qr.svg"])
async def test_an_unknown_page_is_404(there: Outside, path: str) -> None:
    async with ClientSession() as browser:
        answer = await browser.get(f"{there.url}/snap/v4/redirection/tidak-ada{path}")
        assert answer.status == 404


# --- in a browser ------------------------------------------------------------------------------


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    """A phone-sized browser tab in which no script may fail."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = await chromium.new_page(viewport={"width": 412, "height": 900})
        tab.set_default_timeout(HANG * 1000)
        faults: list[str] = []
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("dialog", lambda dialog: faults.append(dialog.message))
        yield tab
        await chromium.close()
        assert faults == []


@pytest.mark.browser
async def test_a_denied_card_then_a_transfer_by_clicks(there: Outside, shop: Shop, tab: Tab) -> None:
    page = page_for(there, enabled_payments=["bca_va", "credit_card"], callbacks={"finish": f"{shop.url}/files/done"})
    await tab.goto(there.midtrans.url(page))
    await expect(tab.get_by_test_id("amount")).to_have_text("Rp600.000")
    await expect(tab.get_by_test_id("items")).to_contain_text("<img src=x onerror=alert(1)> Speaker")
    await expect(tab.locator("[data-testid^=channel-]")).to_have_count(2)

    await tab.get_by_test_id("channel-credit_card").click()
    await tab.get_by_test_id("card-deny").click()
    await tab.get_by_test_id("pay").click()
    await expect(tab.get_by_test_id("result-denied")).to_be_visible()

    await tab.get_by_test_id("again").click()
    await tab.get_by_test_id("channel-bca_va").click()
    await expect(tab.get_by_test_id("pay-number")).to_have_text(re.compile(r"(\d{4} ){3}\d{4}"))
    await tab.get_by_test_id("pay").click()
    await expect(tab.get_by_test_id("result-paid")).to_be_visible()
    await expect(tab.get_by_test_id("finish")).to_have_attribute("href", f"{there.midtrans.finish_url(page)}")
    assert told(shop) == ["pending", "deny", "pending", "settlement"]


@pytest.mark.browser
async def test_a_qr_code_that_runs_out_by_clicks(there: Outside, shop: Shop, tab: Tab) -> None:
    await tab.goto(there.midtrans.url(page_for(there)))
    await tab.get_by_test_id("channel-other_qris").click()
    await expect(tab.get_by_test_id("qr")).to_have_js_property("complete", value=True)
    assert await tab.get_by_test_id("qr").evaluate("image => image.naturalWidth") > 100
    await tab.get_by_test_id("expire").click()
    await expect(tab.get_by_test_id("result-expired")).to_be_visible()
    await expect(tab.get_by_test_id("pay")).to_have_count(0)
    assert told(shop) == ["pending", "expire"]
