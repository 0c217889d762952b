"""Who the customer is, and the car's plate."""

from conversations.turn import Question, Step, Turn, question
from conversations.understand.answers import read_skip
from conversations.understand.contacts import is_landline, read_email, read_name, read_phone, read_plate
from core.messaging.messages import Option, say

SKIPPED = ""
"""The answer of a question that was skipped."""


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

    async def read(self, turn: Turn, text: str) -> bool:
        """A name as typed, without "nama saya"."""
        name = read_name(text)
        if name is None or any(sign.isdigit() for sign in name):
            return False
        turn.state.put("name", name)
        return True


class Phone(Step):
    """A mobile number, unless the channel has verified one."""

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
            return True
        if is_landline(text):
            turn.remark("phone.landline")
            return True
        return False


class Email(Step):
    """For the invoice; may be skipped."""

    name = "email"
    free_text = True
    drops = ("confirmed",)

    async def ask(self, turn: Turn) -> Question:
        known = turn.contact.customer.email
        return question(
            say("ask.email"),
            options=[*([Option("known", known)] if known else []), Option("skip", say("option.skip"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put("email", SKIPPED if option == "skip" else turn.contact.customer.email)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        email = SKIPPED if read_skip(text) else read_email(text)
        if email is None:
            return False
        turn.state.put("email", email)
        return True


class Plate(Step):
    name = "plate"
    free_text = True
    drops = ("confirmed",)

    async def ask(self, turn: Turn) -> Question:
        return question(say("ask.plate"), options=[Option("skip", say("option.skip"))])

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put("plate", SKIPPED)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        plate = SKIPPED if read_skip(text) else read_plate(text)
        if plate is None:
            return False
        turn.state.put("plate", plate)
        return True
