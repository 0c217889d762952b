"""Which parts, how many, and which services; none are needed if parts are bought."""

from dataclasses import fields
from typing import Any

from conversations import draft, exclusions
from conversations.advice import chosen
from conversations.advice.goods import given_up
from conversations.shelf import PartOptions, is_sold_out, joined, price_of
from conversations.turn import Question, Step, Turn, question
from conversations.understand.answers import read_done, read_quantity, read_wait
from conversations.understand.intents import Intent
from core.catalogue import advice, snapshot, stock_alerts
from core.catalogue.advice import Matches
from core.catalogue.attributes import Attributes
from core.catalogue.snapshot import CATEGORIES
from core.db.tables import Part, Service
from core.messaging.messages import Option, Say, say
from core.pricing.installations import INSTALLATION
from core.refusals import BadQuantity, InsufficientStock, NotForSale, NothingChosen, PreOrderOnly, Refusal


class Category(Step):
    """Which category to open; "services only" skips the parts."""

    name = "category"

    def needed(self, turn: Turn) -> bool:
        return "shopped" not in turn.state and ("adding" in turn.state or not draft.basket(turn))

    async def ask(self, turn: Turn) -> Question:
        past = "option.enough" if draft.basket(turn) else "option.services_only"
        return question(
            say("ask.category"),
            options=[Option(name, say(f"category.{name}")) for name in CATEGORIES if name in turn.catalogue.shelves],
            always=[Option("none", say(past))],
            button=say("button.category"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == "none":
            turn.state.put("shopped", True)
        else:
            turn.state.put("category", option)
        turn.state.drop("adding")
        return True

    async def absorb(self, turn: Turn) -> bool:
        """A named part goes into the basket; named categories are opened one after the other."""
        understood, state = turn.understood, turn.state
        named = [part for part in understood.parts if part in turn.catalogue.parts]
        services = [turn.catalogue.services[each] for each in understood.services if each in turn.catalogue.services]
        is_work = bool(services) and not named and not any(each.installs for each in services)
        if understood.own_parts or Intent.REPAIR in understood.topics or is_work:
            return _only_work(turn)
        if len(named) == 1 and named[0] != state.get("sold_out"):
            return await take_named(turn, turn.catalogue.parts[named[0]])
        if "shopped" in state and understood.categories and turn.adds:
            state.drop("shopped", "category")
        if "shopped" in state or "category" in state:
            return False
        if understood.categories:
            first, *later = understood.categories
            state.put("category", first)
            state.put("wanted", later)
            state.drop("adding")
            if understood.quantity:
                state.put("pieces", understood.quantity)
            return True
        if understood.services and not draft.basket(turn):
            state.put("shopped", True)  # only services were named
        return False


class PickPart(Step):
    name = "part"

    def needed(self, turn: Turn) -> bool:
        return "shopped" not in turn.state and "category" in turn.state

    async def ask(self, turn: Turn) -> Question:
        category = turn.state.get("category", "")
        matches, order = _matches(turn), _narrowed(turn).order
        stock = await snapshot.stock(turn.session, advice.listed(matches, order))
        found = advice.ranked(matches, stock, order)
        return question(
            say("ask.part", category=say(f"category.{category}"), car=draft.car_name(turn)),
            options=PartOptions([(each.part, each.fit) for each in found], stock),
            always=[*self._waitlist_option(turn), Option("other", say("option.other_category"))],
            button=say("button.part"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == "other":
            turn.state.drop("category", "search", "narrow")
            turn.state.put("adding", True)
            return True
        if option.startswith("wait:"):
            return self._wait_for(turn, option.removeprefix("wait:"))
        if option.startswith("alert:"):
            wanted = turn.catalogue.parts[option.removeprefix("alert:")]
            await stock_alerts.ask(turn.ctx, turn.contact, wanted.id)
            turn.remark("stock_alert.noted", name=wanted.name)
            turn.state.drop("sold_out")
            return True
        part = turn.catalogue.parts.get(option)
        if part is None:
            return False
        stock = (await snapshot.stock(turn.session, [part.id])).get(part.id, 0)
        if is_sold_out(part, stock):
            _note_sold_out(turn, part)
            return True
        self._take(turn, part)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """A part in the customer's words: named, or described among those on the screen ("yg venom 8 inch")."""
        named = [part for part in turn.understood.parts if part in turn.catalogue.parts]
        sold_out = turn.state.get("sold_out")
        if sold_out and read_wait(text) and named in ([], [sold_out]):
            return self._wait_for(turn, sold_out)
        if len(named) == 1:
            return await self.choose(turn, named[0])
        if named:
            turn.state.put("search", named)
            turn.state.page = 0
            return True
        if (described := chosen(turn)) is not None:
            return await self.choose(turn, described.id)
        category = next(iter(turn.understood.categories), None)
        if category and category != turn.state.get("category"):
            turn.state.put("category", category)
            turn.state.drop("search", "narrow")
            return True
        return await self.absorb(turn)

    async def absorb(self, turn: Turn) -> bool:
        """What is said of the part narrows the list; when a single one is left, it is chosen."""
        said = as_answer(turn.understood.attributes)
        if not said or not self.needed(turn):
            return False
        turn.state.put("narrow", turn.state.get("narrow", {}) | said)
        turn.state.drop("search")
        turn.state.page = 0
        matches = _matches(turn)
        if matches.given_up:
            turn.remarks += [each for each in given_up(_narrowed(turn), matches) if each not in turn.remarks]
        elif len(matches.found) == 1 and draft.car(turn):
            await self.choose(turn, matches.found[0].id)
        return True

    def _waitlist_option(self, turn: Turn) -> list[Option]:
        part = turn.catalogue.parts.get(turn.state.get("sold_out"))
        if part is None:
            return []
        return [
            Option(f"wait:{part.id}", say("option.wait_part", name=part.name)),
            Option(f"alert:{part.id}", say("option.stock_alert")),
        ]

    def _wait_for(self, turn: Turn, part_id: str) -> bool:
        part = turn.catalogue.parts[part_id]
        turn.state.put("awaits_part", part.id)
        self._take(turn, part)
        turn.remark("waiting.noted_part", name=part.name)
        return True

    def _take(self, turn: Turn, part: Part) -> None:
        have = dict(draft.basket(turn)).get(part.id, 0)
        pieces = turn.understood.quantity or turn.state.get("pieces", 1)
        draft.put_in_basket(turn, part.id, min(have + pieces, turn.shop.max_quantity))
        wanted = turn.state.get("wanted", [])
        turn.state.drop("category", "search", "wanted", "sold_out", "pieces", "narrow")
        if wanted:
            turn.state.put("category", wanted[0])
            turn.state.put("wanted", wanted[1:])
        else:
            turn.state.put("shopped", True)


class More(Step):
    """The basket, when the customer wants to change it, or when it can't be booked as it is."""

    name = "more"
    on_request = True
    drops = ("shopped", "confirmed")
    reopened_by = (InsufficientStock, PreOrderOnly, NotForSale, BadQuantity, NothingChosen)

    def needed(self, turn: Turn) -> bool:
        return "shopped" not in turn.state and bool(draft.basket(turn))

    async def ask(self, turn: Turn) -> Question:
        lines = [say("basket.line", name=turn.catalogue.parts[part].name, count=n) for part, n in draft.basket(turn)]
        changes = [
            Option(f"count:{part.id}", say("option.change_quantity", name=part.name))
            for part in draft.basket_parts(turn)
        ]
        wait = [Option("wait", say("option.wait_parts"))] if draft.still_in_basket(turn, "short") else []
        return question(
            say("ask.more", basket=lines),
            options=[*wait, Option("done", say("option.continue")), Option("add", say("option.add_part")), *changes],
            button=say("button.choose"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        match option.partition(":"):
            case ("wait", _, _):
                turn.state.put("awaits_part", draft.still_in_basket(turn, "short"))
                turn.state.put("shopped", True)
            case ("done", _, _):
                turn.state.put("shopped", True)
            case ("add", _, _):
                turn.state.put("adding", True)
            case ("count", _, part):
                turn.state.put("counting", part)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        """A category or part named here is added; "2 pcs" means the only part in the basket."""
        basket, understood = draft.basket(turn), turn.understood
        if read_wait(text) and draft.still_in_basket(turn, "short"):
            return await self.choose(turn, "wait")
        if read_done(text):
            return await self.choose(turn, "done")
        if understood.categories and not understood.parts:
            turn.state.put("category", understood.categories[0])
            turn.state.put("adding", True)
            return True
        if len(understood.parts) == 1 and understood.parts[0] in turn.catalogue.parts:
            return await take_named(turn, turn.catalogue.parts[understood.parts[0]])
        if understood.quantity and len(basket) == 1:
            return _set_quantity(turn, basket[0][0], understood.quantity)
        return False

    def reopen(self, turn: Turn, refusal: Refusal) -> None:
        if isinstance(refusal, InsufficientStock):
            name = refusal.params["name"]
            turn.state.put("short", next((part.id for part in draft.basket_parts(turn) if part.name == name), None))
        super().reopen(turn, refusal)


class Quantity(Step):
    name = "quantity"
    own_numbers = True

    def needed(self, turn: Turn) -> bool:
        return "counting" in turn.state

    async def ask(self, turn: Turn) -> Question:
        part = turn.catalogue.parts.get(turn.state.get("counting"))
        return question(
            say("ask.quantity", name=part.name if part else "", most=turn.shop.max_quantity),
            options=[Option(str(count), str(count)) for count in (1, 2, 4)],
            always=[Option("0", say("option.remove"))],
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        part = turn.state.get("counting")
        if option == "0":
            draft.put_in_basket(turn, part, 0)
            turn.state.drop("counting")
            return True
        return _set_quantity(turn, part, int(option))

    async def absorb(self, turn: Turn) -> bool:
        """ "2 set ya" once there is a single part."""
        count, basket = turn.understood.quantity, draft.basket(turn)
        if not count or len(basket) != 1 or turn.understood.parts or turn.understood.categories:
            return False
        return count != basket[0][1] and _set_quantity(turn, basket[0][0], count)

    async def read(self, turn: Turn, text: str) -> bool:
        count = read_quantity(text)
        return False if count is None else _set_quantity(turn, turn.state.get("counting"), count)


class PickService(Step):
    """Asked when no installation goes without saying."""

    name = "serviced"
    drops = ("confirmed",)
    reopened_by = (NotForSale, NothingChosen)

    def needed(self, turn: Turn) -> bool:
        is_settled = self.name in turn.state
        return turn.state.get("asking") == self.name or not (is_settled or draft.services(turn))

    async def ask(self, turn: Turn) -> Question:
        chosen = draft.times(turn)
        lines = [_service_line(turn.catalogue.services[service].name, count) for service, count in chosen.items()]
        fewer = [
            Option(f"once:{service}", say("option.once", name=turn.catalogue.services[service].name))
            for service in self._several(turn)
        ]
        categories = {part.category for part in draft.basket_parts(turn)}
        offered = [each for each in turn.catalogue.services.values() if each.is_available and each.id not in chosen]

        def rank(service: Service) -> tuple[bool, str, int]:
            return not categories & set(service.installs), service.category, service.price

        alone = [Option("none", say("option.parts_only"))] if draft.basket(turn) else []
        done = [Option("done", say("option.continue"))] if chosen else []
        return question(
            say("ask.more_services", chosen=lines) if chosen else say("ask.service"),
            options=[
                Option(each.id, each.name, joined([price_of(each), say("minutes", minutes=each.minutes)]))
                for each in sorted(offered, key=rank)
            ],
            always=[*fewer, *done, *alone],
            button=say("button.service"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option in ("done", "none"):
            turn.state.put("services", draft.services(turn) if option == "done" else [])
            turn.state.put("serviced", True)
            turn.state.recheck("time", "technician")
        elif option.startswith("once:"):
            self._set_times(turn, option.removeprefix("once:"), 1)
        else:
            self._add(turn, option)
        return True

    async def read(self, turn: Turn, text: str) -> bool:
        if read_done(text) and (draft.services(turn) or draft.basket(turn)):
            return await self.choose(turn, "done" if draft.services(turn) else "none")
        count, several = turn.understood.quantity, self._several(turn)
        if count and len(several) == 1 and not turn.understood.services:
            self._set_times(turn, several[0], min(count, turn.shop.max_quantity))
            return True
        return await self.absorb(turn)

    async def absorb(self, turn: Turn) -> bool:
        """A service named in a message is chosen; none is, for parts that the customer installs."""
        if turn.understood.parts_only and "serviced" not in turn.state:
            turn.state.put("services", [])
            turn.state.put("serviced", True)
            return True
        offered = [service for service in turn.understood.services if service in turn.catalogue.services]
        if len(offered) != 1 or offered[0] in turn.state.get("services", []) or "serviced" in turn.state:
            return False
        service = turn.catalogue.services[offered[0]]
        if service.category == INSTALLATION and set(service.installs) & self._wanted(turn):
            return False  # which installation it is depends on the part
        self._add(turn, service.id)
        return True

    def _wanted(self, turn: Turn) -> set[str]:
        """The categories of the parts that the customer names or has chosen."""
        named = () if "shopped" in turn.state else turn.understood.categories
        return {part.category for part in draft.basket_parts(turn)} | {*named}

    def _several(self, turn: Turn) -> list[str]:
        """The services that are done more than once, one for each part; the customer may want it otherwise."""
        return [service for service, count in draft.times(turn).items() if count > 1]

    def _set_times(self, turn: Turn, service: str, count: int) -> None:
        turn.state.put("times", turn.state.get("times", {}) | {service: count})

    def _add(self, turn: Turn, service: str) -> None:
        turn.state.put("services", [*(s for s in draft.services(turn) if s != service), service])


async def take_named(turn: Turn, part: Part) -> bool:
    """Put a part into the basket, instead of another of its category; sold out, others are shown at once."""
    if part in draft.basket_parts(turn) and not turn.understood.quantity:
        return False
    stock = (await snapshot.stock(turn.session, [part.id])).get(part.id, 0)
    if is_sold_out(part, stock):
        turn.state.put("category", part.category)
        turn.state.drop("shopped")
        _note_sold_out(turn, part)
        return True
    instead = [other for other in draft.basket_parts(turn) if other.category == part.category and other != part]
    if len(instead) == 1 and not turn.adds:
        draft.put_in_basket(turn, instead[0].id, 0)
    draft.put_in_basket(turn, part.id, min(turn.understood.quantity or 1, turn.shop.max_quantity))
    turn.state.drop("adding", "category", "confirmed")
    turn.state.put("shopped", True)
    return True


def _only_work(turn: Turn) -> bool:
    """The customer brings the parts, or wants a repair: the parts aren't for sale now, the work is."""
    if "shopped" in turn.state:
        return False
    services = [each for each in turn.understood.services if each in turn.catalogue.services]
    turn.state.put("shopped", True)
    if turn.understood.own_parts and turn.understood.categories:
        works = advice.installations(turn.catalogue, turn.understood.categories[0])
        services = [each.id for each in works] or services
    if services:
        turn.state.put("services", services[:1])
    return True


def _matches(turn: Turn) -> Matches:
    """The parts of the open category as they are wanted, that fit the car."""
    return advice.matching(
        turn.catalogue,
        categories=(turn.state.get("category", ""),),
        parts=turn.state.get("search", ()),
        attributes=_narrowed(turn),
        car=draft.car(turn),
        excluded=exclusions.goods(turn),
    )


def _narrowed(turn: Turn) -> Attributes:
    return Attributes(**turn.state.get("narrow", {}))


def as_answer(attributes: Attributes) -> dict[str, Any]:
    return {each.name: value for each in fields(attributes) if (value := getattr(attributes, each.name)) is not None}


def _note_sold_out(turn: Turn, part: Part) -> None:
    turn.remark("part.pre_order" if part.is_pre_order_only else "part.sold_out", name=part.name)
    turn.state.put("sold_out", None if part.is_pre_order_only else part.id)


def _service_line(name: str, count: int) -> Say:
    return say("basket.service", name=name) if count == 1 else say("basket.line", name=name, count=count)


def _set_quantity(turn: Turn, part: str, count: int) -> bool:
    if not 1 <= count <= turn.shop.max_quantity:
        turn.remark("quantity.out_of_bounds", most=turn.shop.max_quantity)
    else:
        draft.put_in_basket(turn, part, count)
        turn.state.drop("counting")
    return True
