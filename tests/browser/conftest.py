"""The demo in this process, and a browser tab with its page."""

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright
from waiting import HANG

from bot.sandbox.demo import running_demo
from bot.sandbox.server import StandIns

QUIETLY = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo() -> AsyncIterator[StandIns]:
    """Everything that `make demo` starts; each test is a new person."""
    async with running_demo() as there:
        yield there


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(QUIETLY))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(demo: StandIns, browser: Browser) -> AsyncIterator[Page]:
    """The demo's page with a new person on each phone; the test fails on any script or console error."""
    for app in ("whatsapp", "telegram"):
        demo.world.new_customer(app)
    page = await browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(HANG * 1000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    await page.goto(demo.url)
    await page.locator("body[data-ready]").wait_for()
    yield page
    await page.close()
    assert faults == []
