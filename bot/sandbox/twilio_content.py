"""Twilio's Content API: templates, their limits, and rendering a message from one.

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


class ApiError(Exception):
    """An error response of Twilio: an HTTP status and a code from its documentation."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def to_json(self) -> dict[str, Any]:
        info = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.message, "more_info": info, "status": self.status}


@dataclass(slots=True)
class Content:
    """A template; unless WhatsApp approved it, it may only be sent inside the session."""

    sid: str
    type: str
    fields: Mapping[str, Any]
    variables: Mapping[str, str]
    friendly_name: str | None = None
    language: str = "id"
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message whose variables are filled in."""

    body: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    menu: Menu | None = None
    media: tuple[str, ...] = ()


def content_from(sid: str, body: Any) -> Content:
    """A template from a creation request; raises ApiError if a field breaks the Content API's limits."""
    match body:
        case {"types": dict(types), "language": str(language)} if len(types) == 1:
            [(kind, fields)] = types.items()
        case _:
            raise _invalid("language and exactly one of types are required")
    if kind not in CHECKS or not isinstance(fields, dict):
        raise _invalid(f"unsupported content type {kind}")
    variables = body.get("variables") or {}
    if not _is_flat_text_map(variables):
        raise _invalid("variables must be a flat map of text")
    CHECKS[kind](fields)
    return Content(sid, kind, fields, variables, body.get("friendly_name"), language)


def render(content: Content, given: str) -> Rendered:
    """A message from a template and `ContentVariables`; raises ApiError 21656 if the variables are invalid."""
    try:
        chosen = json.loads(given) if given else {}
    except ValueError:
        raise _bad_variables() from None
    if not _is_flat_text_map(chosen):
        raise _bad_variables()
    values = {**content.variables, **chosen}
    if any(not value.strip() for value in values.values()):
        raise _bad_variables()
    if any(len(value) > VARIABLE_LIMIT for value in values.values()):
        raise ApiError(400, 21658, "Parameter exceeded character limit")
    filled = _fill(content.fields, values, "")
    try:
        CHECKS[content.type](filled)
    except ApiError as error:
        raise ApiError(400, 21656, f"The Content Variables Parameter is invalid. {error.message}") from None
    return _rendered(content.type, filled)


def session_rejection(content: Content) -> str | None:
    """Why WhatsApp rejects an unapproved template inside the session."""
    if content.approved or len(content.fields.get("actions", ())) <= BUTTONS_IN_SESSION:
        return None
    return f"only {BUTTONS_IN_SESSION} buttons without approval"


def approval_rejection(content: Content) -> str | None:
    """Why WhatsApp would reject the template's approval."""
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
    _require_text(fields, "body", TEXT_LIMIT)


def _media(fields: Mapping[str, Any]) -> None:
    links = fields.get("media")
    if not isinstance(links, list) or len(links) != 1 or not isinstance(links[0], str):
        raise _invalid("media must hold one link")
    if fields.get("body") is not None:
        _require_text(fields, "body", BODY_LIMIT)


def _quick_reply(fields: Mapping[str, Any]) -> None:
    _require_text(fields, "body", BODY_LIMIT)
    for action in _require_list(fields, "actions", BUTTONS_APPROVED):
        _require_text(action, "title", TITLE_LIMIT)
        _require_text({"id": action.get("id") or action["title"]}, "id", ID_LIMIT)


def _call_to_action(fields: Mapping[str, Any]) -> None:
    _require_text(fields, "body", BODY_LIMIT)
    for action in _require_list(fields, "actions", BUTTONS_IN_SESSION):
        _require_text(action, "title", TITLE_LIMIT)
        if action.get("type") != "URL" or not re.match(r"https?://", str(action.get("url"))):
            raise _invalid("this stand-in knows call-to-action with a URL only")


def _list_picker(fields: Mapping[str, Any]) -> None:
    _require_text(fields, "body", BODY_LIMIT)
    _require_text(fields, "button", TITLE_LIMIT)
    items = _require_list(fields, "items", ITEMS_LIMIT)
    for item in items:
        _require_text(item, "item", ITEM_LIMIT)
        _require_text(item, "id", ID_LIMIT)
        if item.get("description") is not None:
            _require_text(item, "description", DESCRIPTION_LIMIT)
    if len({item["id"] for item in items}) < len(items):
        raise _invalid("items must have different ids")


CHECKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "twilio/text": _text,
    "twilio/media": _media,
    "twilio/quick-reply": _quick_reply,
    "twilio/call-to-action": _call_to_action,
    "twilio/list-picker": _list_picker,
}


def _require_text(fields: Mapping[str, Any], name: str, limit: int) -> None:
    """Check that a text is present and within its limit; placeholders don't count."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _invalid(f"{name} is required")
    if len(PLACEHOLDER.sub("", value)) > limit:
        raise _invalid(f"{name} is longer than {limit} characters")


def _require_list(fields: Mapping[str, Any], name: str, limit: int) -> list[dict[str, Any]]:
    entries = fields.get(name)
    if not isinstance(entries, list) or not 1 <= len(entries) <= limit:
        raise _invalid(f"{name} must hold 1 to {limit} entries")
    if not all(isinstance(entry, dict) for entry in entries):
        raise _invalid(f"{name} must hold objects")
    return entries


def _is_flat_text_map(variables: Any) -> bool:
    return isinstance(variables, dict) and all(isinstance(value, str) for value in variables.values())


def _invalid(reason: str) -> ApiError:
    return ApiError(400, 20001, f"Bad request: {reason}")


def _bad_variables() -> ApiError:
    return ApiError(400, 21656, "The Content Variables Parameter is invalid")
