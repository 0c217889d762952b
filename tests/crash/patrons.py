"""Customers who book by typing, one message after each answer, and pay; each remembers what became of it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from bot.sandbox.phones import Bubble, Person
from bot.sandbox.server import Outside

TURNED_AWAY = ("sudah penuh", "baru saja penuh")


@dataclass
class Patron:
    """One customer; `patience` is how long they wait for an answer, with the server going down meanwhile."""

    person: Person
    day: int
    """In how many days they want to come."""
    hour: int
    patience: timedelta
    waiting_for: str | None = None
    """What they wait for; None once they have what they came for, or were turned away."""
    order_id: str | None = None
    """Of what they paid."""
    slowest: float = 0
    """The longest wait for an answer, in seconds."""

    async def book(self, there: Outside) -> None:
        """From the first word to the confirmation."""
        try:
            for words, answer in self._script():
                bubble = await self._say(words, answer)
                if any(refusal in bubble.text for refusal in TURNED_AWAY):
                    break
            else:
                await self._pay(bubble, there)
            self.waiting_for = None
        except TimeoutError:
            pass  # what they still wait for says it

    def _script(self) -> list[tuple[str, str]]:
        by_telegram = self.person.network.name == "telegram"
        name = [("Budi Santoso", "Nomor HP"), (f"0812{self.person.address[-8:]}", "e-mail")]
        return [
            (f"mau pasang speaker di avanza 2018 {self.day} hari lagi jam {self.hour}", "Ini pilihan"),
            ("jbl stage3 627", "Ada tambahan lain"),
            ("lanjut", "Ada lagi"),
            ("lanjut", "Mau dikerjakan siapa"),
            ("bebas", "Atas nama siapa"),
            *(name if by_telegram else [("Budi Santoso", "e-mail")]),
            ("lewati", "Nomor polisi"),
            ("lewati", "Dikerjakan di mana"),
            ("di bengkel", "Ringkasan booking"),
            ("lanjut bayar", "Mau bayar lewat apa"),
            ("qris", "Bayar penuh"),
            ("bayar penuh", "Silakan bayar"),
        ]

    async def _say(self, words: str, answer: str) -> Bubble:
        await self.person.type(words)
        return await self._sees(answer)

    async def _pay(self, bubble: Bubble, there: Outside) -> None:
        urls = [button.url for row in bubble.buttons for button in row if button.url]
        link = (urls or [word for word in bubble.text.split() if word.startswith("http")])[-1]
        paid = await there.midtrans.pay(link.rsplit("/", 1)[-1], "other_qris")
        self.order_id = paid.order_id
        await self._sees("terkonfirmasi")

    async def _sees(self, answer: str) -> Bubble:
        """The first new bubble with these words, or with a refusal; what a kill repeats is no answer."""
        self.waiting_for = answer
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(self.patience.total_seconds()):
            while True:
                bubble = await self.person.next_reply(self.patience.total_seconds())
                if any(words.casefold() in bubble.text.casefold() for words in (answer, *TURNED_AWAY)):
                    self.slowest = max(self.slowest, loop.time() - began)
                    return bubble
