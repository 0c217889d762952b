"""Twilio's WhatsApp messages and delivery reports, authenticated by X-Twilio-Signature over our public URL.

Fields: https://www.twilio.com/docs/messaging/guides/webhook-request; new ones appear without notice.
"""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import cast

from aiohttp import web
from multidict import MultiDictProxy
from twilio.request_validator import RequestValidator

from conversations.incoming import Incoming, Kind, Place, clean
from core.upkeep.delivery_reports import Report
from webhooks.app import is_same

Take = Callable[[Incoming], Awaitable[None]]
Delivered = Callable[[Report], Awaitable[None]]

Form = Mapping[str, str]

_log = logging.getLogger(__name__)

MOST_MEDIA = 10
_STATUS = "/webhooks/twilio/status"
_MESSAGE, _PART = "message", "part_of"
_ROW = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"whatsapp:(\+[1-9][0-9]{6,14})")
_KINDS = {
    "reaction": Kind.REACTION,
    "sticker": Kind.STICKER,
    "contacts": Kind.CONTACT,
    "location": Kind.LOCATION,
}
"""By `MessageType`; files are told apart by their content types."""
_MEDIA_KINDS = {"image": Kind.PHOTO, "audio": Kind.VOICE, "video": Kind.VIDEO}
_CHOICE = re.compile(r"[a-z0-9-]{1,20}(:[A-Za-z0-9.:-]{1,40})?")


def routes(*, auth_token: str, public_url: str, take: Take, delivered: Delivered) -> list[web.RouteDef]:
    """The two webhooks: 403 without Twilio's signature, 400 for what is no form.

    A signed message that can't be read is kept and answered 200; an incomplete delivery report is only logged.
    """
    validator = RequestValidator(auth_token)

    async def receive(request: web.Request) -> web.Response:
        incoming = read_or_keep(await _trusted_form(request, validator, public_url))
        if incoming is not None:
            await take(incoming)
        # Replies go over REST, where they get a sid and delivery reports.
        return web.Response(text="<Response/>", content_type="text/xml")

    async def receive_status(request: web.Request) -> web.Response:
        form = await _trusted_form(request, validator, public_url)
        try:
            report = _report(form, request.query)
        except BadForm as error:
            _log.warning("a delivery report without %s is ignored", error)
        else:
            await delivered(report)
        return web.Response(status=204)

    return [web.post("/webhooks/twilio", receive), web.post(_STATUS, receive_status)]


def status_url(public_url: str, message: int, *, is_last_part: bool) -> str:
    """The URL of a message's delivery reports: it holds our own id, because Twilio's isn't known yet."""
    return f"{public_url.rstrip('/')}{_STATUS}?{_MESSAGE if is_last_part else _PART}={message}"


class BadForm(ValueError):
    """A field that is missing or can't be read."""


def read_or_keep(form: Form) -> Incoming | None:
    """As `read`; a message that can't be read comes as it is, to be kept."""
    try:
        return read(form)
    except Exception as bug:  # noqa: BLE001
        # Twilio's fields change without notice, and it doesn't send a refused message again.
        address = form.get("From", "")
        fields = json.dumps(sorted(form.items())).encode()
        event_id = form.get("MessageSid") or sha256(fields).hexdigest()
        return Incoming("whatsapp", address if _is_whatsapp(address) else "", event_id, raw=form, unread=bug)


def _is_whatsapp(address: str) -> bool:
    return address.startswith("whatsapp:")


def read(form: Form) -> Incoming | None:
    """What a person wrote, tapped or sent; None for other channels than WhatsApp. Raises `BadForm`."""
    sid, address = _need(form, "MessageSid"), _need(form, "From")
    if not _is_whatsapp(address):
        return None
    number = _NUMBER.fullmatch(address)
    tapped = form.get("ButtonPayload") or form.get("ListId") or ""
    urls = (form.get(f"MediaUrl{number}") for number in range(MOST_MEDIA))
    return Incoming(
        channel="whatsapp",
        address=address,
        event_id=sid,
        text=form.get("Body") or form.get("ButtonText") or form.get("ListTitle") or None,
        choice=tapped if _CHOICE.fullmatch(tapped) else None,
        phone=number[1] if number else None,
        place=_place(form),
        kind=_kind(form),
        media=tuple(url for url in urls if url),
        name=" ".join(form.get("ProfileName", "")[:100].split()) or None,
        written_at=_written_at(form),
        raw=form,
    )


def _kind(form: Form) -> Kind:
    named = _KINDS.get(form.get("MessageType", ""))
    if named:
        return named
    content_type = form.get("MediaContentType0", "")
    if "vcard" in content_type:
        return Kind.CONTACT
    if form.get("MediaUrl0"):
        return _MEDIA_KINDS.get(content_type.partition("/")[0], Kind.OTHER)
    if form.get("Latitude"):
        return Kind.LOCATION
    return Kind.TEXT if form.get("Body") or form.get("ButtonText") or form.get("ListTitle") else Kind.OTHER


def _written_at(form: Form) -> datetime | None:
    """None for what comes by webhook: those fields have no time. Listed messages have their `DateSent`."""
    try:
        return datetime.fromisoformat(form.get("DateSent", "")).astimezone(UTC)
    except ValueError:
        return None


def _report(form: Form, query: Mapping[str, str]) -> Report:
    number = query.get(_MESSAGE) or query.get(_PART) or ""
    return Report(
        vendor_id=_need(form, "MessageSid"),
        state=_need(form, "MessageStatus"),
        error=form.get("ErrorCode") or None,
        message=int(number) if _ROW.fullmatch(number) else None,
        is_last_part=_PART not in query,
    )


async def _trusted_form(request: web.Request, validator: RequestValidator, public_url: str) -> Form:
    """The form's fields; raises 403 unless the signature is right."""
    given = request.headers.get("X-Twilio-Signature")
    if not given:
        raise web.HTTPForbidden
    if request.content_type != "application/x-www-form-urlencoded":
        raise web.HTTPBadRequest
    try:
        form = cast("MultiDictProxy[str]", await request.post())
    except ValueError as error:
        raise web.HTTPBadRequest from error
    # Behind a proxy the request's own URL differs from the one that Twilio signs.
    expected = validator.compute_signature(public_url.rstrip("/") + request.raw_path, form)
    if not is_same(given, expected):
        raise web.HTTPForbidden
    return {name: clean(value) for name, value in form.items()}


def _place(form: Form) -> Place | None:
    if not form.get("Latitude") or not form.get("Longitude"):
        return None
    latitude, longitude = float(form["Latitude"]), float(form["Longitude"])
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise BadForm("Latitude")
    words = ", ".join(dict.fromkeys(word for word in (form.get("Label"), form.get("Address")) if word))
    return Place(latitude, longitude, words or None)


def _need(form: Form, name: str) -> str:
    if not form.get(name):
        raise BadForm(name)
    return form[name]
