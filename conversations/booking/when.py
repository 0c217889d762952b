"""Which day, which slot, which technician."""

from collections.abc import Sequence
from datetime import date, datetime, time

from conversations import draft, exclusions
from conversations.draft import Job
from conversations.turn import Question, Step, Turn, question
from conversations.understand.answers import read_wait, read_whatever
from core.db.tables import Technician
from core.messaging.messages import Option, Say, say
from core.refusals import (
    AlreadyWaiting,
    Closed,
    InThePast,
    NotASlot,
    NoTechnician,
    NotFound,
    OutsideHours,
    Refusal,
    ShortNotice,
    SlotFull,
    TechnicianBusy,
    TooFarAhead,
)
from core.schedule import availability
from core.schedule.availability import SlotAvailability

DAYS_SHOWN = 5
ANY_DAY = "any_day"
"""The answer of a customer who may come on any day."""
PARTS_OF_DAY = {"morning": (0, 11), "noon": (11, 15), "afternoon": (12, 19), "evening": (17, 24)}
"""First and last hour of pagi, siang, sore and malam."""


class Day(Step):
    name = "date"
    drops = ("confirmed", "agreed")
    reopened_by = (InThePast, TooFarAhead, Closed)

    def needed(self, turn: Turn) -> bool:
        """Not to somebody who may come on any day: the nearest slots are offered then."""
        return ANY_DAY not in turn.state

    async def ask(self, turn: Turn) -> Question:
        minutes, unwanted = (await draft.job(turn)).minutes, exclusions.of(turn, self.name)
        days = await availability.open_days(turn.ctx, minutes=minutes, count=DAYS_SHOWN + len(unwanted))
        days = [day for day in days if day.isoformat() not in unwanted][:DAYS_SHOWN]
        if turn.state.get("days"):
            days = [date.fromisoformat(day) for day in turn.state.get("days")]
        return question(
            say("ask.date_which" if turn.state.get("days") else "ask.date"),
            options=[Option(day.isoformat(), say("day.short", day=day)) for day in days],
            button=say("button.date"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        turn.state.drop("days", ANY_DAY)
        return await self.take(turn, option, recheck=("time", "technician"))

    async def read(self, turn: Turn, text: str) -> bool:
        said = turn.understood
        if said.date is None or said.date_is_ambiguous:
            return await self.absorb(turn)
        await self.choose(turn, said.date.isoformat())
        if said.part_of_day:
            turn.state.put("part_of_day", said.part_of_day)
        return True

    async def absorb(self, turn: Turn) -> bool:
        said = turn.understood
        if said.date_is_ambiguous and said.dates and self.name not in turn.state:
            turn.state.put("days", [day.isoformat() for day in said.dates])
            return True
        if self.name in said.any and self.name not in turn.state:
            turn.state.put(ANY_DAY, True)
            return True
        if said.part_of_day and said.date and self.name not in turn.state:
            turn.state.put("part_of_day", said.part_of_day)
        return await super().absorb(turn)

    async def check(self, turn: Turn, answer: str) -> Say | None:
        day, today = date.fromisoformat(answer), turn.local_now.date()
        if day < today:
            return say("date.past", day=day)
        if (day - today).days > turn.shop.book_ahead_days:
            return say("date.too_far", days=turn.shop.book_ahead_days)
        closed = await availability.why_closed(turn.ctx, day, language=turn.contact.language)
        return None if closed is None else say("date.closed", day=day, why=closed)


class Slot(Step):
    name = "time"
    drops = ("confirmed", "agreed")
    reopened_by = (SlotFull, AlreadyWaiting, OutsideHours, NotASlot, InThePast, ShortNotice, TooFarAhead, Closed)
    own_numbers = True

    async def ask(self, turn: Turn) -> Question:
        day, job = draft.day(turn), await draft.job(turn)
        if day is None:
            return await self._ask_nearest(turn, turn.local_now.date(), job, (), why="any")
        load = await _load(turn, day, job)
        unwanted = exclusions.of(turn, self.name)
        free = [
            slot
            for slot in load
            if slot.free
            and not _is_current_start(job, slot.starts_at)
            and f"{turn.shop.local(slot.starts_at):%H:%M}" not in unwanted
        ]
        asked_for = turn.state.get("full")
        waitable = [slot for slot in load if _can_join_waitlist(slot, job)]
        waitable = [slot for slot in waitable if slot.starts_at.isoformat() == asked_for] or (
            waitable if not free else []
        )
        if not free and not draft.awaited_part(turn):
            is_full = any(isinstance(slot.why_not, SlotFull) for slot in load)
            return await self._ask_nearest(turn, day, job, waitable, why="none" if is_full else "over")
        hours = say("hours_needed", minutes=job.minutes)
        since, until = PARTS_OF_DAY.get(turn.state.get("part_of_day"), (0, 24))
        shown = [slot for slot in free if since <= turn.shop.local(slot.starts_at).hour < until] or free
        return question(
            *self._waitlist_hint(turn, waitable),
            say("ask.time", day=day, hours=hours),
            options=[_slot_option(turn, slot) for slot in shown],
            always=[*(_waitlist_option(turn, slot) for slot in waitable), Option("other_day", say("option.other_day"))],
            button=say("button.time"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == "other_day":
            turn.state.drop("date", "part_of_day", ANY_DAY)
            return True
        if option.startswith("wait:"):
            return await self._join_waitlist(turn, option.removeprefix("wait:"))
        if "T" in option:
            day, _, clock = option.partition("T")
            turn.state.put("date", day)
            return await self._take(turn, clock)
        return await self._take(turn, option)

    async def read(self, turn: Turn, text: str) -> bool:
        said = turn.understood
        clock = said.time
        if text.strip().isdigit() and int(text) < 24:
            is_shown = any(label.startswith(f"{int(text):02}:00") for _, label in turn.state.shown)
            clock = time(int(text)) if is_shown else None
        if said.date and not said.date_is_ambiguous and said.date != draft.day(turn):
            turn.state.put("date", said.date.isoformat(), tentative=True)
            if clock:
                turn.state.put("time", f"{clock:%H:%M}", tentative=True)
            return True
        if read_wait(text) and turn.state.about is None:
            return await self._join_waitlist(turn, f"{clock:%H:%M}" if clock else None)
        if clock:
            return await self._take(turn, f"{clock:%H:%M}")
        if said.part_of_day:
            turn.state.put("part_of_day", said.part_of_day)
            return True
        if self.name in said.any:
            return await self._take_first(turn)
        return False

    async def _take_first(self, turn: Turn) -> bool:
        """Any hour will do: the first that is free on the chosen day, or the nearest of all."""
        day, job = draft.day(turn), await draft.job(turn)
        if day is None:
            nearest = next((option for option, _ in turn.state.shown if "T" in option), None)
            return nearest is not None and await self.choose(turn, nearest)
        load = await _load(turn, day, job)
        first = next((slot for slot in load if slot.free and not _is_current_start(job, slot.starts_at)), None)
        return first is not None and await self._take(turn, f"{turn.shop.local(first.starts_at):%H:%M}")

    async def _take(self, turn: Turn, clock: str) -> bool:
        return await self.take(turn, clock, recheck=["technician"])

    async def _join_waitlist(self, turn: Turn, clock: str | None) -> bool:
        """Join the waitlist for that time, or for the full one that was just asked for."""
        day, asked = draft.day(turn), turn.state.get("full")
        at = turn.shop.at(day, time.fromisoformat(clock)) if day and clock else None
        at = at or (datetime.fromisoformat(asked) if asked else None)
        if at is None or turn.shop.local(at).date() != day:
            turn.remark("waiting.which")
            return True
        job = await draft.job(turn)
        slot = next((slot for slot in await _load(turn, day, job) if slot.starts_at == at), None)
        if slot is not None and _can_join_waitlist(slot, job):
            turn.state.put("awaits_slot", at.isoformat())
            turn.remark("waiting.noted_slot", at=at)
        return await self._take(turn, f"{turn.shop.local(at):%H:%M}")

    async def check(self, turn: Turn, answer: str) -> Say | None:
        day = draft.day(turn)
        if day is None:
            return None
        job, at = await draft.job(turn), turn.shop.at(day, time.fromisoformat(answer))
        if _is_current_start(job, at):
            return say("move.same", at=at)
        slot = next((slot for slot in await _load(turn, day, job) if slot.starts_at == at), None)
        if slot is None:
            return say("time.not_a_slot", at=at)
        why = _why_not(slot)
        if why is None:
            return None
        if _can_join_waitlist(slot, job):
            if draft.awaited_part(turn) or turn.state.get("awaits_slot") == at.isoformat():
                return None
            turn.state.put("full", at.isoformat())
        hours, notice = say("hours_needed", minutes=job.minutes), turn.shop.book_notice_minutes
        return say(f"time.{why}", at=at, hours=hours, notice=notice)

    def _waitlist_hint(self, turn: Turn, waitable: Sequence[SlotAvailability]) -> list[Say]:
        """Tells a customer who asked for a full slot that it can be waited for."""
        asked = turn.state.get("full")
        return [say("waiting.how")] if any(slot.starts_at.isoformat() == asked for slot in waitable) else []

    async def _ask_nearest(
        self, turn: Turn, day: date, job: Job, waitable: Sequence[SlotAvailability], *, why: str
    ) -> Question:
        near = await availability.nearest_options(
            turn.ctx,
            turn.shop.at(day, time(12)),
            job.minutes,
            moving=job.moved_id,
            excluding=job.moved.starts_at if job.moved and job.moved.holding else None,
            count=5,
        )
        return question(
            *self._waitlist_hint(turn, waitable),
            say(f"ask.time_{why}" if near else f"ask.time_{why}_at_all", day=day),
            options=[*near, *(_waitlist_option(turn, slot) for slot in waitable)],
            always=[Option("other_day", say("option.other_day"))],
            button=say("button.time"),
        )


def read_start(turn: Turn, text: str) -> datetime:
    """The start that such an option carries; raises `NotFound` for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=turn.shop.zone)
    except ValueError:
        raise NotFound from None


async def _load(turn: Turn, day: date, job: Job) -> list[SlotAvailability]:
    return await availability.slots_of_day(turn.ctx, day, minutes=job.minutes, moving=job.moved_id)


def _can_join_waitlist(slot: SlotAvailability, job: Job) -> bool:
    """Whether a new job can wait for a slot: it would fit there, but for other bookings."""
    return job.moved is None and _why_not(slot) in ("full", "partly")


def _waitlist_option(turn: Turn, slot: SlotAvailability) -> Option:
    at = turn.shop.local(slot.starts_at)
    return Option(f"wait:{at:%H:%M}", say("option.wait_slot", at=at))


def _is_current_start(job: Job, at: datetime) -> bool:
    """Whether the booking to reschedule is there already."""
    return job.moved is not None and job.moved.holding and job.moved.starts_at == at


def _slot_option(turn: Turn, slot: SlotAvailability) -> Option:
    at = turn.shop.local(slot.starts_at)
    left = slot.cap - slot.taken
    label = say("slot.left", at=at, left=left) if left < slot.cap else say("slot.free", at=at)
    return Option(f"{at:%H:%M}", label)


def _why_not(slot: SlotAvailability) -> str | None:
    """Why the job can't start there, as the texts `slot.…` and `time.…` are named; None when it can."""
    match slot.why_not:
        case None:
            return None
        case InThePast():
            return "past"
        case ShortNotice():
            return "notice"
        case TooFarAhead():
            return "too_far"
        case NoTechnician():
            return "nobody"
        case SlotFull():
            return "full" if slot.taken >= slot.cap else "partly"
        case _:
            return "too_short"


class WhichTechnician(Step):
    name = "technician"
    drops = ("confirmed", "agreed")
    reopened_by = (TechnicianBusy,)

    def needed(self, turn: Turn) -> bool:
        """Asked only if the customer names somebody or wants to choose; not for an order on the waitlist."""
        wanted = self.name in turn.state or turn.state.get("asking") == self.name
        return wanted and not draft.is_for_waitlist(turn)

    async def ask(self, turn: Turn) -> Question:
        unwanted = exclusions.of(turn, self.name)
        free = [one for one in await _free_technicians(turn, draft.chosen_start(turn)) if one.id not in unwanted]
        return question(
            say("ask.technician"),
            options=[Option("any", say("option.any_technician")), *(Option(one.id, one.name) for one in free)],
            button=say("button.technician"),
        )

    async def read(self, turn: Turn, text: str) -> bool:
        if read_whatever(text) or self.name in turn.understood.any:
            return await self.choose(turn, "any")
        return await self.absorb(turn)

    async def check(self, turn: Turn, answer: str) -> Say | None:
        chosen, starts_at = draft.technician_id(turn), draft.starts_at(turn)
        if chosen is None or starts_at is None:
            return None
        free = await _free_technicians(turn, starts_at)
        if any(one.id == chosen for one in free):
            return None
        turn.state.put("asking", self.name)
        return say("technician.busy", name=turn.catalogue.technicians[chosen].name, at=turn.shop.local(starts_at))

    def reopen(self, turn: Turn, refusal: Refusal) -> None:
        """If no technician was chosen, nobody can do it then: ask for another time."""
        if draft.technician_id(turn) is None:
            turn.state.drop("date", "time", *self.drops)
        else:
            super().reopen(turn, refusal)
            turn.state.put("asking", self.name)


async def _free_technicians(turn: Turn, starts_at: datetime) -> list[Technician]:
    job = await draft.job(turn)
    return await availability.free_technicians(turn.ctx, starts_at, job.minutes, skills=job.skills, moving=job.moved_id)
