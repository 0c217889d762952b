"""Which car, and whether the chosen parts fit it."""

from conversations import draft, person
from conversations.shelf import part_option, price_of
from conversations.turn import Question, Step, Turn, question
from conversations.understand.answers import read_year, read_yes_no, reads_as_an_answer
from core.catalogue import snapshot
from core.catalogue.fit import Fit, FitAnswer, fit_of
from core.db.tables import Part
from core.messaging.messages import Option, say
from core.states import CallReason

MAX_NAME_LENGTH = 40


class Brand(Step):
    """The car's brand; a message such as "avanza 2018" also answers model and year."""

    name = "brand"
    drops = ("model", "year", "fits", "confirmed")

    async def ask(self, turn: Turn) -> Question:
        if "other_car" in turn.state:
            return question(say("ask.other_car"))
        models: dict[str, int] = {}
        for car in turn.catalogue.cars.values():
            models[car.brand] = models.get(car.brand, 0) + 1
        brands = sorted(models, key=lambda brand: (-models[brand], brand))
        return question(
            say("ask.brand"),
            options=[Option(brand, brand) for brand in brands],
            always=[Option("other", say("option.other_car"))],
            button=say("button.brand"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put(*(("other_car", True) if option == "other" else ("brand", option)))
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """A known car, or any words after the customer said that the car isn't listed."""
        if await self.absorb(turn):
            return True
        if "other_car" not in turn.state:
            return False
        words = text.split()
        year = read_year(words[-1], turn.local_now) if words else None
        brand, *model = (words[:-1] if year else words) or [""]
        if not brand or len(text) > MAX_NAME_LENGTH:
            return False  # a year alone is stored by its own step
        turn.state.put("brand", brand.title())
        if model:
            turn.state.put("model", " ".join(model))
        if year:
            turn.state.put("year", year)
        return True


class Model(Step):
    name = "model"
    drops = ("year", "fits", "confirmed")

    async def ask(self, turn: Turn) -> Question:
        models = sorted({car.model for car in turn.catalogue.cars.values() if car.brand == turn.state.get("brand")})
        return question(
            say("ask.model", brand=turn.state.get("brand")),
            options=[Option(model, model) for model in models],
            button=say("button.model"),
        )

    async def read(self, turn: Turn, text: str) -> bool:
        """A listed model, or another name: without "?" and of at most three words."""
        text = text.strip()
        if turn.understood.model and turn.understood.brand == turn.state.get("brand"):
            return await self.absorb(turn)
        labels = {label.casefold() for _, label in turn.state.shown}
        is_choice = text.isdigit() or text.casefold() in labels
        if is_choice or reads_as_an_answer(text) or "?" in text or len(text) > MAX_NAME_LENGTH or len(text.split()) > 3:
            return False
        turn.state.put("model", text)
        return True


class Year(Step):
    name = "year"
    drops = ("fits", "confirmed")
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        latest = turn.local_now.year
        cars = [
            car
            for car in turn.catalogue.cars.values()
            if (car.brand, car.model) == (turn.state.get("brand"), turn.state.get("model"))
        ]
        years = {year for car in cars for year in range(car.year_from, (car.year_to or latest) + 1)}
        return question(
            say("ask.year", car=f"{turn.state.get('brand')} {turn.state.get('model')}"),
            options=[Option(str(year), str(year)) for year in sorted(years, reverse=True)],
            button=say("button.year"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.put("year", int(option))
        return True

    def parse(self, turn: Turn, text: str) -> int | None:
        return turn.understood.year or read_year(text, turn.local_now)


class FitOf(Step):
    """For each part that doesn't simply fit: an adapter, another part, or let the shop check."""

    name = "fit"

    def needed(self, turn: Turn) -> bool:
        return self._undecided(turn) is not None

    async def ask(self, turn: Turn) -> Question:
        part, fit = self._pending(turn)
        names = {"name": part.name, "car": draft.car_name(turn)}
        out = Option("out", say("option.take_out"))
        match fit:
            case Fit(answer=FitAnswer.NEEDS_ADAPTER, adapter=Part() as adapter):
                return question(
                    say("ask.fit_adapter", adapter=adapter.name, price=price_of(adapter), **names),
                    options=[
                        Option("adapter", say("option.with_adapter")),
                        Option("as_is", say("option.have_adapter")),
                        out,
                    ],
                )
            case Fit(answer=FitAnswer.DOES_NOT_FIT):
                stock = await snapshot.stock(turn.session, [other.id for other in fit.alternatives])
                return question(
                    say("ask.fit_none" if fit.alternatives else "ask.fit_none_at_all", **names),
                    options=[
                        part_option(other, stock.get(other.id, 0))
                        for other in fit.alternatives
                        if stock.get(other.id, 0) > 0
                    ],
                    always=[out],
                    button=say("button.part"),
                )
            case _:
                return question(
                    say("ask.fit_unknown", **names),
                    options=[Option("unknown", say("option.let_staff_check")), out],
                )

    async def choose(self, turn: Turn, option: str) -> bool:
        part, fit = self._pending(turn)
        match option:
            case "out":
                self._take_out(turn, part)
            case "adapter" if fit.adapter is not None:
                draft.put_in_basket(turn, fit.adapter.id, dict(draft.basket(turn))[part.id])
                self._decide(turn, part.id, "adapter")
                self._decide(turn, fit.adapter.id, "fits")
            case "as_is":
                self._decide(turn, part.id, option)
            case "unknown":
                about = say("fit.unknown", name=part.name, car=draft.car_name(turn))
                turn.remarks.append(await person.call(turn, CallReason.UNKNOWN_FIT, about=about))
                self._decide(turn, part.id, option)
            case _:
                count = dict(draft.basket(turn))[part.id]
                self._take_out(turn, part)
                draft.put_in_basket(turn, option, count)
                turn.state.put("shopped", True)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """Yes means the first option; no leaves several."""
        if not read_yes_no(text):
            return False
        return await self.choose(turn, turn.state.shown[0][0])

    def _undecided(self, turn: Turn) -> tuple[Part, Fit] | None:
        brand, model, year = (turn.state.get(name) for name in ("brand", "model", "year"))
        decided = turn.state.get("fits", {})
        for part in draft.basket_parts(turn):
            if part.id not in decided:
                fit = fit_of(turn.catalogue, part, brand, model, year)
                if fit.answer is not FitAnswer.FITS:
                    return part, fit
        return None

    def _pending(self, turn: Turn) -> tuple[Part, Fit]:
        pending = self._undecided(turn)
        if pending is None:
            raise LookupError("every part's fit is decided")
        return pending

    def _decide(self, turn: Turn, part: str, word: str) -> None:
        turn.state.put("fits", turn.state.get("fits", {}) | {part: word})

    def _take_out(self, turn: Turn, part: Part) -> None:
        """If the basket is empty then, the customer can choose again or go on with services alone."""
        draft.put_in_basket(turn, part.id, 0)
        if not draft.basket(turn):
            turn.state.drop("shopped")
