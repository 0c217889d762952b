"""Plays a transcript's steps in a person's chat."""

from datetime import timedelta

from sqlalchemy import select
from talk import Talk
from transcript import Chooses, Happens, Sees, Step, Taps, Types

from core.db.database import Database
from core.db.tables import Booking, Refund

STORED = ("0123456789abcdef0123456789abcdef.jpg",)
VOICE = "fedcba9876543210fedcba9876543210.ogg"


async def play(talk: Talk, step: Step) -> None:
    """Do a step, or look whether what it expects is on the screen."""
    match step:
        case Types():
            await talk.type(await _filled(step.words, talk.database))
        case Taps():
            await talk.tap(await _filled(step.label, talk.database))
        case Chooses():
            await talk.choose(await _filled(step.data, talk.database))
        case Sees():
            is_there = (await _filled(step.words, talk.database)).casefold() in talk.screen.casefold()
            assert is_there == step.there, f"{step.where}\n\n{talk.screen}"
        case Happens():
            await _happen(talk, step.deed, step.what)
        case _:
            raise TypeError(step)


async def _happen(talk: Talk, deed: str, what: str) -> None:
    match deed:
        case "contact":
            await talk.share_contact(what)
        case "place":
            await talk.share_place()
        case "photo":
            await talk.send_photo(what or None, stored=STORED)
        case "voice":
            await talk.send_voice(VOICE)
        case "link arrives":
            await talk.link_arrives()
        case "pays":
            await talk.pays()
        case "pays late":
            await talk.pays(late=True)
        case "pays by":
            await talk.pays(by=what)
        case "time runs out":
            await talk.time_runs_out()
        case "waits":
            talk.now += timedelta(minutes=int(what.removesuffix(" minutes")))
            await talk.waiting_is_renewed()
        case "booked":
            moment, _, technician = what.partition(" ")
            await talk.has_booked(moment, technician or None)
        case "others buy":
            await talk.others_buy(what)
        case "others book":
            await talk.others_book(what)
        case "frees":
            await talk.something_frees(what)
        case "line moves":
            await talk.line_moves()
        case _:
            raise ValueError(deed)


async def _filled(text: str, database: Database) -> str:
    """The text with the newest booking's code and the newest refund's key in their places."""
    if "{" not in text:
        return text
    async with database.read() as session:
        code = await session.scalar(select(Booking.code).order_by(Booking.id.desc()).limit(1))
        refund = await session.scalar(select(Refund.key).order_by(Refund.asked_at.desc()).limit(1))
    return text.replace("{code}", code or "").replace("{refund}", refund or "")
