"""Where the work is done: in the workshop, or at the customer's place."""

from conversations.booking import draft
from conversations.turn import Question, Step, Turn, question
from core.messaging.messages import Option, say
from core.refusals import AddressMissing, NotOnsite
from core.states import Location

MIN_ADDRESS_LENGTH = 10
MAX_ADDRESS_LENGTH = 300


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
        turn.state.put("location", option)
        turn.state.recheck("time", "technician")
        return True

    def mentioned(self, turn: Turn) -> str | None:
        return turn.understood.location

    async def read(self, turn: Turn, text: str) -> bool:
        """A named place; a shared location means on-site."""
        if turn.incoming.place is not None:
            await self.choose(turn, Location.ONSITE)
            return Address.take_place(turn)
        return await self.choose(turn, turn.understood.location) if turn.understood.location else False


class Address(Step):
    """The customer's address: typed, or a shared location."""

    name = "address"
    free_text = True
    drops = ("confirmed",)
    reopened_by = (AddressMissing,)

    def needed(self, turn: Turn) -> bool:
        return draft.location(turn) is Location.ONSITE

    async def ask(self, turn: Turn) -> Question:
        return question(say(f"ask.address.{turn.contact.channel}"), wants="location")

    async def read(self, turn: Turn, text: str) -> bool:
        if turn.incoming.place is not None:
            return self.take_place(turn)
        if not MIN_ADDRESS_LENGTH <= len(text) <= MAX_ADDRESS_LENGTH:
            return False
        turn.state.put("address", {"text": text})
        return True

    @staticmethod
    def take_place(turn: Turn) -> bool:
        place = turn.incoming.place
        if place is None:
            return False
        turn.state.put("address", {"text": place.address, "latitude": place.latitude, "longitude": place.longitude})
        return True
