"""Who the customer is, and the car's plate."""

from conversations.turn import Question, Step, Turn, question
from conversations.understand.answers import read_skip
from conversations.understand.contacts import is_landline, read_email, read_name, read_phone, read_plate
from core.messaging.messages import Option, say

SKIPPED = ""
"""The answer of a question that was skipped."""


class Name(Step):
    """The customer's name."""

    name = "name"
    free_text = True
    drops = ("confirmed",)

    async def ask(self, turn: Turn) -> Question:
        """The name we know from before, or the one the channel shows, is a button."""
        known = turn.contact.customer.name or read_name(turn.incoming.name or "")
        return question(say("ask.name"), options=[Option("known", known)] if known else ())

    async def choose(self, turn: Turn, option: str) -> bool:
        """The name that stood on the button."""
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
    """A mobile number to be reached at, unless the channel has vouched for one."""

    name = "phone"
    free_text = True
    own_numbers = True
    drops = ("confirmed",)

    def needed(self, turn: Turn) -> bool:
        """WhatsApp tells the number with the message; a shared Telegram contact is remembered."""
        return not turn.contact.customer.phone_proven or "other_phone" in turn.state

    async def ask(self, turn: Turn) -> Question:
        """Share the contact where the app can, or type it."""
        return question(say(f"ask.phone.{turn.contact.channel}"), wants="contact")

    async def read(self, turn: Turn, text: str) -> bool:
        """An Indonesian mobile number; a shared contact never comes here, it is proven (`engine`)."""
        phone = read_phone(text)
        if phone is not None:
            turn.state.put("phone", phone)
            return True
        if is_landline(text):
            turn.remark("phone.landline")
            return True
        return False


class Email(Step):
    """An address for the invoice; may be skipped."""

    name = "email"
    free_text = True
    drops = ("confirmed",)

    async def ask(self, turn: Turn) -> Question:
        """The address we know is a button, and so is going without."""
        known = turn.contact.customer.email
        return question(
            say("ask.email"),
            options=[*([Option("known", known)] if known else []), Option("skip", say("option.skip"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        """The known address, or none."""
        turn.state.put("email", SKIPPED if option == "skip" else turn.contact.customer.email)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """An address, or a word that means none."""
        email = SKIPPED if read_skip(text) else read_email(text)
        if email is None:
            return False
        turn.state.put("email", email)
        return True


class Plate(Step):
    """The number plate; may be skipped."""

    name = "plate"
    free_text = True
    drops = ("confirmed",)

    async def ask(self, turn: Turn) -> Question:
        """Type it, or go without."""
        return question(say("ask.plate"), options=[Option("skip", say("option.skip"))])

    async def choose(self, turn: Turn, option: str) -> bool:
        """Only skipping is a button."""
        turn.state.put("plate", SKIPPED)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """An Indonesian plate, or a word that means none."""
        plate = SKIPPED if read_skip(text) else read_plate(text)
        if plate is None:
            return False
        turn.state.put("plate", plate)
        return True
