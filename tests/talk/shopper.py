"""Plays a persona on a phone: looks at the screen, and answers whatever stands there.

    opening ── screen ── a question it knows? ── the answer, or what the persona does instead (`At`)
                  ^      a button that serves the concern? ── a tap
                  |      the payment link? ── pays on Midtrans' page
                  |      nothing asked? ── the next line, the concern once more, or the next concern (`Then`)
                  └────────── the shop's reply

It gives up after 30 messages, or when the same question comes a third time without progress.
"""

import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random  # noqa: TID251 seeded, and the seed is printed

from consistency import has_draft
from demo_catalogue import DEMO
from persona import At, End, Habit, Persona, Then, Wish, Words
from PIL import Image
from screen import Option, Screen
from stage import SECONDS_OF_SILENCE, Books, Stage
from voice import CATEGORIES, MONTHS, Voice, date_of

from bot.sandbox.phones import ActionImpossible

MOST_MESSAGES = 30
MOST_REPEATS = 3
SECONDS_BETWEEN = 20
CHANNELS = {"qris": "other_qris", "gopay": "gopay", "va": "bca_va", "card": "credit_card"}
NUMBERS_ANYWAY = ("year", "quantity")
"""Answered with a number that isn't an option's."""
ENDS_A_DRAFT = re.compile(r"\b(batal\w*|cancel\w*|(ga|gak|tidak|nggak) jadi)\b|^menu$|dari awal|keluar", re.IGNORECASE)


@dataclass
class Story:
    """What happened to a persona."""

    persona: Persona
    channel: str
    wish: Wish
    """What was wanted in the end."""
    lines: list[str] = field(default_factory=list)
    sent: int = 0
    to_the_link: int | None = None
    """Messages until the first payment link."""
    whatsapp_messages: int | None = None
    """Messages that WhatsApp delivered until the confirmation."""
    gave_up: str = ""
    lost_drafts: list[str] = field(default_factory=list)
    apologies: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """Why the outcome isn't what was wanted."""


class Shopper:
    """One persona with a phone."""

    def __init__(self, persona: Persona, stage: Stage, channel: str, seed: int) -> None:
        self._persona = persona
        self._stage = stage
        self._voice = Voice(persona.habits, Random(f"{seed} {persona.name}"))
        self._person = stage.customer(channel, persona.wish.name, persona.wish.phone)
        self._on_the_way = list(persona.on_the_way)
        self._goes_on = list(persona.goes_on)
        self._later = list(persona.later)
        self._wishes = [persona.wish, *persona.also]
        self._concern: Then | None = None
        """None: the booking."""
        self._asked = Counter[str]()
        self._seen = Counter[str]()
        self._tapped = Counter[str]()
        self._link: str | None = None
        """Where to pay, until it was tried."""
        self._pleas = 0
        self._is_settled = False
        self._lets_go = False
        """Whether the person has said that the open order may go; the shop may ask once more."""
        self.story = Story(persona, channel, persona.wish)

    async def play(self) -> Story:
        """Go through the conversation to its end."""
        try:
            await self._say(self._persona.says, spelled=True)
            while not self.story.gave_up and await self._step():
                if self.story.sent >= MOST_MESSAGES:
                    self.story.gave_up = f"not done after {MOST_MESSAGES} messages"
        except TimeoutError:
            self.story.gave_up = "the server never came to rest"
        except ActionImpossible as impossible:
            self.story.gave_up = str(impossible)
        self.story.apologies = await self._stage.failures()
        return self.story

    async def books(self) -> Books:
        return await self._stage.books(self._person)

    @property
    def _wish(self) -> Wish:
        return self.story.wish

    async def _step(self) -> bool:
        """Do the next thing; False when there is nothing more to do."""
        screen = Screen(self._person.unread())
        self._show(screen)
        if screen.link:
            self._link = screen.link
            self.story.to_the_link = self.story.to_the_link or self.story.sent
        question = screen.question
        if screen.is_settled and not self._is_settled:
            self._is_settled = True
            if self._person.network.name == "whatsapp":
                self.story.whatsapp_messages = self._stage.sent_by_whatsapp(self._person)
        if interjection := self._interjection("link" if screen.link else question):
            return await self._interject(interjection)
        if screen.link or question in (None, "menu"):
            if self._link and self._persona.pays:
                return await self._pay()
            if self._link and self._concern is None:
                return await self._next_concern()
        if self._concern and (option := self._serving(screen)):
            return await self._choose(option)
        if question == "menu" and (option := screen.option(r"^(lanjutkan booking|continue booking|resume)")):
            return await self._choose(option)
        if question is None or question == "menu":
            return await self._nothing_asked(screen)
        is_through = not self._on_the_way and not self._goes_on
        if self._persona.end is End.NOTHING and is_through and question != "sure":
            return False  # they have said that they don't want it
        self._seen[f"{question} {screen.text[-200:]}"] += 1
        self._asked[question] += 1
        if self._seen[f"{question} {screen.text[-200:]}"] >= MOST_REPEATS or self._asked[question] > 2 * MOST_REPEATS:
            self.story.gave_up = f"asked for the {question} again and again"
            return False
        return await self._answer(question, screen)

    # --- what the persona does beside answering ------------------------------------------------

    def _interjection(self, question: str | None) -> At | None:
        fitting = (each for each in self._on_the_way if question in each.questions.split("|"))
        return next(fitting, None)

    async def _interject(self, what: At) -> bool:
        self._on_the_way.remove(what)
        self.story.wish = replace(self._wish, **what.changes)
        await self._leave(what.away)
        if what.taken:
            await self._stage.others_book(date_of(what.taken[0]), what.taken[1])
        if what.photo:
            await self._send_photo()
        if what.says:
            await self._say(what.says, spelled=True)
        return True

    async def _nothing_asked(self, screen: Screen) -> bool:
        """The next line; the concern once more in other words; or, where the answer was all, the next concern."""
        if self._concern or self._is_settled:
            return await self._next_concern()
        if self._persona.end in (End.NOTHING, End.ALERT) and not self._on_the_way and not self._goes_on:
            return await self._next_concern()
        if self._goes_on:
            await self._say(self._goes_on.pop(0), spelled=True)
            return True
        self._pleas += 1
        if self._pleas > 2:
            self.story.gave_up = "nothing came of it"
            return False
        begin = screen.option(r"^(booking|book) ")
        if begin and (self._persona.habits & {Habit.TAPS, Habit.NUMBERS} or self._pleas > 1):
            return await self._choose(begin)
        await self._say(self._voice.answer("again", self._wish, asked=1))
        return True

    async def _next_concern(self) -> bool:
        self._asked.clear()
        self._seen.clear()
        if not self._later:
            return False
        self._concern = self._later.pop(0)
        concern = self._concern
        if concern.after_the_job:
            await self._stage.do_the_job()
            self._person.unread()
        await self._leave(concern.away)
        self.story.wish = replace(self._wish, **concern.changes)
        if concern.photo:
            await self._send_photo()
        if concern.says:
            await self._say(concern.says, spelled=True)
        return True

    def _serving(self, screen: Screen) -> Option | None:
        """A button that serves the concern and wasn't tapped twice before."""
        assert self._concern
        option = screen.option(self._concern.taps) if self._concern.taps else None
        return option if option and self._tapped[option.title] < 2 else None

    async def _pay(self) -> bool:
        link, self._link = self._link, None
        assert link
        paid = await self._stage.pay(link, CHANNELS[self._wish.by])
        self._note("€", f"pays by {self._wish.by}" if paid else "the page to pay on has ended")
        return True

    async def _leave(self, hours: float) -> None:
        if hours:
            self._note("…", f"{hours:g} hours later")
            self._stage.clock.move(hours=hours)
            await self._stage.settle()

    # --- answering -----------------------------------------------------------------------------

    async def _answer(self, question: str, screen: Screen) -> bool:
        asked = self._asked[question]
        option = self._fitting(question, screen)
        likes_to_tap = self._persona.habits & {Habit.TAPS, Habit.NUMBERS} and question not in NUMBERS_ANYWAY
        likes_to_tap = likes_to_tap or asked > 1 or not self._words(question)
        if option and likes_to_tap:
            return await self._choose(option)
        if question == "phone" and Habit.TAPS in self._persona.habits and self._person.keyboard:
            self._note(">", "[shares the phone number]")
            await self._deed(self._person.share_contact())
            return True
        words = self._words(question)
        if words:
            await self._say(self._voice.answer(words, self._wish, asked=asked))
            return True
        self.story.gave_up = f"no answer to the {question}"
        return False

    def _words(self, question: str) -> str:
        """The phrases (`voice.PHRASES`) that answer a question; "" if only an option can."""
        wish = self._wish
        match question:
            case "part":
                named = bool(wish.parts) and wish.parts[0] in DEMO.parts
                return "part" if named else "" if wish.parts else "no_part"
            case "category":
                return "category" if wish.parts else "no_part"
            case "day" | "which_hour" | "hour":
                asked = "day" if question == "day" else "hour"
                return asked if (wish.day if asked == "day" else wish.hour) else f"any_{asked}"
            case "technician":
                return "technician" if wish.technician else "any_technician"
            case "email" | "plate":
                return question if getattr(wish, question) else f"no_{question}"
            case "place":
                return "onsite" if wish.address else "workshop"
            case "plan":
                return {"full": "full", "cash": "cash"}.get(wish.pay, "dp")
            case "method":
                return "cash" if wish.pay == "cash" else "method"
            case "service":
                return "" if wish.parts_only or not (wish.parts or wish.services) else "service"
            case "which" | "stars" | "skip" | "change" | "comment" | "menu":
                return ""
            case "car":
                return "car"
        return question

    def _fitting(self, question: str, screen: Screen) -> Option | None:
        """The option that a person who wants this would take."""
        wish = self._wish
        match question:
            case "category":
                return screen.option(self._category_pattern())
            case "part":
                return self._part_in(screen)
            case "service":
                if wish.parts_only:
                    return screen.option(r"^(tanpa jasa|no service)")
                return self._named(screen, [DEMO.services[each].name for each in wish.services]) or screen.option(
                    r"^(pasang|install)"
                )
            case "more" | "more_services":
                return screen.option(r"^(lanjut|continue|sudah cukup|that's enough)")
            case "car" | "model" | "year":
                return self._of_the_car(question, screen)
            case "day":
                day = date_of(wish.day) if wish.day else None
                return screen.option(rf"\b{day.day} {MONTHS[day.month - 1][:3]}" if day else r"\d \w{3}")
            case "hour" | "which_hour":
                return self._hour_in(screen)
            case "technician":
                return screen.option(wish.technician or r"^(siapa saja|anyone)")
            case "name":
                return screen.option(re.escape(wish.name))
            case "email" | "plate" | "skip" | "comment":
                return None if getattr(wish, question, "") else screen.option(r"^(lewati|skip)")
            case "place":
                return screen.option(
                    r"^(di tempat saya|at my place)" if wish.address else r"^(di bengkel|at the workshop)"
                )
            case "summary":
                return screen.option(r"^(lanjut|go to|continue|ya, |yes, )")
            case "plan":
                shares = {"full": r"^(bayar penuh|pay in full|lunas)", "cash": r"tunai|di tempat|on the spot|cash"}
                return screen.option(shares.get(wish.pay, rf"\b{wish.pay} ?%"))
            case "method":
                return screen.option(r"tunai|di tempat|on the spot" if wish.pay == "cash" else rf"\b{wish.by}")
            case "fit":
                return screen.option(r"^(ya|yes)") or self._part_in(screen)
            case "sure":
                return screen.option(r"^(ya|yes)")
            case "which":
                return self._which(screen)
            case "quantity":
                return screen.option(rf"^{wish.count}$")
            case "stars":
                return screen.option(r"⭐")
        return None

    def _part_in(self, screen: Screen) -> Option | None:
        """The wished part; or the first that is within the budget and in stock."""
        wish = self._wish
        if not wish.parts:
            return screen.option(r"jasa saja|services only|kategori lain|another category")
        named = [DEMO.parts[each].name for each in wish.parts if each in DEMO.parts]
        if named:
            return self._named(screen, named)
        for option in screen.options:
            price = re.search(r"Rp ?([\d.]+)", option.text)
            if not price or not re.search(r"stok|sisa|in stock|left", option.text, re.IGNORECASE):
                continue
            if wish.at_most is None or int(price[1].replace(".", "")) <= wish.at_most:
                return option
        return screen.option(r"lihat lainnya|more ▸|show more")

    def _named(self, screen: Screen, names: list[str]) -> Option | None:
        """An option with this name, or with its beginning, which is all that a list shows."""
        for name in names:
            for option in screen.options:
                pieces = [piece.rstrip("…").strip().casefold() for piece in (option.title, *option.title.split(" · "))]
                if any(len(piece) > 3 and name.casefold().startswith(piece) for piece in pieces):
                    return option
        return screen.option(r"lihat lainnya|more ▸|show more") if names else None

    def _of_the_car(self, question: str, screen: Screen) -> Option | None:
        model, _, year = self._wish.car.rpartition(" ")
        brand = next((car.brand for car in DEMO.cars.values() if car.model == model), "Mobil lain")
        wanted = {"car": brand, "model": model, "year": year}[question]
        return screen.option(rf"^{re.escape(wanted)}$") or screen.option(r"lihat lainnya|more ▸|show more")

    def _hour_in(self, screen: Screen) -> Option | None:
        wish = self._wish
        if wish.hour is None:
            return screen.option(r"\d\d:\d\d(?!.*(antre|wait))")
        day = date_of(wish.day) if wish.day else None
        on_the_day = rf"{day.day} .*{wish.hour:02}[:.]00" if day else ""
        waits = "antre|wait" if self._persona.end is End.WAITING else ""
        return (screen.option(on_the_day) if day else None) or screen.option(rf"^{wish.hour:02}[:.]00.*{waits}")

    def _category_pattern(self) -> str:
        part = self._wish.parts[0] if self._wish.parts else ""
        if not part:
            return r"^(jasa saja|services only)"
        category = DEMO.parts[part].category if part in DEMO.parts else part
        return re.escape(CATEGORIES.get(category, category).split()[0])

    def _which(self, screen: Screen) -> Option | None:
        model = self._wish.car.rpartition(" ")[0]
        return screen.option(re.escape(model)) or screen.option("BK-")

    # --- deeds ---------------------------------------------------------------------------------

    async def _say(self, words: Words, *, spelled: bool = False) -> None:
        messages = [words] if isinstance(words, str) else list(words)
        if spelled:
            messages = [self._voice.write(each) for each in messages]
        if Habit.BURSTS in self._persona.habits and len(messages) == 1 and len(messages[0].split()) > 3:
            messages = _in_pieces(messages[0])
        before = await self._stage.conversation(self._person), await self._stage.orders()
        self._stage.clock.move(seconds=SECONDS_BETWEEN)
        for message in messages:
            self._note(">", message)
            await self._person.type(message)
        self._stage.clock.move(seconds=SECONDS_OF_SILENCE)
        self.story.sent += len(messages)
        await self._stage.settle()
        await self._look_for_the_draft(before, " ".join(messages))

    async def _choose(self, option: Option) -> bool:
        self._tapped[option.title] += 1
        by_number = Habit.NUMBERS in self._persona.habits
        if by_number or option.bubble is None:
            await self._say(str(option.number))
            return True
        self._note(">", f"[{option.title}]")
        before = await self._stage.conversation(self._person), await self._stage.orders()
        await self._deed(self._person.tap(option.title, option.bubble))
        await self._look_for_the_draft(before, option.title)
        return True

    async def _send_photo(self) -> None:
        self._note(">", "[a photo]")
        await self._deed(self._person.send_photo(_PICTURE))

    async def _deed(self, deed: object) -> None:
        self._stage.clock.move(seconds=SECONDS_BETWEEN)
        await deed  # type: ignore[misc]
        self._stage.clock.move(seconds=SECONDS_OF_SILENCE)
        self.story.sent += 1
        await self._stage.settle()

    async def _look_for_the_draft(self, before: tuple[dict[str, object], int], said: str) -> None:
        """A draft that was open must still be there, unless it has become an order or the person let it go."""
        state, orders = before
        self._lets_go = self._lets_go or ENDS_A_DRAFT.search(said) is not None
        now = await self._stage.conversation(self._person)
        if not has_draft(state) or has_draft(now) or await self._stage.orders() > orders:
            return
        if self._lets_go:
            self._lets_go = False
        else:
            self.story.lost_drafts.append(said)
            self._note("!", "THE DRAFT IS LOST")

    def _show(self, screen: Screen) -> None:
        for bubble in screen.bubbles:
            kind = f"({bubble.kind}) " if bubble.kind != "text" else ""
            self._note("<", kind + bubble.text.replace("\n", "\n    "))
        if screen.options:
            self._note(" ", " ".join(f"[{option.text.strip()}]" for option in screen.options))

    def _note(self, sign: str, words: str) -> None:
        self.story.lines.append(f"{sign} {words}")


def _in_pieces(text: str) -> list[str]:
    """Three or four words a message."""
    words = text.split()
    return [" ".join(words[start : start + 3]) for start in range(0, len(words), 3)]


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "grey").save(file, "JPEG")
    return file.getvalue()


_PICTURE = _picture()
