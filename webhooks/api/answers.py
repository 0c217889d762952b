"""What a caller reads: api.md's envelope around an answer, and every kind of "no" as one failure.

Refusal ──> its http_status, code and text        ValidationError ──> 400 with the fields by path
Denied  ──> 401, 403, 429, 503 with a code
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from conversations.incoming import clean
from conversations.texts import render, templates
from core.messaging.messages import Say, say
from core.refusals import Refusal

REFUSED = web.RequestKey("refused", str)
"""In a request: the code of the refusal that answers it, for who counts."""
LONGEST_NAME = 100
"""Of a field that is named in a failure: names in a map come from the client."""


class Denied(Exception):
    """A "no" that isn't the shop's rules' but the API's: who asks, how often, or in what form."""

    def __init__(self, status: int, code: str, *, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        if status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"


def answered(body: Mapping[str, Any], *, status: int = 200) -> web.Response:
    """A success as JSON."""
    return web.Response(text=json.dumps(body, ensure_ascii=False), status=status, content_type="application/json")


def failed(request: web.Request, error: Refusal | ValidationError | Denied) -> web.Response:
    """The failure that an exception stands for."""
    language = language_of(request)
    match error:
        case Refusal():
            request[REFUSED] = error.code
            text = say(_refusal_key(error), **error.params)
            return _failure(error.http_status, error.code, text, language)
        case ValidationError():
            fields = [_field(each, language) for each in error.errors(include_url=False)]
            return _failure(400, "invalid", say("api.invalid"), language, errors=fields)
        case Denied():
            return _failure(error.status, error.code, say(f"api.{error.code}"), language, headers=error.headers)


def language_of(request: web.Request) -> str:
    """English where the caller asks for it, else Indonesian."""
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "id"


def _failure(
    status: int,
    code: str,
    text: Say,
    language: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    body: dict[str, Any] = {"success": False, "message": render(text, language), "code": code}
    if errors:
        body["errors"] = list(errors)
    response = answered(body, status=status)
    response.headers.update(headers or {})
    return response


def _refusal_key(refusal: Refusal) -> str:
    """A few refusals are said otherwise where no choice of a chat follows them."""
    key = f"api.refusal.{refusal.code}"
    return key if key in templates("id") else f"refusal.{refusal.code}"


def _field(error: ErrorDetails, language: str) -> dict[str, str]:
    path = ".".join(clean(str(part))[:LONGEST_NAME] for part in error["loc"])
    key = f"api.field.{error['type']}"
    text = say(key, **error.get("ctx", {})) if key in templates("id") else say("api.field.wrong")
    return {"field": path or "body", "message": render(text, language)}
