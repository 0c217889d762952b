"""Which services; none is allowed if parts are bought."""

from conversations.booking import draft
from conversations.shelf import service_option
from conversations.turn import Question, Step, Turn, question
from conversations.understand.answers import read_done
from core.db.tables import Service
from core.messaging.messages import Option, say
from core.refusals import NotForSale, NothingChosen


class PickService(Step):
    """One service after the other, until the customer is done."""

    name = "serviced"
    drops = ("confirmed",)
    reopened_by = (NotForSale, NothingChosen)

    async def ask(self, turn: Turn) -> Question:
        """Services that suit the chosen parts come first."""
        chosen = draft.services(turn)
        lines = [say("basket.service", name=turn.catalogue.services[service].name) for service in chosen]
        categories = {part.category for part in draft.basket_parts(turn)}
        offered = [each for each in turn.catalogue.services.values() if each.is_available and each.id not in chosen]

        def rank(service: Service) -> tuple[bool, str, int]:
            return not categories & set(service.installs), service.category, service.price

        done = "option.continue" if chosen else "option.parts_only"
        return question(
            say("ask.more_services", chosen=lines) if chosen else say("ask.service"),
            options=[service_option(service) for service in sorted(offered, key=rank)],
            always=[Option("done", say(done))] if chosen or draft.basket(turn) else (),
            button=say("button.service"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == "done":
            turn.state.put("serviced", True)
            turn.state.recheck("time", "technician")
        else:
            self._add(turn, option)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        if read_done(text) and (draft.services(turn) or draft.basket(turn)):
            return await self.choose(turn, "done")
        return self.absorb(turn)

    def absorb(self, turn: Turn) -> bool:
        """A service named in a message is chosen; whether that is all is still asked."""
        offered = [service for service in turn.understood.services if service in turn.catalogue.services]
        if len(offered) != 1 or "serviced" in turn.state:
            return False
        self._add(turn, offered[0])
        return True

    def _add(self, turn: Turn, service: str) -> None:
        turn.state.put("services", [*(s for s in draft.services(turn) if s != service), service])
