"""Messages: text keys and parameters, never prose.

    Message ── says: Say, Say, …          one paragraph each, resolved by conversations.texts
            ├─ options: Option, …         buttons, list entries or a numbered list, as the channel can
            ├─ link                       a web page (the payment link)
            ├─ document / photo           a file, by kind and id
            └─ wants                      ask the channel for a contact or a location, where it can

A message is stored in the outbox as JSON and rendered when it is sent, so the texts, the channel's
limits and the customer's language are decided in one place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

Param = "str | int | date | datetime | Say | list[Say] | None"


@dataclass(frozen=True, slots=True)
class Say:
    """One text by its key, with parameters; datetimes are given in the workshop's zone."""

    key: str
    params: Mapping[str, Any] = field(default_factory=dict)


def say(key: str, /, **params: Any) -> Say:
    """Shorthand for `Say(key, params)`; a list of `Say` becomes lines, a nested `Say` is resolved in place."""
    return Say(key, params)


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer: a stable id, the button's label, and a second line where lists have one."""

    id: str
    label: Say | str
    hint: Say | str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A web page to open, with the text of its button."""

    url: str
    label: Say
    booking: str | None = None
    """The code of a booking; its payment page takes the place of `url` when the message is sent."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file to attach: a paper by its name (see `papers`), a `photo` or other `file` by its key (see `media`), or the picture
    of a `week`, by its Monday and the language: "2026-11-23.id", or a month's `report`: "2026-11.id".
    """

    kind: Literal["invoice", "receipt", "credit_note", "photo", "file", "week", "report"]
    id: str


@dataclass(frozen=True, slots=True)
class Message:
    says: tuple[Say, ...]
    options: tuple[Option, ...] = ()
    prompt: int | None = None
    """The conversation's prompt number: button data is "{prompt}:{index}", so a stale tap shows."""
    link: Link | None = None
    document: Document | None = None
    wants: Literal["contact", "location"] | None = None
    button: Say | None = None
    """The label of the button that opens a list (WhatsApp)."""

    def tap(self, index: int) -> str:
        """What a tap on an option sends: its place in the question, or its own id without a prompt."""
        return self.options[index].id if self.prompt is None else f"{self.prompt}:{index}"


def message(*says: Say, **rest: Any) -> Message:
    """Shorthand for a `Message` of these paragraphs."""
    return Message(tuple(says), **rest)


def to_json(value: Any) -> Any:
    """A message, or any part of one, as plain JSON values."""
    match value:
        case Message():
            return {
                name: to_json(getattr(value, name))
                for name in Message.__dataclass_fields__
                if getattr(value, name) not in (None, ())
            }
        case Say():
            return {"say": value.key, "with": {name: to_json(item) for name, item in value.params.items()}}
        case Option():
            return {"id": value.id, "label": to_json(value.label), "hint": to_json(value.hint)}
        case Link():
            of_booking = {} if value.booking is None else {"booking": value.booking}
            return {"url": value.url, "label": to_json(value.label), **of_booking}
        case Document():
            return {"kind": value.kind, "id": value.id}
        case datetime():
            return {"at": value.isoformat()}
        case date():
            return {"on": value.isoformat()}
        case list() | tuple():
            return [to_json(item) for item in value]
        case _:
            return value


def message_from_json(body: Mapping[str, Any]) -> Message:
    """The message that `to_json` wrote."""
    link, document, button = body.get("link"), body.get("document"), body.get("button")
    return Message(
        says=tuple(_value(item) for item in body["says"]),
        options=tuple(
            Option(item["id"], _value(item["label"]), _value(item["hint"])) for item in body.get("options", ())
        ),
        prompt=body.get("prompt"),
        link=Link(link["url"], _value(link["label"]), link.get("booking")) if link else None,
        document=Document(document["kind"], document["id"]) if document else None,
        wants=body.get("wants"),
        button=_value(button) if button else None,
    )


def _value(item: Any) -> Any:
    match item:
        case {"say": key, "with": params}:
            return Say(key, {name: _value(value) for name, value in params.items()})
        case {"at": moment}:
            return datetime.fromisoformat(moment)
        case {"on": day}:
            return date.fromisoformat(day)
        case list():
            return [_value(each) for each in item]
        case _:
            return item
