"""The outside world on this machine: the phones, and the vendors' APIs over them, all in memory."""

from typing import Any

from bot.sandbox.phones import Network, Person
from bot.sandbox.stage import Clock, Stage
from bot.sandbox.telegram import BotApi
from bot.sandbox.telegram_chats import Telegram
from bot.sandbox.twilio import TwilioApi
from bot.sandbox.twilio_chats import Account, WhatsApp

CUSTOMERS = ("whatsapp", "telegram")
"""The page's phones whose person can be replaced, by the messenger on each."""
NAMES = ("Budi Santoso", "Sari Wulandari", "Agus Pratama", "Dewi Lestari", "Rizky Hidayat", "Putri Anggraini")


class World:
    """What the people on the phones did and saw.

    `telegram` and `whatsapp` are the chats, `bot_api` and `twilio_api` what our server talks to.
    """

    def __init__(self, clock: Clock, *, telegram_token: str, twilio: Account) -> None:
        self.stage = Stage(clock)
        self.telegram = Telegram(self.stage)
        self.whatsapp = WhatsApp(self.stage, twilio)
        self.bot_api = BotApi(self.telegram, telegram_token)
        self.twilio_api = TwilioApi(self.whatsapp)
        self.phones: dict[str, Person] = {}
        """Who is behind each phone of the page: a customer by the messenger's name, staff by what they are."""
        self.shop: dict[str, Any] = {}
        """What the page says about the shop: its name, addresses to look at."""
        for name in CUSTOMERS:
            self.new_customer(name)

    def network(self, name: str) -> Network[Any]:
        """The messenger of that name; KeyError if there is none."""
        return {"telegram": self.telegram, "whatsapp": self.whatsapp}[name]

    def hire(self, role: str, user_id: int, called: str, *, phone: str) -> Person:
        """Give somebody of the staff a phone of the page, with Telegram on it."""
        self.phones[role] = self.telegram.person(user_id, called, phone=phone)
        return self.phones[role]

    def new_customer(self, name: str) -> Person:
        """Put somebody new behind a customers' phone of the page."""
        number = self.stage.number()
        called, phone = NAMES[number % len(NAMES)], f"+6281290{number:06d}"
        if name == "telegram":
            person = self.telegram.person(8_000_000_000 + number, called, phone=phone, started=False)
        else:
            person = self.whatsapp.person(phone, called)
        self.phones[name] = person
        self.stage.publish({"type": "reset", "phone": name, "person": person.to_json()})
        return person

    def to_json(self) -> dict[str, Any]:
        """Everything, as the page reads it."""
        return {"phones": {name: _phone(person) for name, person in self.phones.items()}, "shop": self.shop}


def _phone(person: Person) -> dict[str, Any]:
    return {"person": person.to_json(), "bubbles": [bubble.to_json() for bubble in person.bubbles]}
