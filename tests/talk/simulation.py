"""Runs personas one after the other, each in a fresh shop, and adds up what came out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from databases import Aside, Postgres, Sqlite
from judging import complaints
from people_who_book import ONE_LINE, PLAIN
from persona import Persona
from shopper import Shopper, Story
from stage import staged
from voice import date_of

COUNTED = (ONE_LINE, PLAIN)
NETWORKS = ("whatsapp", "telegram")


async def play(persona: Persona, number: int, *, seed: int, database_url: str, folder: Path) -> Story:
    """Play a persona in a shop of its own; the channels take turns."""
    channel = persona.channel or NETWORKS[(number + seed) % len(NETWORKS)]
    async with staged(database_url, folder) as stage:
        for day, hour in persona.full:
            await stage.others_book(date_of(day), hour)
        shopper = Shopper(persona, stage, channel, seed)
        story = await shopper.play()
        story.complaints = complaints(persona, story.wish, await shopper.books(), stage.shop)
    return story


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, best and worst of some counts."""

    counts: Sequence[int]

    def __str__(self) -> str:
        if not self.counts:
            return "none"
        return (
            f"median {median(self.counts):g}, best {min(self.counts)}, worst {max(self.counts)} (of {len(self.counts)})"
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for all personas."""

    stories: Sequence[Story]

    @property
    def content(self) -> Sequence[Story]:
        return [story for story in self.stories if not story.complaints]

    @property
    def share(self) -> float:
        """The share of those who got what they wanted."""
        return len(self.content) / len(self.stories)

    @property
    def to_the_link(self) -> Spread:
        return Spread([story.to_the_link for story in self.stories if story.to_the_link is not None])

    @property
    def whatsapp_messages(self) -> Spread:
        return Spread([story.whatsapp_messages for story in self.stories if story.whatsapp_messages is not None])

    @property
    def counted(self) -> Sequence[tuple[str, Story]]:
        """The stories of the typed bookings whose messages are promised (`make bench` prints them)."""
        names = [persona.name for persona in COUNTED]
        return [(story.persona.name, story) for story in self.stories if story.persona.name in names]

    @property
    def lost_drafts(self) -> Sequence[str]:
        return [f"{story.persona.name}: {words}" for story in self.stories for words in story.lost_drafts]

    @property
    def apologies(self) -> Sequence[str]:
        return [f"{story.persona.name}: {bug}" for story in self.stories for bug in story.apologies]


Database = Callable[[], str]
"""Puts a fresh database with the demo catalogue back, and returns its URL."""


@contextmanager
def databases(kind: str = "sqlite") -> Iterator[Database]:
    """Fresh databases of a kind, sqlite or postgres."""
    aside = Aside()
    with TemporaryDirectory(prefix="bengkel-talk-") as folder:
        server = Postgres(aside) if kind == "postgres" else Sqlite(Path(folder), aside)
        try:
            yield lambda: server.put_back("stocked")
        finally:
            if isinstance(server, Postgres):
                server.stop()
            aside.stop()


async def count_messages(seed: int = 7) -> Sequence[Story]:
    """The stories of the bookings whose messages are promised."""
    with databases() as database, TemporaryDirectory(prefix="bengkel-talk-") as folder:
        return [await play(persona, 0, seed=seed, database_url=database(), folder=Path(folder)) for persona in COUNTED]
