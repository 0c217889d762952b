"""Who the customer is, and the car's plate."""

from conversations.turn import SKIP, SKIPPED, Question, Step, Turn, question
from conversations.understand.contacts import is_landline, read_email, read_name, read_phone, read_plate
from core.messaging.messages import Option, say


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
        elif is_landline(text):
            turn.remark("phone.landline")
        else:
            return False
        return True


class Email(Step):
    """For the invoice; may be skipped."""

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
