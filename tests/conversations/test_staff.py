"""Staff in the chat: whole jobs with several people, who may do what, and what is read of what they type.

sari > typed words      dedi [a button]      rina < what must be on the screen      <! what must not
dedi @photo words       sari @link arrives   sari @pays          sari ! a button's data
sari @waits 90 minutes
{code} stands for the newest booking's code, {refund} for the newest refund's key.
"""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from talk import Talk

from conversations.staff.amounts import read_rupiah
from core.db.database import Database
from core.db.tables import Booking, Refund
from core.shop import Shop

FOLDER = Path(__file__).parents[1] / "transcripts" / "staff"
TRANSCRIPTS = {file.stem: file.read_text("utf-8") for file in sorted(FOLDER.glob("*.txt"))}
PEOPLE = {
    "sari": ("whatsapp", "whatsapp:+6281290000001"),
    "dedi": ("telegram", "7000000002"),
    "rizky": ("telegram", "7000000003"),
    "rina": ("telegram", "7000000001"),
}
KEY = "0123456789abcdef0123456789abcdef.jpg"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Ibu Rina is the admin; Dedi and Rizky are technicians with a chat."""
    staff = [
        *(each.model_dump() for each in shop.staff),
        {"name": "Dedi", "role": "technician", "technician": "dedi", "telegram": 7000000002},
        {"name": "Rizky", "role": "technician", "technician": "rizky", "telegram": 7000000003},
    ]
    return Shop.model_validate(shop.model_dump() | {"staff": staff})


@pytest.mark.parametrize("transcript", TRANSCRIPTS)
async def test_several_people_talk_as_written(transcript: str, stocked: Database, shop: Shop, now: datetime) -> None:
    scene = Scene(stocked, shop, now)
    for number, line in enumerate(TRANSCRIPTS[transcript].splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            await scene.play(line, f"{transcript}.txt line {number}: {line}")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("150rb", 150_000),
        ("150.000", 150_000),
        ("Rp 150.000,-", 150_000),
        ("150 ribu rupiah", 150_000),
        ("1,5 juta", 1_500_000),
        ("1.25jt", 1_250_000),
        ("75000", 75_000),
        ("150", None),  # rupiah, or thousands?
        ("1.500rb", None),  # one and a half, or fifteen hundred thousand?
        ("150.00", None),  # cents, or a slip?
        ("-150rb", None),
        ("150rb atau 200rb", None),
        ("mahal", None),
    ],
)
def test_an_amount_that_could_be_another_is_not_read(text: str, amount: int | None) -> None:
    assert read_rupiah(text) == amount


class Scene:
    """Several people in their chats, at one clock."""

    def __init__(self, database: Database, shop: Shop, now: datetime) -> None:
        self.database, self.now = database, now
        self.people = {
            name: Talk(database, shop, channel, now, name=name.title(), address=address)
            for name, (channel, address) in PEOPLE.items()
        }
        self.looked: set[str] = set()

    async def play(self, line: str, where: str) -> None:
        if "{" in line:
            line = line.replace("{code}", await self._code()).replace("{refund}", await self._refund())
        name, what = line.split(" ", 1)
        talk = self.people[name]
        if what.startswith("<"):
            await self._sees(name, what[1:].strip(), where)
            return
        if name not in self.looked:
            await talk.look()
        talk.now = self.now
        await _do(talk, what)
        self.now, self.looked = talk.now, {name}

    async def _sees(self, name: str, expected: str, where: str) -> None:
        talk = self.people[name]
        if name not in self.looked:
            talk.now = self.now
            await talk.look()
            self.looked.add(name)
        wanted = not expected.startswith("!")
        is_there = expected.removeprefix("!").strip().casefold() in talk.screen.casefold()
        assert is_there == wanted, f"{where}\n\n{talk.screen}"

    async def _code(self) -> str:
        async with self.database.read() as session:
            return (await session.scalars(select(Booking.code).order_by(Booking.id.desc()).limit(1))).one()

    async def _refund(self) -> str:
        async with self.database.read() as session:
            return await session.scalar(select(Refund.key).order_by(Refund.asked_at.desc()).limit(1)) or ""


async def _do(talk: Talk, what: str) -> None:
    match what[0], what[1:].strip():
        case ">", text:
            await talk.type(text)
        case "[", label:
            await talk.tap(label.removesuffix("]"))
        case "!", choice:
            await talk.choose(choice)
        case "@", "link arrives":
            await talk.link_arrives()
        case "@", wait if wait.startswith("waits"):
            talk.now += timedelta(minutes=int(wait.split(" ")[1]))
            await talk.look()
        case "@", "pays":
            await talk.pays()
        case "@", way if way.startswith("pays by"):
            await talk.pays(by=way.split(" ")[2])
        case "@", "pays late":
            await talk.pays(late=True)
        case "@", "time runs out":
            await talk.time_runs_out()
        case "@", deed if deed.startswith("booked"):
            _, moment, *technician = deed.split(" ")
            await talk.has_booked(moment, next(iter(technician), None))
        case "@", deed if deed.startswith("others book"):
            await talk.others_book(deed.removeprefix("others book").strip())
        case "@", photo if photo.startswith("photo"):
            await talk.send_photo(photo.removeprefix("photo").strip() or None, stored=(KEY,))
        case _:
            raise ValueError(what)
