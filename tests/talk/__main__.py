"""`make talk`: simulated customers book, ask, change their minds and complain in chats with the real server.

SEED=7 make talk                                     other typos, phrases and channels
make talk ARGS='--show "everything in one line"'     one persona's conversation
DATABASE=postgres make talk                          on PostgreSQL

Exits with 1 if a draft was lost or the shop apologized for a bug.
"""

# ruff: noqa: T201

import argparse
import asyncio
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))  # the shared test helpers

from people import EVERYBODY
from persona import Persona
from shopper import Story
from simulation import Database, Result, databases, play


def main() -> int:
    """Play the personas; returns 1 if a promise was broken."""
    reads = argparse.ArgumentParser(prog="make talk", description="Plays simulated customers.")
    reads.add_argument(
        "--show", metavar="NAME", action="append", default=[], help="play these only, and print what was said"
    )
    shown = reads.parse_args().show
    seed = int(os.environ.get("SEED") or 7)
    unknown = set(shown) - {persona.name for persona in EVERYBODY}
    if unknown:
        reads.error(f"nobody is called {', '.join(sorted(unknown))}")
    people = [(number, persona) for number, persona in enumerate(EVERYBODY) if not shown or persona.name in shown]
    print(f"SEED={seed}, {len(people)} customers\n")
    with (
        databases(os.environ.get("DATABASE") or "sqlite") as database,
        TemporaryDirectory(prefix="bengkel-talk-") as folder,
    ):
        stories = asyncio.run(_play(people, seed, database, Path(folder), with_words=bool(shown)))
    result = Result(stories)
    _sum_up(result)
    return 1 if result.lost_drafts or result.apologies else 0


async def _play(
    people: Sequence[tuple[int, Persona]], seed: int, database: Database, folder: Path, *, with_words: bool
) -> list[Story]:
    stories = []
    for number, persona in people:
        story = await play(persona, number, seed=seed, database_url=database(), folder=folder)
        if with_words:
            print("\n".join([f"--- {persona.name}, on {story.channel}", *story.lines]))
        _tell(story)
        stories.append(story)
    return stories


def _tell(story: Story) -> None:
    reasons = [*story.complaints, *([story.gave_up] if story.gave_up else [])]
    reasons += [f"the draft was lost at {words!r}" for words in story.lost_drafts]
    reasons += [f"the shop apologized ({bug})" for bug in story.apologies]
    verdict = "  " if not story.complaints else "✗ "
    link = "-" if story.to_the_link is None else story.to_the_link
    print(f"{verdict}{story.persona.name:<38} {story.channel:<9} {link:>3}  {'; '.join(reasons)}", flush=True)


def _sum_up(result: Result) -> None:
    print(f"\nGot what they wanted: {len(result.content)} of {len(result.stories)}, {result.share:.0%}")
    print(f"Messages to the payment link: {result.to_the_link}")
    print(f"WhatsApp messages sent per booking, until it is confirmed: {result.whatsapp_messages}")
    for persona, story in result.counted:
        print(f"  {persona}: {story.to_the_link} messages to the link, {story.whatsapp_messages} sent until confirmed")
    print(f"Drafts lost: {len(result.lost_drafts)}")
    print(f"Apologies: {len(result.apologies)}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    sys.exit(main())
