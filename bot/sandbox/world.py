"""The phones and the messengers' APIs, all in memory."""

from collections.abc import Callable
from typing import Any

from bot.sandbox.hub import Clock, Hub
from bot.sandbox.phones import Network, Person
from bot.sandbox.telegram import BotApi
from bot.sandbox.telegram_chats import Telegram
from bot.sandbox.twilio import TwilioApi
from bot.sandbox.twilio_chats import Account, WhatsApp

CUSTOMER_PHONES = ("whatsapp", "telegram")
"""The customers' phones on the page, named by their messenger; a new person can replace the customer."""
NAMES = ("Budi Santoso", "Sari Wulandari", "Agus Pratama", "Dewi Lestari", "Rizky Hidayat", "Putri Anggraini")


class World:
    """The chats (`telegram`, `whatsapp`) and the APIs that our server calls (`bot_api`, `twilio_api`)."""

    def __init__(self, clock: Clock, *, telegram_token: str, twilio: Account) -> None:
        self.hub = Hub(clock)
        self.telegram = Telegram(self.hub)
        self.whatsapp = WhatsApp(self.hub, twilio)
        self.bot_api = BotApi(self.telegram, telegram_token)
        self.twilio_api = TwilioApi(self.whatsapp)
        self.phones: dict[str, Person] = {}
        """People by the name of their phone on the page: the messenger for customers, the role for staff."""
        self.shop: dict[str, Any] = {}
        """What the page shows about the shop."""
        self.sample: Callable[[], str] = str
        """A line to try, for a day on which the shop is open; empty: the page's own."""
        for channel in CUSTOMER_PHONES:
            self.new_customer(channel)

    def network(self, name: str) -> Network[Any]:
        """The messenger by name; raises KeyError."""
        return {"telegram": self.telegram, "whatsapp": self.whatsapp}[name]

    def add_staff(self, role: str, user_id: int, name: str, *, phone: str) -> Person:
        """Add a phone with Telegram for a member of the staff."""
        self.phones[role] = self.telegram.person(user_id, name, phone=phone)
        return self.phones[role]

    def new_customer(self, channel: str) -> Person:
        """Replace the customer of a phone with a new person."""
        number = self.hub.next_number()
        name, phone = NAMES[number % len(NAMES)], f"+6281290{number:06d}"
        if channel == "telegram":
            person = self.telegram.person(8_000_000_000 + number, name, phone=phone, started=False)
        else:
            person = self.whatsapp.person(phone, name)
        self.phones[channel] = person
        self.hub.publish({"type": "reset", "phone": channel, "person": person.to_json()})
        return person

    def to_json(self) -> dict[str, Any]:
        """All phones in the page's JSON format."""
        return {
            "phones": {name: _phone(person) for name, person in self.phones.items()},
            "shop": self.shop | ({"sample": line} if (line := self.sample()) else {}),
        }


def _phone(person: Person) -> dict[str, Any]:
    return {"person": person.to_json(), "bubbles": [bubble.to_json() for bubble in person.bubbles]}
