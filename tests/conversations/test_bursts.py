"""Which messages belong together, how long more are expected, and what several are as one."""

from datetime import datetime, timedelta

import pytest

from conversations import bursts
from conversations.incoming import Incoming, Kind, Place, together

GAP = timedelta(seconds=2)
NONE, HALF = timedelta(), GAP / 2


def line(text: str | None = None, event: str = "1", **more: object) -> Incoming:
    return Incoming("telegram", "5", event, text=text, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("incoming", "wait"),
    [
        (line("mau pasang speaker"), GAP),
        (line("ya"), GAP),  # "ya", "jam 10 aja"
        (line("2018"), GAP),  # a year, within a thought
        (line("besok bisa?"), HALF),
        (line("x" * 100), HALF),
        (line(kind=Kind.PHOTO, media=("a",)), GAP),  # an album
        (line(kind=Kind.VOICE, media=("a",)), GAP),
        (line("1"), NONE),
        (line("10"), NONE),
        (line("2️⃣"), NONE),
        (line("🔟"), NONE),
        (line("Besok", choice="3:1"), NONE),
        (line("/start"), NONE),
        (line(kind=Kind.LOCATION, place=Place(-6.2, 106.8)), NONE),
        (line(kind=Kind.CONTACT, phone="+628111"), NONE),
        (line("👍", kind=Kind.REACTION), NONE),
        (line(unread=KeyError()), NONE),
    ],
)
def test_more_is_expected_after_an_unfinished_thought(incoming: Incoming, wait: timedelta) -> None:
    assert bursts.wait_after(incoming, GAP) == wait
    assert bursts.wait_after(incoming, timedelta()) == NONE, "switched off"


@pytest.mark.parametrize(
    ("incoming", "belongs"),
    [
        (line("avanza 2018"), True),
        (line("1"), True),
        (line(kind=Kind.LOCATION), True),
        (line("Besok", choice="3:1"), False),
        (line("/booking"), False),
        (line("👍", kind=Kind.REACTION), False),
    ],
)
def test_a_tap_or_a_command_stands_alone(incoming: Incoming, belongs: bool) -> None:
    assert bursts.belongs(incoming, [line("halo")]) is belongs


@pytest.mark.parametrize(("minutes", "belongs"), [(0, True), (4, True), (5, False), (-600, False)])
def test_messages_written_far_apart_are_turns_of_their_own(now: datetime, minutes: int, belongs: bool) -> None:
    """They come together after an outage; "besok" means another day in each."""
    later = line("besok jam 10", written_at=now + timedelta(minutes=minutes))
    assert bursts.belongs(later, [line("halo", written_at=now)]) is belongs
    assert bursts.belongs(later, [line("halo")]), "a time that isn't known says nothing"


def test_a_burst_ends_after_six_seconds(now: datetime) -> None:
    assert bursts.due_at(now, GAP, first=now) == now + GAP
    assert bursts.due_at(now + timedelta(seconds=5), GAP, first=now) == now + bursts.LONGEST


def test_several_messages_are_one(now: datetime) -> None:
    whole = together(
        [
            line("mau pasang ini", "1", name="Sari", raw={"id": 1}),
            line(None, "2", kind=Kind.PHOTO, media=("a",), photos=("a.jpg",)),
            line("di avanza", "3", kind=Kind.PHOTO, media=("b",)),
            line(None, "4", kind=Kind.LOCATION, place=Place(1, 2), written_at=now, name="Sari D"),
        ]
    )
    assert (whole.text, whole.media, whole.photos) == ("mau pasang ini\ndi avanza", ("a", "b"), ("a.jpg",))
    assert (whole.kind, whole.place, whole.written_at, whole.name) == (Kind.PHOTO, Place(1, 2), now, "Sari D")
    assert (whole.event_id, whole.event_ids) == ("1", ("1", "2", "3", "4"))
    assert [part.raw for part in whole.parts] == [{"id": 1}, {}, {}, {}]


def test_an_edit_takes_its_originals_place() -> None:
    whole = together(
        [
            line("besok jam 9", "1", message_id="m1"),
            line("avanza", "2", message_id="m2"),
            line("besok jam 10", "3", message_id="m1", edited=True),
        ]
    )
    assert (whole.text, whole.edited, len(whole.parts)) == ("besok jam 10\navanza", False, 3)
    alone = together([line("eh selasa", "4", message_id="m0", edited=True)])
    assert alone.edited


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        ((Kind.TEXT, Kind.STICKER), Kind.TEXT),
        ((Kind.STICKER, Kind.VOICE), Kind.VOICE),
        ((Kind.TEXT, Kind.PHOTO, Kind.VIDEO), Kind.PHOTO),
        ((Kind.STICKER, Kind.STICKER), Kind.STICKER),
    ],
)
def test_the_most_telling_kind_counts(kinds: tuple[Kind, ...], kind: Kind) -> None:
    assert together([line(None, str(number), kind=each) for number, each in enumerate(kinds)]).kind is kind
