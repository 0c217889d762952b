"""Where the work is done: in the workshop, or at the customer's."""

from conversations.booking import draft
from conversations.turn import Question, Step, Turn, question
from core.messaging.messages import Option, say
from core.refusals import AddressMissing, NotOnsite
from core.states import Location

SHORTEST_ADDRESS = 10
LONGEST_ADDRESS = 300


class Where(Step):
    """The workshop or the customer's place; only asked where every service can travel."""

    name = "location"
    drops = ("address", "confirmed")
    reopened_by = (NotOnsite,)

    def needed(self, turn: Turn) -> bool:
        """Parts alone are picked up, and some services need the workshop."""
        return bool(draft.services(turn)) and not self._bound(turn)

    async def ask(self, turn: Turn) -> Question:
        """Both, with what coming to the customer costs."""
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

    def heard(self, turn: Turn) -> str | None:
        """The place named in a longer message."""
        return turn.heard.location

    async def read(self, turn: Turn, text: str) -> bool:
        """The place named, or a shared location, which means: come to me."""
        if turn.incoming.place is not None:
            await self.choose(turn, Location.ONSITE)
            return Address.take_place(turn)
        return await self.choose(turn, turn.heard.location) if turn.heard.location else False

    def _bound(self, turn: Turn) -> bool:
        return not all(turn.catalogue.services[service].onsite for service in draft.services(turn))


class Address(Step):
    """Where the customer's place is: typed, or a shared location."""

    name = "address"
    free_text = True
    drops = ("confirmed",)
    reopened_by = (AddressMissing,)

    def needed(self, turn: Turn) -> bool:
        """For on-site jobs."""
        return draft.location(turn) is Location.ONSITE

    async def ask(self, turn: Turn) -> Question:
        """Type it or share it."""
        return question(say(f"ask.address.{turn.contact.channel}"), wants="location")

    async def read(self, turn: Turn, text: str) -> bool:
        """A shared place, or an address long enough to be found."""
        if turn.incoming.place is not None:
            return self.take_place(turn)
        if not SHORTEST_ADDRESS <= len(text) <= LONGEST_ADDRESS:
            return False
        turn.state.put("address", {"text": text})
        return True

    @staticmethod
    def take_place(turn: Turn) -> bool:
        """Store the shared location, with the address the app gave for it."""
        place = turn.incoming.place
        if place is None:
            return False
        turn.state.put("address", {"text": place.address, "latitude": place.latitude, "longitude": place.longitude})
        return True
