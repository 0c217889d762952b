"""One server for all stand-ins: the vendors' APIs, the payment page, the phones and the mailbox.

    async with stand_ins(clock) as vendors:
        …  # start our server with vendors.url and vendors.smtp_port
        vendors.connect_shop(public_url)

It refuses credentials that could be real.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.listening import explained
from bot.sandbox import clerk, mailbox, midtrans, pages, world_api
from bot.sandbox.clerk import Clerk
from bot.sandbox.hub import Clock
from bot.sandbox.mailbox import Mailbox
from bot.sandbox.midtrans import MidtransStandIn
from bot.sandbox.telegram import TOKEN
from bot.sandbox.twilio import ACCOUNT_SID
from bot.sandbox.twilio_chats import Account
from bot.sandbox.world import World

MAX_BYTES = 60 * 1024 * 1024
"""Maximum request body; Telegram accepts documents of 50 MB."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that our server presents to the vendors."""

    telegram_token: str = "0000000000:SANDBOX-bengkel"  # noqa: S105 not a secret
    twilio_sid: str = f"AC{1:032x}"
    twilio_token: str = "sandbox-auth-token"  # noqa: S105 not a secret
    twilio_sender: str = "+628110000000"
    midtrans_server_key: str = "SB-Mid-server-sandbox"
    midtrans_merchant: str = "Bengkel Suara Jaya"


DEFAULTS = Credentials()


class ProductionCredentials(ValueError):
    """A credential could be real; the message names it."""


def refuse_production(credentials: Credentials) -> None:
    """Raise ProductionCredentials unless every credential is clearly a stand-in's."""
    for name, value, pattern in (
        ("Telegram token", credentials.telegram_token, TOKEN),
        ("Twilio account SID", credentials.twilio_sid, ACCOUNT_SID),
        ("Midtrans server key", credentials.midtrans_server_key, re.compile(r"SB-Mid-server-.+")),
    ):
        if not pattern.fullmatch(value):
            raise ProductionCredentials(
                f"The {name} could be a real one; the simulation only accepts {pattern.pattern}"
            )


@dataclass(frozen=True, slots=True)
class StandIns:
    """The running stand-ins."""

    world: World
    midtrans: MidtransStandIn
    mailbox: Mailbox
    clerk: Clerk
    url: str
    """Base URL of all vendor APIs and of the page."""
    smtp_port: int

    def connect_shop(self, public_url: str) -> None:
        """Set the webhook URLs, as the owner does in Twilio's and Midtrans' dashboards."""
        self.world.whatsapp.inbound_url = f"{public_url}/webhooks/twilio"
        self.midtrans.notifications.url = f"{public_url}/api/payment/webhook"
        self.clerk.shop_url = public_url


@asynccontextmanager
async def stand_ins(
    clock: Clock, credentials: Credentials = DEFAULTS, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[StandIns]:
    """Run the stand-ins; raises ProductionCredentials."""
    refuse_production(credentials)
    account = Account(credentials.twilio_sid, credentials.twilio_token, credentials.twilio_sender)
    world = World(clock, telegram_token=credentials.telegram_token, twilio=account)
    payments = MidtransStandIn(
        server_key=credentials.midtrans_server_key, merchant=credentials.midtrans_merchant, clock=clock
    )
    inbox, issuer = Mailbox(clock=clock), Clerk(clock)
    runner = web.AppRunner(application(world, payments, inbox, issuer), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    with explained(host, port, setting="--port"):
        await site.start()
    url = f"http://{host}:{runner.addresses[0][1]}"
    world.hub.url = payments.public_url = issuer.url = url
    smtp_port = await inbox.start(host)
    tasks = [asyncio.create_task(work) for work in (payments.run(), _publish_mails(inbox, world))]
    try:
        yield StandIns(world, payments, inbox, issuer, url, smtp_port)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await inbox.stop()
        await world.hub.close()
        await runner.cleanup()


def application(world: World, payments: MidtransStandIn, inbox: Mailbox, issuer: Clerk) -> web.Application:
    """All routes in one application; the vendors' paths don't collide."""
    app = web.Application(client_max_size=MAX_BYTES)
    app.add_routes(world.bot_api.routes())
    app.add_routes(world.twilio_api.routes())
    app.add_routes(midtrans.routes(payments))
    app.add_routes(mailbox.routes(inbox))
    app.add_routes(clerk.routes(issuer))
    app.add_routes(world_api.routes(world, inbox))
    app.add_routes(pages.routes())
    return app


async def _publish_mails(inbox: Mailbox, world: World) -> None:
    for number in itertools.count(1):
        mail = await inbox.mail(number)
        world.hub.publish({"type": "mail", "mail": mailbox.mail_json(mail)})
