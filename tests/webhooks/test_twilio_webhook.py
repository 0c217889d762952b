"""WhatsApp messages and delivery reports as Twilio posts them, and forged ones."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer
from multidict import MultiDict
from twilio.request_validator import RequestValidator
from yarl import URL

from conversations.incoming import Incoming, Place
from core.upkeep.delivery_reports import Report
from webhooks import twilio
from webhooks.app import make_app

TOKEN = "12345"
PUBLIC = "https://bengkel.example/chat"
TEXT = {"MessageSid": "SM1", "From": "whatsapp:+6281234567890", "Body": "halo", "ProfileName": "Budi", "NumMedia": "0"}
STATUS = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "63016"}


@dataclass
class Inbox:
    client: TestClient[Any, Any]
    taken: list[Incoming] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    away: bool = False

    async def take(self, incoming: Incoming) -> None:
        if self.away:
            raise ConnectionRefusedError
        self.taken.append(incoming)

    async def delivered(self, report: Report) -> None:
        self.reports.append(report)

    async def post(
        self, form: Any, *, path: str = "/webhooks/twilio", signature: str | None = "", **request: Any
    ) -> tuple[int, str]:
        """Post as Twilio does; `signature` None sends none, "" a valid one."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | request.pop("headers", {})
        if signature is not None:
            headers["X-Twilio-Signature"] = signature or RequestValidator(TOKEN).compute_signature(PUBLIC + path, form)
        data = request.pop("data", urlencode(list(form.items())))
        url = URL(str(self.client.make_url("/")).rstrip("/") + path, encoded=True)
        async with self.client.session.post(url, data=data, headers=headers) as response:
            return response.status, await response.text()

    async def incoming(self, **fields: str) -> Incoming:
        assert (await self.post(TEXT | fields))[0] == 200
        [taken] = self.taken
        return taken


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    inbox = Inbox(None)  # type: ignore[arg-type]
    routes = twilio.routes(auth_token=TOKEN, public_url=PUBLIC + "/", take=inbox.take, delivered=inbox.delivered)

    async def ready() -> dict[str, str]:
        return {}

    async with TestClient(TestServer(make_app(routes, ready=ready))) as client:
        inbox.client = client
        yield inbox


def test_signature_matches_twilios_example() -> None:
    """https://github.com/twilio/twilio-python/blob/main/tests/unit/test_request_validator.py"""
    params = {
        "CallSid": "CA1234567890ABCDE",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
        "Caller": "+14158675309",
    }
    uri = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert RequestValidator(TOKEN).compute_signature(uri, params) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize("signature", [None, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "å", "x"])
@pytest.mark.parametrize(("path", "form"), [("/webhooks/twilio", TEXT), ("/webhooks/twilio/status", STATUS)])
async def test_forged_message_is_refused(inbox: Inbox, path: str, form: dict[str, str], signature: str | None) -> None:
    assert (await inbox.post(form, path=path, signature=signature))[0] == 403
    assert (inbox.taken, inbox.reports) == ([], [])


async def test_altered_field_breaks_the_signature(inbox: Inbox) -> None:
    signature = RequestValidator(TOKEN).compute_signature(PUBLIC + "/webhooks/twilio", TEXT)
    assert (await inbox.post(TEXT | {"From": "whatsapp:+6289999999999"}, signature=signature))[0] == 403


async def test_signature_covers_blank_and_repeated_fields(inbox: Inbox) -> None:
    form = MultiDict([*TEXT.items(), ("Empty", ""), ("Twice", "a"), ("Twice", "b")])
    assert (await inbox.post(form, path="/webhooks/twilio?a=%7Eb&c="))[0] == 200


async def test_text_is_answered_with_empty_twiml(inbox: Inbox) -> None:
    assert await inbox.post(TEXT) == (200, "<Response/>")
    [taken] = inbox.taken
    assert (taken.channel, taken.address, taken.event_id) == ("whatsapp", "whatsapp:+6281234567890", "SM1")
    assert (taken.text, taken.name, taken.phone, taken.language) == ("halo", "Budi", "+6281234567890", None)


async def test_hidden_number_is_an_address_without_phone(inbox: Inbox) -> None:
    taken = await inbox.incoming(From="whatsapp:ID.4566778899")
    assert (taken.address, taken.phone) == ("whatsapp:ID.4566778899", None)


@pytest.mark.parametrize("field", ["ButtonPayload", "ListId"])
async def test_tapped_button_or_entry_is_a_choice(inbox: Inbox, field: str) -> None:
    taken = await inbox.incoming(**{field: "12:3", "Body": "Besok"})
    assert (taken.choice, taken.text) == ("12:3", "Besok")


async def test_template_button_is_just_text(inbox: Inbox) -> None:
    taken = await inbox.incoming(ButtonPayload="RESCHEDULE", Body="Ubah jadwal")
    assert (taken.choice, taken.text) == (None, "Ubah jadwal")


async def test_a_location_is_a_place(inbox: Inbox) -> None:
    spot = {"Latitude": "-6.29", "Longitude": "106.79", "Label": "Rumah", "Address": "Jl. Melati 3", "Body": ""}
    taken = await inbox.incoming(**spot)
    assert (taken.place, taken.text) == (Place(-6.29, 106.79, "Rumah, Jl. Melati 3"), None)


async def test_photos_are_kept_by_url(inbox: Inbox) -> None:
    taken = await inbox.incoming(
        NumMedia="2", MediaUrl0="https://api.twilio.com/m/0", MediaUrl1="https://api.twilio.com/m/1"
    )
    assert taken.media == ("https://api.twilio.com/m/0", "https://api.twilio.com/m/1")


async def test_strange_text_is_cleaned(inbox: Inbox) -> None:
    taken = await inbox.incoming(Body="halo\x00 مرحبا 👨‍👩‍👧 <b>", ProfileName="B\x00udi\n\nTotal: Rp0")
    assert (taken.text, taken.name) == ("halo مرحبا 👨‍👩‍👧 <b>", "Budi Total: Rp0")
    assert "\x00" not in "".join(taken.raw.values())


@pytest.mark.parametrize(
    "form",
    [
        {"MessageSid": "SM1"},  # no sender
        {"From": "whatsapp:+62811111111", "Body": "halo"},  # no id
        TEXT | {"Latitude": "north", "Longitude": "1"},  # no number
        TEXT | {"Latitude": "nan", "Longitude": "1"},  # not a number
        TEXT | {"Latitude": "91", "Longitude": "1"},  # out of range
    ],
)
async def test_message_that_cannot_be_read_is_kept(inbox: Inbox, form: dict[str, str]) -> None:
    for _ in range(2):
        assert (await inbox.post(form))[0] == 200
    first, again = inbox.taken
    assert (first.raw, first.address) == (form, form.get("From", ""))
    assert first.unread is not None
    assert first.event_id == again.event_id == form.get("MessageSid", again.event_id)


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
async def test_other_content_type_is_refused(inbox: Inbox, content_type: str) -> None:
    status, _ = await inbox.post({}, signature="x", data=b"{}", headers={"Content-Type": content_type})
    assert status == 400


async def test_form_that_is_no_text_is_refused(inbox: Inbox) -> None:
    assert (await inbox.post({}, signature="x", data=b"Body=\xff\xfe"))[0] == 400


async def test_two_mebibytes_are_refused(inbox: Inbox) -> None:
    assert (await inbox.post({}, signature="x", data=io.BytesIO(b"a=" + b"b" * 2 * 1024 * 1024)))[0] == 413


async def test_sms_to_the_same_account_is_ignored(inbox: Inbox) -> None:
    assert (await inbox.post(TEXT | {"From": "+6281234567890"}))[0] == 200
    assert inbox.taken == []


async def test_twilio_retries_while_the_database_is_away(inbox: Inbox) -> None:
    inbox.away = True
    assert (await inbox.post(TEXT))[0] == 503


async def test_delivery_report_has_state_and_error(inbox: Inbox) -> None:
    assert await inbox.post(STATUS, path="/webhooks/twilio/status") == (204, "")
    assert await inbox.post({"MessageSid": "SM1", "MessageStatus": "sent"}, path="/webhooks/twilio/status") == (204, "")
    assert inbox.reports == [Report("SM1", "undelivered", "63016"), Report("SM1", "sent")]


@pytest.mark.parametrize(
    ("query", "message", "is_last_part"),
    [
        pytest.param("?message=7", 7, True, id="of the whole message"),
        pytest.param("?part_of=7", 7, False, id="of a part before its end"),
        pytest.param("?message=7'--", None, True, id="no number: Twilio's own id must do"),
        pytest.param("?message=99999999999999999999", None, True, id="a number that no row has"),
    ],
)
async def test_report_url_names_its_message(inbox: Inbox, query: str, message: int | None, is_last_part: bool) -> None:
    assert await inbox.post(STATUS, path=f"/webhooks/twilio/status{query}") == (204, "")
    assert inbox.reports == [Report("SM1", "undelivered", "63016", message, is_last_part)]


async def test_report_url_is_signed_too(inbox: Inbox) -> None:
    forged = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/webhooks/twilio/status?message=7", STATUS)
    assert (await inbox.post(STATUS, path="/webhooks/twilio/status?message=8", signature=forged))[0] == 403
    assert inbox.reports == []


async def test_incomplete_delivery_report_is_ignored(inbox: Inbox) -> None:
    assert (await inbox.post({"MessageSid": "SM1"}, path="/webhooks/twilio/status"))[0] == 204
    assert inbox.reports == []
