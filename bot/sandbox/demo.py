"""`make demo`: the stand-ins for the vendors, and our server with the demo catalogue."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

from bot import app
from bot.config import Server, Settings
from bot.sandbox.clerk import USERS
from bot.sandbox.server import DEFAULTS, StandIns, stand_ins
from conversations import example
from conversations.texts import render
from core.catalogue import csv_files
from core.db.database import upgrade
from core.faq import csv_file
from core.messaging.messages import say
from core.shop import Shop

CATALOGUE = Path(__file__).parent / "catalogue"
FAQ = Path(__file__).parent / "faq.csv"
OWNER, TECHNICIAN = 7_000_000_001, 7_000_000_002
"""Telegram ids of the staff."""

WORKSHOP = {
    "name": "Bengkel Suara Jaya",
    "address": "Jl. Raya Fatmawati No. 21",
    "city": "Jakarta Selatan",
    "contact": "+62217654321",
    "email": "halo@suarajaya.example",
    "description": "Spesialis audio mobil sejak 2009",
    "latitude": -6.2922,
    "longitude": 106.7972,
    "opening_hours": dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday"), "09:00-17:00"),
}


async def demo(*, port: int) -> None:
    """Run the demo until SIGINT or SIGTERM; `port` is the page's port, 0 for any free one."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_demo(port=port, gather_seconds=Server().gather_seconds) as vendors:
        print(f"\n  Bengkel demo: {vendors.url}/\n\n  Ctrl+C ends it.\n", flush=True)  # noqa: T201
        await stop.wait()


@asynccontextmanager
async def running_demo(*, port: int = 0, gather_seconds: float = 0) -> AsyncIterator[StandIns]:
    """Run the stand-ins and the server in a temporary folder."""
    async with stand_ins(app.now, port=port) as vendors:
        vendors.world.shop["name"] = WORKSHOP["name"]
        vendors.world.sample = sample
        with TemporaryDirectory(prefix="bengkel-demo-") as folder:
            vendors.world.add_staff("owner", OWNER, "Ibu Rina", phone="+628111000001")
            vendors.world.add_staff("technician", TECHNICIAN, "Dedi", phone="+6281219000101")
            database = f"sqlite+aiosqlite:///{folder}/bengkel.db"
            settings = settings_for(
                vendors, folder=Path(folder), database=database, port=free_port(), gather_seconds=gather_seconds
            )
            await load_catalogue(settings)
            vendors.connect_shop(settings.server.public_url)
            async with app.serving(settings):
                yield vendors


def sample() -> str:
    """The line that the page offers first, for the next day on which the shop is open."""
    return render(say("example.book", visit=example.visit(Shop.model_validate(WORKSHOP), app.now())), "id")


def settings_for(vendors: StandIns, *, folder: Path, database: str, port: int, gather_seconds: float = 0) -> Settings:
    """Settings that point to the stand-ins; environment variables aren't read."""
    address = f"http://127.0.0.1:{port}"
    return Settings.model_validate(
        {
            "server": {
                "port": port,
                "public_url": address,
                "cors_origins": [vendors.url],
                "photos": folder / "photos",
                "gather_seconds": gather_seconds,
            },
            "database": {"url": database},
            "telegram": {
                "token": DEFAULTS.telegram_token,
                "mode": "webhook",
                "webhook_secret": "sandbox-secret",
                "api_url": vendors.url,
            },
            "whatsapp": {
                "account_sid": DEFAULTS.twilio_sid,
                "auth_token": DEFAULTS.twilio_token,
                "sender": DEFAULTS.twilio_sender,
                "api_url": vendors.url,
                "content_url": vendors.url,
            },
            "midtrans": {
                "server_key": DEFAULTS.midtrans_server_key,
                "client_key": "SB-Mid-client-sandbox",
                "snap_url": f"{vendors.url}/snap/v1",
                "api_url": vendors.url,
            },
            "email": {
                "smtp_url": f"smtp://127.0.0.1:{vendors.smtp_port}",
                "sender": "Suara Jaya <halo@suarajaya.example>",
            },
            "clerk": {"issuer": vendors.clerk.issuer, "authorized_parties": [vendors.url]},
            "workshop": WORKSHOP,
            "staff": [
                {"name": "Ibu Rina", "role": "admin", "telegram": OWNER, "clerk": USERS["admin"]},
                {
                    "name": "Dedi",
                    "role": "technician",
                    "technician": "dedi",
                    "telegram": TECHNICIAN,
                    "clerk": USERS["technician"],
                },
            ],
        }
    )


async def load_catalogue(settings: Settings) -> None:
    """Migrate the database and put the demo catalogue and its FAQ into it."""
    database = app.database(settings)
    await upgrade(database)
    files = {file.name: file.read_text("utf-8") for file in sorted(CATALOGUE.glob("*.csv"))}
    async with database.write() as session:
        await csv_files.apply(session, csv_files.read(files), now=app.now(), sure=True)
        await csv_file.apply(session, csv_file.read({FAQ.name: FAQ.read_text("utf-8")}), now=app.now())
    await database.close()


def free_port() -> int:
    """A port that is free now."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
