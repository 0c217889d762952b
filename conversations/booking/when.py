"""Which day, which slot, which technician."""

from collections.abc import Sequence
from datetime import date, datetime, time

from conversations.booking import draft
from conversations.booking.draft import Job
from conversations.turn import Question, Step, Turn, question
from conversations.understand.answers import read_wait, read_whatever
from conversations.understand.when import read_when
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

DAYS_SHOWN = 7
PARTS_OF_DAY = {"morning": (0, 11), "noon": (11, 15), "afternoon": (12, 19), "evening": (17, 24)}
"""First and last hour of pagi, siang, sore and malam."""


class Day(Step):
    name = "date"
    drops = ("confirmed", "agreed")
    reopened_by = (InThePast, TooFarAhead, Closed)

    async def ask(self, turn: Turn) -> Question:
        minutes = (await draft.job(turn)).minutes
        days = await availability.open_days(turn.ctx, minutes=minutes, count=DAYS_SHOWN)
        return question(
            say("ask.date"),
            options=[Option(day.isoformat(), say("day.short", day=day)) for day in days],
            button=say("button.date"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        return await self.take(turn, option, recheck=("time", "technician"))

    async def read(self, turn: Turn, text: str) -> bool:
        when = read_when(text, now=turn.written_at, shop=turn.shop)
        if when is None or when.day is None:
            return False
        await self.choose(turn, when.day.isoformat())
        if when.time:
            turn.state.put("time", f"{when.time:%H:%M}", tentative=True)
        elif when.part_of_day:
            turn.state.put("part_of_day", when.part_of_day)
        return True

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
        day = draft.day(turn)
        if day is None:
            raise LookupError("the day is asked before the slot")
        job = await draft.job(turn)
        load = await _load(turn, day, job)
        free = [slot for slot in load if slot.free and not _is_current_start(job, slot.starts_at)]
        waitable = [slot for slot in load if _can_join_waitlist(slot, job)]
        if not free and not draft.awaited_part(turn):
            is_full = any(isinstance(slot.why_not, SlotFull) for slot in load)
            return await self._ask_nearest(turn, day, job, waitable, why="none" if is_full else "over")
        hours = say("hours_needed", minutes=job.minutes)
        since, until = PARTS_OF_DAY.get(turn.state.get("part_of_day"), (0, 24))
        shown = [slot for slot in free if since <= turn.shop.local(slot.starts_at).hour < until] or free
        return question(
            *self._waitlist_hint(turn, waitable),
            say("ask.time", day=day, hours=hours, slots=[_slot_line(turn, slot) for slot in load]),
            options=[
                *(
                    Option(
                        f"{turn.shop.local(slot.starts_at):%H:%M}",
                        say("slot.option", at=turn.shop.local(slot.starts_at), taken=slot.taken, cap=slot.cap),
                    )
                    for slot in shown
                ),
                *(_waitlist_option(turn, slot) for slot in waitable),
            ],
            always=[Option("other_day", say("option.other_day"))],
            button=say("button.time"),
        )

    async def choose(self, turn: Turn, option: str) -> bool:
        if option == "other_day":
            turn.state.drop("date", "part_of_day")
            return True
        if option.startswith("wait:"):
            return await self._join_waitlist(turn, option.removeprefix("wait:"))
        if "T" in option:
            day, _, clock = option.partition("T")
            turn.state.put("date", day)
            return await self._take(turn, clock)
        return await self._take(turn, option)

    async def read(self, turn: Turn, text: str) -> bool:
        when = read_when(text, now=turn.written_at, shop=turn.shop)
        clock = when.time if when else None
        if text.strip().isdigit() and int(text) < 24:
            is_shown = any(label.startswith(f"{int(text):02}:00") for _, label in turn.state.shown)
            clock = time(int(text)) if is_shown else None
        if when and when.day and when.day != draft.day(turn):
            turn.state.put("date", when.day.isoformat(), tentative=True)
            if clock:
                turn.state.put("time", f"{clock:%H:%M}", tentative=True)
            return True
        if read_wait(text) and turn.state.about is None:
            return await self._join_waitlist(turn, f"{clock:%H:%M}" if clock else None)
        if clock:
            return await self._take(turn, f"{clock:%H:%M}")
        if when and when.part_of_day:
            turn.state.put("part_of_day", when.part_of_day)
            return True
        return False

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


def _slot_line(turn: Turn, slot: SlotAvailability) -> Say:
    at: datetime = turn.shop.local(slot.starts_at)
    why = _why_not(slot)
    return say(f"slot.{why}", at=at) if why else say("slot.load", at=at, taken=slot.taken, cap=slot.cap)


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
        """An order on the waitlist gets a technician who is free then, or the one it named."""
        return not draft.is_for_waitlist(turn)

    async def ask(self, turn: Turn) -> Question:
        free = await _free_technicians(turn, draft.chosen_start(turn))
        return question(
            say("ask.technician"),
            options=[Option("any", say("option.any_technician")), *(Option(one.id, one.name) for one in free)],
            button=say("button.technician"),
        )

    async def read(self, turn: Turn, text: str) -> bool:
        if read_whatever(text):
            return await self.choose(turn, "any")
        return self.absorb(turn)

    async def check(self, turn: Turn, answer: str) -> Say | None:
        chosen, starts_at = draft.technician_id(turn), draft.starts_at(turn)
        if chosen is None or starts_at is None:
            return None
        free = await _free_technicians(turn, starts_at)
        if any(one.id == chosen for one in free):
            return None
        return say("technician.busy", name=turn.catalogue.technicians[chosen].name, at=turn.shop.local(starts_at))

    def reopen(self, turn: Turn, refusal: Refusal) -> None:
        """If no technician was chosen, nobody can do it then: ask for another time."""
        if draft.technician_id(turn) is None:
            turn.state.drop("date", "time", *self.drops)
        else:
            super().reopen(turn, refusal)


async def _free_technicians(turn: Turn, starts_at: datetime) -> list[Technician]:
    job = await draft.job(turn)
    return await availability.free_technicians(turn.ctx, starts_at, job.minutes, skills=job.skills, moving=job.moved_id)
