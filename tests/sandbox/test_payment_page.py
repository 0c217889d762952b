"""The payment page of the Midtrans stand-in."""

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
from bot.sandbox.server import StandIns

ITEMS = [
    {"id": "P1", "name": "<img src=x onerror=alert(1)> Speaker", "price": 450_000, "quantity": 2},
    {"id": "DP", "name": "Uang muka", "price": -300_000, "quantity": 1},
]


def page_for(vendors: StandIns, **more: Any) -> Page:
    details = {"order_id": "BOOKING-A1-1", "gross_amount": 600_000}
    return vendors.midtrans.create({"transaction_details": details, "item_details": ITEMS} | more)


def notified(shop: Shop) -> list[str]:
    return [update["transaction_status"] for update in shop.updates]


async def test_a_customer_pays_on_the_page(vendors: StandIns, shop: Shop) -> None:
    url = vendors.midtrans.url(page_for(vendors, callbacks={"finish": "https://suarajaya.example/selesai?x=1"}))
    async with ClientSession() as browser:
        chosen = await (await browser.post(f"{url}/choose", json={"channel": "bca_va"})).json()
        assert chosen["attempt"]["payment_details"]["va_numbers"][0]["bank"] == "bca"
        paid = await (await browser.post(f"{url}/pay", json={})).json()
    assert paid["attempt"]["status"] == "settlement"
    assert paid["finish"] == (
        "https://suarajaya.example/selesai?x=1&order_id=BOOKING-A1-1&status_code=200&transaction_status=settlement"
    )
    assert notified(shop) == ["pending", "settlement"]


@pytest.mark.parametrize(
    ("verb", "stays_open"),
    [
        ("abandon", True),  # the link can be opened again
        ("expire", False),  # without a choice there is no notification
    ],
)
async def test_leaving_without_a_choice_notifies_nobody(
    vendors: StandIns, shop: Shop, verb: str, stays_open: bool
) -> None:
    url = vendors.midtrans.url(page_for(vendors))
    async with ClientSession() as browser:
        left = await (await browser.post(f"{url}/{verb}", json={})).json()
    assert (left["open"], left["attempt"], notified(shop)) == (stays_open, None, [])


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("choose", {"channel": "indomaret"}),  # not enabled
        ("choose", {"channel": "entah"}),  # unknown
        ("choose", {}),  # missing
        ("fail", {}),  # nothing pending
    ],
)
async def test_an_impossible_action_is_refused(vendors: StandIns, shop: Shop, verb: str, body: dict[str, str]) -> None:
    url = vendors.midtrans.url(page_for(vendors, enabled_payments=["bca_va"]))
    async with ClientSession() as browser:
        answer = await browser.post(f"{url}/{verb}", json=body)
        assert answer.status == 409
        assert (await answer.json())["refused"]
    assert notified(shop) == []


async def test_a_replaced_page_is_closed(vendors: StandIns, shop: Shop) -> None:
    old, new = page_for(vendors), page_for(vendors)
    await vendors.midtrans.pay(new.token, "gopay")
    async with ClientSession() as browser:
        shown = await (await browser.get(f"{vendors.midtrans.url(old)}/state")).json()
    assert (shown["open"], shown["closed"], shown["attempt"]) == (False, True, None)


async def test_the_page_loads_nothing_from_other_hosts(vendors: StandIns) -> None:
    url = vendors.midtrans.url(page_for(vendors))
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
async def test_an_unknown_page_is_404(vendors: StandIns, path: str) -> None:
    async with ClientSession() as browser:
        answer = await browser.get(f"{vendors.url}/snap/v4/redirection/tidak-ada{path}")
        assert answer.status == 404


# --- in a browser ------------------------------------------------------------------------------


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    """A phone-sized browser tab; the test fails on any script error."""
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
async def test_a_denied_card_then_a_transfer_in_the_browser(vendors: StandIns, shop: Shop, tab: Tab) -> None:
    page = page_for(vendors, enabled_payments=["bca_va", "credit_card"], callbacks={"finish": f"{shop.url}/files/done"})
    await tab.goto(vendors.midtrans.url(page))
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
    await expect(tab.get_by_test_id("finish")).to_have_attribute("href", f"{vendors.midtrans.finish_url(page)}")
    assert notified(shop) == ["pending", "deny", "pending", "settlement"]


@pytest.mark.browser
async def test_a_qr_code_expires_in_the_browser(vendors: StandIns, shop: Shop, tab: Tab) -> None:
    await tab.goto(vendors.midtrans.url(page_for(vendors)))
    await tab.get_by_test_id("channel-other_qris").click()
    await expect(tab.get_by_test_id("qr")).to_have_js_property("complete", value=True)
    assert await tab.get_by_test_id("qr").evaluate("image => image.naturalWidth") > 100
    await tab.get_by_test_id("expire").click()
    await expect(tab.get_by_test_id("result-expired")).to_be_visible()
    await expect(tab.get_by_test_id("pay")).to_have_count(0)
    assert notified(shop) == ["pending", "expire"]
