"""Simulated customers: they book by typing, wait for each answer, pay, and record the result."""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.sandbox.phones import Bubble, Person
from bot.sandbox.server import StandIns

TURNED_AWAY = ("sudah penuh", "baru saja penuh")
PART = "jbl-stage3-627f"
"""The part that each customer buys."""


class Fate(StrEnum):
    """The last result of a customer."""

    TURNED_AWAY = "turned away"
    BOOKED = "confirmed"
    DONE = "completed"
    CANCELLED = "cancelled"


@dataclass
class Patron:
    """A customer; `patience` is the timeout for an answer, including the server's downtime."""

    person: Person
    day: int
    """Days from now to the wanted appointment."""
    hour: int
    patience: timedelta
    waiting_for: str | None = None
    """The answer they wait for; None after the last one."""
    order_id: str | None = None
    """The order_id they paid."""
    code: str = ""
    """The booking's code, once it is confirmed."""
    fate: Fate | None = None
    """None until they have a result."""
    slowest: float = 0
    """The longest wait for an answer, in seconds."""

    async def book(self, there: StandIns) -> None:
        """Book and pay; ends with the confirmation or when turned away."""
        with contextlib.suppress(TimeoutError):  # `waiting_for` records the missing answer
            for words, answer in self._script():
                bubble = await self._says(words, answer, *TURNED_AWAY)
                if any(refusal in bubble.text for refusal in TURNED_AWAY):
                    self._have(Fate.TURNED_AWAY)
                    return
            await self._pay(bubble, there)

    async def cancel(self) -> None:
        """Cancel the booking and wait for the refund."""
        with contextlib.suppress(TimeoutError):
            await self._says("batalin booking saya", f"Yakin mau membatalkan booking {self.code}")
            await self._says("ya", "sudah dibatalkan")
            await self._sees("sudah kami kembalikan")
            self._have(Fate.CANCELLED)

    async def have_it_done(self, owner: "Owner") -> None:
        """Have the owner do the job, and wait for the warranty card."""
        with contextlib.suppress(TimeoutError):
            self.waiting_for = "the owner"
            await owner.do_the_job(self.code)
            await self._sees("Kartu garansi")
            self._have(Fate.DONE)

    def _script(self) -> list[tuple[str, str]]:
        wish = f"mau pasang speaker di avanza 2018 {self.day} hari lagi jam {self.hour}"
        number = (f"0812{self.person.address[-8:]}", "Ringkasan booking")
        by_telegram = self.person.network.name == "telegram"
        return [
            (wish, "Mau yang mana"),
            *([("jbl stage3 627", "Nomor HP"), number] if by_telegram else [("jbl stage3 627", "Ringkasan booking")]),
            ("bayar penuh", "Silakan bayar"),
        ]

    async def _pay(self, bubble: Bubble, there: StandIns) -> None:
        urls = [button.url for row in bubble.buttons for button in row if button.url]
        link = (urls or [word for word in bubble.text.split() if word.startswith("http")])[-1]
        paid = await there.midtrans.pay(link.rsplit("/", 1)[-1], "other_qris")
        self.order_id = paid.order_id
        confirmed = await self._sees("sudah terkonfirmasi")
        self.code = re.findall(r"BK-\w+", confirmed.text)[0]
        self._have(Fate.BOOKED)

    def _have(self, fate: Fate) -> None:
        self.fate, self.waiting_for = fate, None

    async def _says(self, words: str, *answers: str) -> Bubble:
        await self.person.type(words)
        return await self._sees(*answers)

    async def _sees(self, *answers: str) -> Bubble:
        self.waiting_for = answers[0]
        loop = asyncio.get_running_loop()
        began = loop.time()
        bubble = await _seen(self.person, answers, self.patience)
        self.slowest = max(self.slowest, loop.time() - began)
        return bubble


CHECK_INTERVAL = 5.0
"""Seconds between the owner's checks for failed messages."""


class Owner:
    """Does the jobs and resends failed messages; one action at a time, since there is one phone."""

    def __init__(self, person: Person, patience: timedelta) -> None:
        self._person = person
        self._patience = patience
        self._busy = asyncio.Lock()

    async def do_the_job(self, code: str) -> None:
        """Start and complete the job, which takes the parts out of stock."""
        async with self._busy:
            for words, answer in ((f"mulai {code}", "Tercatat mulai dikerjakan"), (f"selesai {code}", "✅ Selesai")):
                await self._person.type(words)
                await _seen(self._person, [answer], self._patience)

    async def resend_failed_messages(self, closed: asyncio.Event) -> None:
        """Resend failed messages regularly until the shop is closed."""
        while not closed.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(closed.wait(), CHECK_INTERVAL)
            async with self._busy:
                with contextlib.suppress(TimeoutError):  # that answer may fail, too; the next check shows it
                    await self._send_all_again()

    async def _send_all_again(self) -> None:
        await self._person.type("macet")
        while True:
            answers = ("Tidak ada pesan yang gagal terkirim", "yang terbaru di atas")
            listed = await _seen(self._person, answers, CHECK_INTERVAL * timedelta(seconds=1))
            if answers[0] in listed.text:
                return
            await self._person.type("1")  # the newest


async def _seen(person: Person, answers: Sequence[str], patience: timedelta) -> Bubble:
    """The first new bubble with one of these texts; ignores messages that a kill repeated."""
    async with asyncio.timeout(patience.total_seconds()):
        while True:
            bubble = await person.next_reply(patience.total_seconds())
            if any(words.casefold() in bubble.text.casefold() for words in answers):
                return bubble
