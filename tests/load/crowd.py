"""Customers who book by typing, a flood of messages, and slow clients."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.sandbox.phones import Person

SCRIPT = (
    ("mau tuning audio brio 2019 3 hari lagi jam {hour} di bengkel", "Ringkasan booking"),
    ("bayar penuh", "Silakan bayar"),
)
TELEGRAM_ASKS = ("Nomor HP", "081234567890")
"""Asked only on Telegram; WhatsApp reports the number."""
TURNED_AWAY = ("sudah penuh", "baru saja penuh")


@dataclass
class Customer:
    """A customer who wants this hour; `waits` are the seconds until each answer."""

    person: Person
    hour: int
    waits: list[float] = field(default_factory=list)
    booked: bool | None = None
    """Whether they got a place; None without an answer."""
    missing: str = ""

    async def book(self, patience: float) -> None:
        """Book; ends with the payment link or when turned away. `patience` is the timeout of an answer, in seconds."""
        for words, answer in SCRIPT:
            shown = await self._say(words.format(hour=self.hour), (answer, TELEGRAM_ASKS[0]), patience)
            if shown and TELEGRAM_ASKS[0] in shown and answer not in shown:
                shown = await self._say(TELEGRAM_ASKS[1], (answer,), patience)
            if not shown:
                return
            if any(refusal in shown for refusal in TURNED_AWAY):
                self.booked = False
                return
        self.booked = True

    async def _say(self, words: str, answers: Sequence[str], patience: float) -> str:
        """Send a message and wait; returns the answer, "" after the timeout."""
        clock = asyncio.get_running_loop().time
        wanted = [answer.casefold() for answer in (*answers, *TURNED_AWAY)]
        began, shown = clock(), []
        await self.person.type(words)
        try:
            async with asyncio.timeout(patience):
                while not any(answer in text.casefold() for text in shown[-1:] for answer in wanted):
                    shown.append((await self.person.next_reply(patience)).text)
        except TimeoutError:
            self.missing = f"{words!r} wasn't answered with {answers}: {shown}"
            return ""
        self.waits.append(clock() - began)
        return shown[-1]


async def flood(person: Person, many: int) -> None:
    """Send many messages at once."""
    answers = await asyncio.gather(*(person.type(f"halo {number}") for number in range(many)))
    assert set(answers) <= {200, None}, set(answers)  # None: no connection was free, and Telegram retries


@asynccontextmanager
async def slow_clients(url: str, many: int) -> AsyncIterator[None]:
    """Clients that never finish the request head, and as many that never finish the body."""
    server = urlsplit(url)
    begun = f"POST /webhooks/telegram HTTP/1.1\r\nHost: {server.netloc}\r\nContent-Type: application/json\r\n"
    whole = f"{begun}Content-Length: 1000\r\n\r\n" + json.dumps({"update_id": 1})[:-1]
    writers = []
    for text in [begun] * many + [whole] * many:
        _, writer = await asyncio.open_connection(server.hostname, server.port)
        writer.write(text.encode())
        writers.append(writer)
    try:
        yield
    finally:
        for writer in writers:
            writer.close()
