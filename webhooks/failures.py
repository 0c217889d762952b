"""A failure as api.md shapes it, on every path."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from conversations.texts import render
from core.messaging.messages import Say


def failure(
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
    return web.json_response(body, status=status, headers=headers)


def language_of(request: web.Request) -> str:
    """English if the caller asks for it, else Indonesian."""
    return "en" if request.headers.get("Accept-Language", "").lower().startswith("en") else "id"
