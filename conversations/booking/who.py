"""Who the customer is, the car's plate, and where the work is done: in the workshop, or at the customer's place."""

from typing import Any

from conversations.booking import draft
from conversations.incoming import Place
from conversations.turn import SKIP, SKIPPED, Question, Step, Turn, question
from conversations.understand.contacts import is_landline, read_email, read_name, read_phone, read_plate
from core.messaging.messages import Option, say
from core.refusals import AddressMissing, NotOnsite
from core.states import Location

MIN_ADDRESS_LENGTH = 10
MAX_ADDRESS_LENGTH = 300


class Name(Step):
    name = "name"
    free_text = True
    drops = ("confirmed",)

    async def ask(self, turn: Turn) -> Question:
        known = turn.contact.customer.name or read_name(turn.incoming.name or "")
        return question(say("ask.name"), options=[Option("known", known)] if known else ())

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put("name", dict(turn.state.shown)[option])
        return True

    def parse(self, turn: Turn, text: str) -> str | None:
        """A name as typed, without "nama saya"."""
        name = read_name(text)
        return None if name is None or any(sign.isdigit() for sign in name) else name


class Phone(Step):
    name = "phone"
    free_text = True
    own_numbers = True
    drops = ("confirmed",)

    def needed(self, turn: Turn) -> bool:
        """WhatsApp sends the number with each message; a shared Telegram contact is remembered."""
        return not turn.contact.customer.phone_proven or "other_phone" in turn.state

    async def ask(self, turn: Turn) -> Question:
        return question(say(f"ask.phone.{turn.contact.channel}"), wants="contact")

    async def read(self, turn: Turn, text: str) -> bool:
        """An Indonesian mobile number; a shared contact is handled by `dialogue`."""
        phone = read_phone(text)
        if phone is not None:
            turn.state.put("phone", phone)
        elif is_landline(text):
            turn.remark("phone.landline")
        else:
            return False
        return True


class Email(Step):
    name = "email"
    skips = True
    free_text = True
    drops = ("confirmed",)

    async def ask(self, turn: Turn) -> Question:
        known = turn.contact.customer.email
        return question(
            say("ask.email"),
            options=[*([Option("known", known)] if known else []), SKIP],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put("email", turn.contact.customer.email if option == "known" else SKIPPED)
        return True

    def parse(self, turn: Turn, text: str) -> str | None:
        return read_email(text)


class Plate(Step):
    name = "plate"
    text = "ask.plate"
    skips = True
    free_text = True
    drops = ("confirmed",)

    def parse(self, turn: Turn, text: str) -> str | None:
        return read_plate(text)


class Where(Step):
    """Only asked if every service can be done on-site."""

    name = "location"
    drops = ("address", "confirmed")
    reopened_by = (NotOnsite,)

    def needed(self, turn: Turn) -> bool:
        services = [turn.catalogue.services[service] for service in draft.services(turn)]
        return bool(services) and all(service.onsite for service in services)

    async def ask(self, turn: Turn) -> Question:
        return question(
            say("ask.location", address=turn.shop.address, city=turn.shop.city, fee=turn.shop.onsite_fee),
            options=[
                Option(Location.WORKSHOP, say("option.workshop")),
                Option(Location.ONSITE, say("option.onsite")),
            ],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """Travel makes the job longer, so slot and technician are checked again."""
        return await self.take(turn, option, recheck=("time", "technician"))

    async def read(self, turn: Turn, text: str) -> bool:
        if turn.incoming.place is not None:
            await self.choose(turn, Location.ONSITE)
            turn.state.put("address", _as_answer(turn.incoming.place))
            return True
        return await self.choose(turn, turn.understood.location) if turn.understood.location else False


class Address(Step):
    name = "address"
    free_text = True
    drops = ("confirmed",)
    reopened_by = (AddressMissing,)

    def needed(self, turn: Turn) -> bool:
        return draft.location(turn) is Location.ONSITE

    async def ask(self, turn: Turn) -> Question:
        return question(say(f"ask.address.{turn.contact.channel}"), wants="location")

    def parse(self, turn: Turn, text: str) -> dict[str, Any] | None:
        if turn.incoming.place is not None:
            return _as_answer(turn.incoming.place)
        return {"text": text} if MIN_ADDRESS_LENGTH <= len(text) <= MAX_ADDRESS_LENGTH else None


def _as_answer(place: Place) -> dict[str, Any]:
    return {"text": place.address, "latitude": place.latitude, "longitude": place.longitude}
