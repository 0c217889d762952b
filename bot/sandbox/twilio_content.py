"""Twilio's Content API: templates, what they may hold, and what a message made from one says.

https://www.twilio.com/docs/content
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.phones import Button, Item, Menu

BODY_LIMIT, TEXT_LIMIT, VARIABLE_LIMIT = 1024, 1600, 1600
TITLE_LIMIT, ITEM_LIMIT, DESCRIPTION_LIMIT, ID_LIMIT = 20, 24, 72, 200
BUTTONS_IN_SESSION, BUTTONS_APPROVED, ITEMS_LIMIT = 3, 10, 10
PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class Refused(Exception):
    """Twilio's own error: an HTTP status, and a code that its documentation explains."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def to_json(self) -> dict[str, Any]:
        """The error's body."""
        info = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.message, "more_info": info, "status": self.status}


@dataclass(slots=True)
class Content:
    """A template; `approved` is WhatsApp's verdict, without which it only goes inside the session."""

    sid: str
    type: str
    fields: Mapping[str, Any]
    variables: Mapping[str, str]
    friendly_name: str | None = None
    language: str = "id"
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a message says once the variables are in."""

    body: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    menu: Menu | None = None
    media: tuple[str, ...] = ()


def content_from(sid: str, body: Any) -> Content:
    """A template as its creation asks for; Refused where a field breaks the Content API's limits."""
    match body:
        case {"types": dict(types), "language": str(language)} if len(types) == 1:
            [(kind, fields)] = types.items()
        case _:
            raise _invalid("language and exactly one of types are required")
    if kind not in RULES or not isinstance(fields, dict):
        raise _invalid(f"unsupported content type {kind}")
    variables = body.get("variables") or {}
    if not _flat(variables):
        raise _invalid("variables must be a flat map of text")
    RULES[kind](fields)
    return Content(sid, kind, fields, variables, body.get("friendly_name"), language)


def render(content: Content, given: str) -> Rendered:
    """A message from a template and `ContentVariables`; Refused with 21656 where those are bad."""
    try:
        chosen = json.loads(given) if given else {}
    except ValueError:
        raise _bad_variables() from None
    if not _flat(chosen):
        raise _bad_variables()
    values = {**content.variables, **chosen}
    if any(not value.strip() for value in values.values()):
        raise _bad_variables()
    if any(len(value) > VARIABLE_LIMIT for value in values.values()):
        raise Refused(400, 21658, "Parameter exceeded character limit")
    filled = _fill(content.fields, values, "")
    try:
        RULES[content.type](filled)
    except Refused as refused:
        raise Refused(400, 21656, f"The Content Variables Parameter is invalid. {refused.message}") from None
    return _rendered(content.type, filled)


def refused_in_session(content: Content) -> str | None:
    """Why WhatsApp doesn't take an unapproved template inside the session."""
    if content.approved or len(content.fields.get("actions", ())) <= BUTTONS_IN_SESSION:
        return None
    return f"only {BUTTONS_IN_SESSION} buttons without approval"


def refused_approval(content: Content) -> str | None:
    """Why WhatsApp would turn a template down."""
    body = content.fields.get("body", "")
    if content.type == "twilio/list-picker":
        return "list-picker templates aren't supported for approval"
    if re.match(r"\s*\{\{", body) or re.search(r"\}\}\s*$", body) or re.search(r"\}\}\s*\{\{", body):
        return "the body may not begin or end with a variable, nor have two side by side"
    if {found[1] for found in PLACEHOLDER.finditer(json.dumps(content.fields))} - content.variables.keys():
        return "every variable needs a sample"
    return None


def _rendered(kind: str, fields: Mapping[str, Any]) -> Rendered:
    actions = [
        (_url_button if action.get("type") == "URL" else _reply_button)(action) for action in fields.get("actions", ())
    ]
    items = tuple(Item(item["id"], item["item"], item.get("description")) for item in fields.get("items", ()))
    return Rendered(
        fields.get("body") or "",
        tuple((button,) for button in actions),
        Menu(fields["button"], items) if kind == "twilio/list-picker" else None,
        tuple(fields.get("media", ())),
    )


def _reply_button(action: Mapping[str, Any]) -> Button:
    return Button(
        action.get("id") or action["title"], action["title"], "reply", data=action.get("id") or action["title"]
    )


def _url_button(action: Mapping[str, Any]) -> Button:
    return Button(action["title"], action["title"], "url", url=action["url"])


def _fill(value: Any, values: Mapping[str, str], name: str) -> Any:
    match value:
        case dict():
            return {key: _fill(item, values, key) for key, item in value.items()}
        case list():
            return [_fill(item, values, name) for item in value]
        case str():
            return PLACEHOLDER.sub(lambda found: _value(found[1], values, name), value)
        case _:
            return value


def _value(variable: str, values: Mapping[str, str], name: str) -> str:
    if variable not in values:
        raise _bad_variables()
    if name == "body" and re.search(r"[\n\t]| {5}", values[variable]):
        raise _bad_variables()  # https://www.twilio.com/docs/api/errors/21656
    return values[variable]


def _text(fields: Mapping[str, Any]) -> None:
    _need(fields, "body", TEXT_LIMIT)


def _media(fields: Mapping[str, Any]) -> None:
    links = fields.get("media")
    if not isinstance(links, list) or len(links) != 1 or not isinstance(links[0], str):
        raise _invalid("media must hold one link")
    if fields.get("body") is not None:
        _need(fields, "body", BODY_LIMIT)


def _quick_reply(fields: Mapping[str, Any]) -> None:
    _need(fields, "body", BODY_LIMIT)
    for action in _several(fields, "actions", BUTTONS_APPROVED):
        _need(action, "title", TITLE_LIMIT)
        _need({"id": action.get("id") or action["title"]}, "id", ID_LIMIT)


def _call_to_action(fields: Mapping[str, Any]) -> None:
    _need(fields, "body", BODY_LIMIT)
    for action in _several(fields, "actions", BUTTONS_IN_SESSION):
        _need(action, "title", TITLE_LIMIT)
        if action.get("type") != "URL" or not re.match(r"https?://", str(action.get("url"))):
            raise _invalid("this stand-in knows call-to-action with a URL only")


def _list_picker(fields: Mapping[str, Any]) -> None:
    _need(fields, "body", BODY_LIMIT)
    _need(fields, "button", TITLE_LIMIT)
    items = _several(fields, "items", ITEMS_LIMIT)
    for item in items:
        _need(item, "item", ITEM_LIMIT)
        _need(item, "id", ID_LIMIT)
        if item.get("description") is not None:
            _need(item, "description", DESCRIPTION_LIMIT)
    if len({item["id"] for item in items}) < len(items):
        raise _invalid("items must have different ids")


RULES: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "twilio/text": _text,
    "twilio/media": _media,
    "twilio/quick-reply": _quick_reply,
    "twilio/call-to-action": _call_to_action,
    "twilio/list-picker": _list_picker,
}


def _need(fields: Mapping[str, Any], name: str, limit: int) -> None:
    """A text that must be there; placeholders count only once they are filled."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _invalid(f"{name} is required")
    if len(PLACEHOLDER.sub("", value)) > limit:
        raise _invalid(f"{name} is longer than {limit} characters")


def _several(fields: Mapping[str, Any], name: str, most: int) -> list[dict[str, Any]]:
    entries = fields.get(name)
    if not isinstance(entries, list) or not 1 <= len(entries) <= most:
        raise _invalid(f"{name} must hold 1 to {most} entries")
    if not all(isinstance(entry, dict) for entry in entries):
        raise _invalid(f"{name} must hold objects")
    return entries


def _flat(variables: Any) -> bool:
    return isinstance(variables, dict) and all(isinstance(value, str) for value in variables.values())


def _invalid(reason: str) -> Refused:
    return Refused(400, 20001, f"Bad request: {reason}")


def _bad_variables() -> Refused:
    return Refused(400, 21656, "The Content Variables Parameter is invalid")
