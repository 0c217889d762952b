"""Staff in the chat: whole jobs with several people, who may do what, and what is read of what they type."""

from datetime import datetime

import pytest
from playing import play
from talk import Talk
from transcript import FOLDER, Happens, Sees, Step, read_folder

from conversations.engine import Engine
from conversations.staff.costs import read_rupiah
from core.db.database import Database
from core.shop import Shop

PEOPLE = {
    "sari": ("whatsapp", "whatsapp:+6281290000001"),
    "budi": ("telegram", "812399"),
    "dedi": ("telegram", "7000000002"),
    "rizky": ("telegram", "7000000003"),
    "rina": ("telegram", "7000000001"),
}
TRANSCRIPTS = read_folder(FOLDER / "staff", PEOPLE)


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
    for step in TRANSCRIPTS[transcript].steps:
        await scene.play(step)


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
        self.now = now
        engine = Engine()
        self.people = {
            name: Talk(database, shop, channel, now, name=name.title(), address=address, engine=engine)
            for name, (channel, address) in PEOPLE.items()
        }
        self.looked: set[str] = set()

    async def play(self, step: Step) -> None:
        """Play a step; who wasn't at it since the last deed looks at their screen first."""
        talk = self.people[step.person]
        talk.now = self.now
        if step.person not in self.looked:
            await talk.look()
        await play(talk, step)
        self.now = talk.now
        if isinstance(step, Sees):
            self.looked.add(step.person)
        else:
            has_waited = isinstance(step, Happens) and step.deed == "waits"
            self.looked = set() if has_waited else {step.person}
