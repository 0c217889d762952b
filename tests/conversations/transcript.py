"""Reads a transcript: each line becomes a typed step, and a line that says nothing known is an error.

    > typed words        [a button's label]        ! a button's data
    < what must be on the screen                   <! what must not be
    @ something that happens (DEEDS has them all)
    # a comment
    : channel telegram   : language en             before the first step, only where one person talks

Where several people talk, each step begins with a name: `sari > halo`, `rina < Booking baru`.
{code} stands for the newest booking's code, {refund} for the newest refund's key.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "transcripts"
SETTINGS = {"channel": ("telegram", "whatsapp"), "language": ("id", "en")}
STANDS_FOR = ("{code}", "{refund}")
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d"
THING = r"[a-z][a-z0-9-]*"
DEEDS = {
    "contact": r"\+\d+",
    "place": "",
    "photo": ".*",
    "voice": "",
    "link arrives": "",
    "pays": "",
    "pays late": "",
    "pays by": "[a-z_]+",
    "time runs out": "",
    "waits": r"\d+ minutes",
    "booked": f"{MOMENT}( {THING})?",
    "others buy": THING,
    "others book": MOMENT,
    "frees": f"{MOMENT}|{THING}",
    "line moves": "",
}
"""What can happen, and what must follow each name."""


@dataclass(frozen=True)
class Step:
    """One line of a transcript."""

    where: str
    """File, line number and the line itself."""
    person: str
    """Empty where one person talks."""


@dataclass(frozen=True)
class Types(Step):
    words: str


@dataclass(frozen=True)
class Taps(Step):
    label: str


@dataclass(frozen=True)
class Chooses(Step):
    """Taps a button by its data, which may be that of an older message."""

    data: str


@dataclass(frozen=True)
class Happens(Step):
    deed: str
    what: str


@dataclass(frozen=True)
class Sees(Step):
    words: str
    there: bool


@dataclass(frozen=True)
class Transcript:
    """The settings and steps of one file."""

    steps: list[Step]
    settings: dict[str, str] = field(default_factory=dict)


class BadTranscript(Exception):
    """File, line and what is wrong with it."""


def read_folder(folder: Path, people: Collection[str] = ()) -> Mapping[str, Transcript]:
    """All transcripts of a folder by their names. Raises BadTranscript."""
    files = sorted(folder.glob("*.txt"))
    return {file.stem: read(file.read_text("utf-8"), file.name, people) for file in files}


def read(text: str, name: str, people: Collection[str] = ()) -> Transcript:
    """The transcript in a text; `people` are the names that begin its steps. Raises BadTranscript."""
    transcript = Transcript([])
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            _read_line(transcript, line, f"{name} line {number}: {line}", people)
        except BadTranscript as bad:
            raise BadTranscript(f"{name} line {number}: {bad}: {line!r}") from None
    if not any(isinstance(step, Sees) for step in transcript.steps):
        raise BadTranscript(f"{name}: expects nothing")
    return transcript


def _read_line(transcript: Transcript, line: str, where: str, people: Collection[str]) -> None:
    if line.startswith(":") and not people:
        key, value = _setting(line)
        if transcript.steps or key in transcript.settings:
            raise BadTranscript("a setting stands once, before the first step")
        transcript.settings[key] = value
        return
    person, rest = _person(line, people)
    step = _step(rest, where, person)
    if isinstance(step, Sees) and not transcript.steps:
        raise BadTranscript("expects something before anything was said")
    transcript.steps.append(step)


def _setting(line: str) -> tuple[str, str]:
    key, _, value = line[1:].strip().partition(" ")
    if value not in SETTINGS.get(key, ()):
        raise BadTranscript("unknown setting")
    return key, value


def _person(line: str, people: Collection[str]) -> tuple[str, str]:
    if not people:
        return "", line
    name, _, rest = line.partition(" ")
    if name not in people:
        raise BadTranscript(f"begins with none of {', '.join(people)}")
    return name, rest


def _step(line: str, where: str, person: str) -> Step:
    for placeholder in re.findall(r"{[^}]*}?", line):
        if placeholder not in STANDS_FOR:
            raise BadTranscript(f"unknown {placeholder}")
    match line[:1], line[1:].strip():
        case ">", words:
            return Types(where, person, _given(words))
        case "[", label:
            if not label.endswith("]"):
                raise BadTranscript("a label ends with ]")
            return Taps(where, person, _given(label[:-1].strip()))
        case "!", data:
            return Chooses(where, person, _given(data))
        case "<", words:
            return Sees(where, person, _given(words.removeprefix("!").strip()), there=not words.startswith("!"))
        case "@", deed:
            return Happens(where, person, *_deed(deed))
        case _:
            raise BadTranscript("unknown mark")


def _given(text: str) -> str:
    if not text:
        raise BadTranscript("a mark without text")
    return text


def _deed(text: str) -> tuple[str, str]:
    """Its name, the longest that fits, and what follows."""
    for deed in sorted(DEEDS, key=len, reverse=True):
        if text == deed or text.startswith(f"{deed} "):
            what = text.removeprefix(deed).strip()
            if not re.fullmatch(DEEDS[deed], what):
                raise BadTranscript(f"@{deed} with the wrong words")
            return deed, what
    raise BadTranscript("nothing known happens")
