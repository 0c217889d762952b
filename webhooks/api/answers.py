"""Every kind of failure in one shape.

Refusal ──> its http_status, code and text        ValidationError ──> 400 with the fields by path
Denied  ──> 400, 401, 403, 413, 415, 429, 503 with a code
"""

import re

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from conversations.incoming import clean
from conversations.texts import render, templates
from core.messaging.messages import Say, say
from core.refusals import Refusal
from webhooks.app import failure, language_of

REFUSED = web.RequestKey("refused", str)
"""Set on a request that a refusal answers: the refusal's code, for the metrics."""
_KEY = "[key]"
"""What pydantic adds to a path when the name itself is wrong."""
LONGEST_NAME = 100
"""Limit for field names in failures: keys of a map come from the client."""


class Denied(Exception):
    """A failure of the API rather than of the shop's rules: sign-in, rights, rate limit, format."""

    def __init__(self, status: int, code: str, *, text: str = "", retry_after: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.text = f"api.{text or code}"
        self.headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"


def failed(request: web.Request, error: Refusal | ValidationError | Denied) -> web.Response:
    language = language_of(request)
    match error:
        case Refusal():
            request[REFUSED] = error.code
            return failure(error.http_status, error.code, refusal_text(error), language)
        case ValidationError():
            fields = [_field(each, language) for each in error.errors(include_url=False)]
            # Front ends show the message alone.
            return failure(400, "invalid", say("api.invalid", **fields[0]), language, errors=fields)
        case Denied():
            return failure(error.status, error.code, say(error.text), language, headers=error.headers)


def refusal_text(refusal: Refusal) -> Say:
    """Some refusals have their own text for REST, where no choices follow as in a chat."""
    own = f"api.refusal.{refusal.code}"
    return say(own if own in templates("id") else f"refusal.{refusal.code}", **refusal.params)


def _field(error: ErrorDetails, language: str) -> dict[str, str]:
    path = ".".join(clean(str(part))[:LONGEST_NAME] for part in error["loc"] if part != _KEY)
    return {"field": path or "body", "message": render(_problem(error), language)}


def _problem(error: ErrorDetails) -> Say:
    kind, details = error["type"], error.get("ctx", {})
    if kind in ("literal_error", "enum"):  # pydantic lists them in English: "'a', 'b' or 'c'"
        *others, last = re.findall(r"'([^']*)'", details["expected"])
        return say("api.field.choice", choices=", ".join(others), last=last)
    key = f"api.field.{kind}"
    details = {name: _rounded(limit) for name, limit in details.items()}
    return say(key, **details) if key in templates("id") else say("api.field.wrong")


def _rounded(limit: object) -> object:
    """A limit as people write it: 90, not 90.0."""
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit
