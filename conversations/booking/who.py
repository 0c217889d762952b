"""Who the customer is, the car's plate, and where the work is done: in the workshop, or at the customer's place."""

from typing import Any

from conversations import draft
from conversations.incoming import Place
from conversations.turn import SKIP, SKIPPED, Question, Step, Turn, Who, question
from conversations.understand.acts import Act
from conversations.understand.contacts import (
    is_landline,
    means_profile,
    read_address,
    read_email,
    read_name,
    read_phone,
    read_plate,
    says_a_name,
)
from conversations.understand.intents import Intent
from core.messaging.messages import Option, say
from core.refusals import AddressMissing, NotOnsite, OutsideDistricts, Refusal, TooFarAway
from core.schedule import service_area
from core.states import Location

MIN_ADDRESS_LENGTH = 10
MAX_ADDRESS_LENGTH = 300
_KIND_WORDS = frozenset({Intent.GREET, Intent.THANKS})
"""Topics that say nothing beside a name or an address."""
MOST_WORDS_OF_A_CHOICE = 4
""" "di bengkel aja" instead of an address."""


def is_asked_for(turn: Turn, step: Step) -> bool:
    """Whether the customer wants to change what isn't asked otherwise (`deciding.CHANGES`)."""
    return bool(turn.state.get("asking") == step.name)


def _take_informed(turn: Turn, step: Step) -> bool:
    """Store what the message says of a question that isn't asked ("platnya B 1234 XYZ")."""
    told = (act.value for act in turn.understood.acts if act.slot == step.name and act.act in (Act.INFORM, Act.CORRECT))
    value = next(told, None)
    if value is None or turn.state.get(step.name) == value:
        return False
    turn.state.put(step.name, value)
    return True


class Name(Step):
    name = "name"
    free_text = True
    text = "ask.name"
    drops = ("confirmed",)

    def needed(self, turn: Turn) -> bool:
        return draft.name(turn) is None or is_asked_for(turn, self)

    def parse(self, turn: Turn, text: str) -> str | None:
        """A name as typed, without "nama saya", or the profile's; a question or a wish is none."""
        if means_profile(text):
            return draft.profile_name(turn)
        if set(turn.understood.topics) - _KIND_WORDS and not says_a_name(text):
            return None
        name = read_name(text)
        return None if name is None or any(sign.isdigit() for sign in name) else name


class Phone(Step):
    name = "phone"
    free_text = True
    own_numbers = True
    drops = ("confirmed",)

    def needed(self, turn: Turn) -> bool:
        """WhatsApp sends the number with each message; a shared Telegram contact is remembered."""
        return not turn.contact.customer.phone_proven or is_asked_for(turn, self)

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

    def needed(self, turn: Turn) -> bool:
        return is_asked_for(turn, self)

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

    async def absorb(self, turn: Turn) -> bool:
        return _take_informed(turn, self)


class Plate(Step):
    name = "plate"
    text = "ask.plate"
    skips = True
    free_text = True
    drops = ("confirmed",)

    def needed(self, turn: Turn) -> bool:
        return is_asked_for(turn, self)

    def parse(self, turn: Turn, text: str) -> str | None:
        return read_plate(text)

    async def absorb(self, turn: Turn) -> bool:
        return _take_informed(turn, self)


class Where(Step):
    """The workshop, unless the customer says otherwise."""

    name = "location"
    drops = ("address", "confirmed")
    takes_place = True
    reopened_by = (NotOnsite,)

    def needed(self, turn: Turn) -> bool:
        return is_asked_for(turn, self) or self.name in turn.state

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
            return _take_place(turn, _as_answer(turn.incoming.place))
        return await self.choose(turn, turn.understood.location) if turn.understood.location else False


class Address(Step):
    name = "address"
    free_text = True
    takes_place = True
    drops = ("confirmed",)
    reopened_by = (AddressMissing, TooFarAway, OutsideDistricts)

    def needed(self, turn: Turn) -> bool:
        return draft.location(turn) is Location.ONSITE

    async def ask(self, turn: Turn) -> Question:
        instead = [Option(Location.WORKSHOP, say("option.workshop"))] if "outside_area" in turn.state else ()
        return question(say(f"ask.address.{turn.contact.channel}"), options=instead, wants="location")

    async def choose(self, turn: Turn, option: str) -> bool:
        """To the workshop after all."""
        turn.state.drop("outside_area", *self.drops)
        turn.state.put("location", option)
        turn.state.recheck("time", "technician")
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        if turn.incoming.place is not None:
            return _take_place(turn, _as_answer(turn.incoming.place))
        if turn.understood.location == Location.WORKSHOP and len(text.split()) <= MOST_WORDS_OF_A_CHOICE:
            return await self.choose(turn, Location.WORKSHOP)
        about = set(turn.understood.topics) - _KIND_WORDS - {Intent.LOCATION}
        if about and not turn.understood.answers_with("address"):
            return await self.absorb(turn)
        if text and read_address(text) is None:
            return True  # "di rumah saya": asked again, for the street or a pin
        is_address = MIN_ADDRESS_LENGTH <= len(text) <= MAX_ADDRESS_LENGTH
        return _take_place(turn, {"text": text}) if is_address else await self.absorb(turn)

    def reopen(self, turn: Turn, refusal: Refusal) -> None:
        turn.state.put("outside_area", True)
        super().reopen(turn, refusal)


def _take_place(turn: Turn, place: dict[str, Any]) -> bool:
    """Store a place that the shop goes to, or say why it doesn't; an admin may send somebody anywhere."""
    at = {"address": place["text"], "latitude": place.get("latitude"), "longitude": place.get("longitude")}
    try:
        if not turn.may(Who.ADMIN):
            service_area.check(turn.shop, **at)
    except (TooFarAway, OutsideDistricts) as refusal:
        turn.remark_refusal(refusal)
        turn.state.put("outside_area", True)
    else:
        turn.state.put("address", place)
        turn.state.drop("outside_area")
    return True


def _as_answer(place: Place) -> dict[str, Any]:
    return {"text": place.address, "latitude": place.latitude, "longitude": place.longitude}
