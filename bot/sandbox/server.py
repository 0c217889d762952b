"""One server for the whole outside world: the vendors' APIs, the payment page, the phones and the mailbox.

    async with outside(clock) as there:
        …  # start our server against there.url and there.smtp_port
        there.shop_is_at(public_url)

It never plays with credentials that could be real.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox import clerk, mailbox, midtrans, pages, people
from bot.sandbox.clerk import Clerk
from bot.sandbox.mailbox import Mailbox
from bot.sandbox.midtrans import MidtransStandIn
from bot.sandbox.stage import Clock
from bot.sandbox.telegram import TOKEN
from bot.sandbox.twilio import ACCOUNT_SID
from bot.sandbox.twilio_chats import Account
from bot.sandbox.world import World

MOST_BYTES = 60 * 1024 * 1024
"""Of one request: a document for Telegram may have 50 MB."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What our server shows the vendors; the defaults are the stand-ins' own."""

    telegram_token: str = "0000000000:SANDBOX-bengkel"  # noqa: S105 not a secret
    twilio_sid: str = f"AC{1:032x}"
    twilio_token: str = "sandbox-auth-token"  # noqa: S105 not a secret
    twilio_sender: str = "+628110000000"
    midtrans_server_key: str = "SB-Mid-server-sandbox"
    midtrans_merchant: str = "Bengkel Suara Jaya"


DEFAULTS = Credentials()


class ProductionCredentials(ValueError):
    """A credential that could be real: one sentence naming it."""


def refuse_production(credentials: Credentials) -> None:
    """Raise ProductionCredentials unless each credential is unmistakably a stand-in's."""
    for name, value, pattern in (
        ("Telegram token", credentials.telegram_token, TOKEN),
        ("Twilio account SID", credentials.twilio_sid, ACCOUNT_SID),
        ("Midtrans server key", credentials.midtrans_server_key, re.compile(r"SB-Mid-server-.+")),
    ):
        if not pattern.fullmatch(value):
            raise ProductionCredentials(f"The {name} could be a real one; the simulation only takes {pattern.pattern}")


@dataclass(frozen=True, slots=True)
class Outside:
    """The outside world while it is up."""

    world: World
    midtrans: MidtransStandIn
    mailbox: Mailbox
    clerk: Clerk
    url: str
    """Where all of the vendors' APIs and the page are."""
    smtp_port: int

    def shop_is_at(self, public_url: str) -> None:
        """Where our server is reached, as the owner would enter it at Twilio's and Midtrans'."""
        self.world.whatsapp.inbound_url = f"{public_url}/webhooks/twilio"
        self.midtrans.notifications.url = f"{public_url}/api/payment/webhook"
        self.clerk.shop_url = public_url


@asynccontextmanager
async def outside(
    clock: Clock, credentials: Credentials = DEFAULTS, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Outside]:
    """Open the outside world; ProductionCredentials if it is asked to play with real ones."""
    refuse_production(credentials)
    account = Account(credentials.twilio_sid, credentials.twilio_token, credentials.twilio_sender)
    world = World(clock, telegram_token=credentials.telegram_token, twilio=account)
    payments = MidtransStandIn(
        server_key=credentials.midtrans_server_key, merchant=credentials.midtrans_merchant, clock=clock
    )
    letters, issuer = Mailbox(clock=clock), Clerk(clock)
    runner = web.AppRunner(application(world, payments, letters, issuer), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    url = f"http://{host}:{runner.addresses[0][1]}"
    world.stage.url = payments.public_url = issuer.url = url
    smtp_port = await letters.start(host)
    watching = [asyncio.create_task(work) for work in (payments.run(), _announce(letters, world))]
    try:
        yield Outside(world, payments, letters, issuer, url, smtp_port)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await letters.stop()
        await world.stage.close()
        await runner.cleanup()


def application(world: World, payments: MidtransStandIn, letters: Mailbox, issuer: Clerk) -> web.Application:
    """Everything under one address; the vendors' paths don't meet."""
    app = web.Application(client_max_size=MOST_BYTES)
    app.add_routes(world.bot_api.routes())
    app.add_routes(world.twilio_api.routes())
    app.add_routes(midtrans.routes(payments))
    app.add_routes(mailbox.routes(letters))
    app.add_routes(clerk.routes(issuer))
    app.add_routes(people.routes(world, letters))
    app.add_routes(pages.routes())
    return app


async def _announce(letters: Mailbox, world: World) -> None:
    """Tell the page of every mail."""
    for number in itertools.count(1):
        letter = await letters.mail(number)
        world.stage.publish({"type": "mail", "mail": mailbox.listed(letter)})
