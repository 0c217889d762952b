"""`make demo`: the outside world on this machine, and our server with the demo catalogue in the middle of it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

from bot import app
from bot.config import Settings
from bot.sandbox.clerk import USERS
from bot.sandbox.server import DEFAULTS, Outside, outside
from core.catalogue import csv_files
from core.db.database import upgrade

CATALOGUE = Path(__file__).parent / "catalogue"
OWNER, TECHNICIAN = 7_000_000_001, 7_000_000_002
"""The Telegram ids of who works at the shop: by their phones a whole job can be run in the chat."""

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
    """Run the demo until SIGINT or SIGTERM; `port` is the page's, 0 for any."""
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with everything(port=port) as there:
        print(f"\n  Bengkel demo: {there.url}/\n\n  Ctrl+C ends it.\n", flush=True)  # noqa: T201
        await stop.wait()


@asynccontextmanager
async def everything(*, port: int = 0) -> AsyncIterator[Outside]:
    """The outside world and the shop in it, while they are up; nothing is left behind."""
    async with outside(app.now, port=port) as there:
        there.world.shop["name"] = WORKSHOP["name"]
        with TemporaryDirectory(prefix="bengkel-demo-") as folder:
            there.world.hire("owner", OWNER, "Ibu Rina", phone="+628111000001")
            there.world.hire("technician", TECHNICIAN, "Dedi", phone="+6281219000101")
            database = f"sqlite+aiosqlite:///{folder}/bengkel.db"
            settings = settings_for(there, folder=Path(folder), database=database, port=free_port())
            await stock_the_shelves(settings)
            there.shop_is_at(settings.server.public_url)
            async with app.serving(settings):
                yield there


def settings_for(there: Outside, *, folder: Path, database: str, port: int) -> Settings:
    """A shop whose vendors are the stand-ins; the environment has no say in it."""
    address = f"http://127.0.0.1:{port}"
    return Settings.model_validate(
        {
            "server": {
                "port": port,
                "public_url": address,
                "cors_origins": [there.url],
                "photos": folder / "photos",
            },
            "database": {"url": database},
            "telegram": {
                "token": DEFAULTS.telegram_token,
                "mode": "webhook",
                "webhook_secret": "sandbox-secret",
                "api_url": there.url,
            },
            "whatsapp": {
                "account_sid": DEFAULTS.twilio_sid,
                "auth_token": DEFAULTS.twilio_token,
                "sender": DEFAULTS.twilio_sender,
                "api_url": there.url,
                "content_url": there.url,
            },
            "midtrans": {
                "server_key": DEFAULTS.midtrans_server_key,
                "client_key": "SB-Mid-client-sandbox",
                "snap_url": f"{there.url}/snap/v1",
                "api_url": there.url,
            },
            "email": {
                "smtp_url": f"smtp://127.0.0.1:{there.smtp_port}",
                "sender": "Suara Jaya <halo@suarajaya.example>",
            },
            "clerk": {"issuer": there.clerk.issuer, "authorized_parties": [there.url]},
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


async def stock_the_shelves(settings: Settings) -> None:
    """Migrate the database and put the demo catalogue into it."""
    database = app.database(settings)
    await upgrade(database)
    files = {file.name: file.read_text("utf-8") for file in sorted(CATALOGUE.glob("*.csv"))}
    async with database.write() as session:
        await csv_files.apply(session, csv_files.read(files), now=app.now())
    await database.close()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
