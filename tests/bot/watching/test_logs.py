"""Log lines: one line each, with a trace id, without personal data and secrets."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.watching import logs
from bot.watching.logs import HIDDEN, Mask
from core import trace
from core.db.database import Database

TOKEN = "7000000042:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
SERVER_KEY = "SB-Mid-server-aBcDeFgHiJ"
PASSWORD = "p@ss/w:rd"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """JSON log lines, from loggers set up as in `bengkel run`."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    logs.set_up("json", "info", secrets=(TOKEN, SERVER_KEY, PASSWORD), stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(False)
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


PERSONAL = [
    ("0812-3456-7890", "with hyphens"),
    ("+62 812 3456 7890", "with spaces"),
    ("+62 (0) 812.3456.7890", "as on a business card"),
    ("6281234567890", "as WhatsApp writes it"),
    ("whatsapp:+6281234567890", "as Twilio writes it"),
    ("(021) 765 4321", "a landline"),
    ("81234567890", "without anything in front"),
    ("+1 415 523 8886", "a foreign one"),
    ("０８１２３４５６７８９０", "in full-width digits"),
    ("٠٨١٢٣٤٥٦٧٨٩٠", "in Arabic digits"),
    ("0812\u200b3456\u200b7890", "with invisible signs in it"),
    ("0812\u00a03456\u20117890", "with a space and a hyphen that don't break"),
    ("0812\n3456\n7890", "over three lines"),
    ("7000000042", "a Telegram id"),
    ("budi.santoso+bengkel@mail.example.co.id", "an e-mail"),
    ("budi＠mail.example", "an e-mail with a full-width sign"),
    ("B 1234 XYZ", "a plate"),
    ("b1234xyz", "a plate in a hurry"),
    ("AB-12-C", "a short plate of Yogyakarta"),
    ("BK 1234 AB", "a plate of Medan, which begins like our codes"),
]


@pytest.mark.parametrize(("told", "_what"), PERSONAL, ids=[what for _, what in PERSONAL])
def test_contact_data_is_masked(told: str, _what: str) -> None:
    for sentence in ("call {} now", "{}", "to={},", "<{}>", "'{}'", "a;{};b"):
        shown = Mask().text(sentence.format(told))
        assert HIDDEN in shown
        assert not any(
            part in shown for part in ("3456", "7654321", "4321", "5523", "8886", "budi", "42", "1234", "12-C")
        )


SECRETS = [
    (f"https://api.telegram.org/bot{TOKEN}/sendMessage", TOKEN, "Telegram's token in its address"),
    (f"https://api.telegram.org/file/bot{TOKEN[:-1]}x/photo.jpg", TOKEN[12:-1], "another bot's token"),
    (f"Basic {'U0ItTWlkLXNlcnZlci1hQmNEZUZnSGlKOg=='}", "U0It", "a header with the server key in Base64"),
    ("Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2ln", "eyJ", "a Clerk token"),
    ("token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2ln", "c2ln", "a token in a query"),
    (f"key {SERVER_KEY} refused", SERVER_KEY, "Midtrans' key"),
    ("key Mid-server-ZyXwVuT refused", "ZyXwVuT", "Midtrans' key of another installation"),
    (f"postgresql+asyncpg://bengkel:{PASSWORD}@db/bengkel", PASSWORD, "a database password"),
    ("postgresql://bengkel:p%40ss%2Fw%3Ard@db/bengkel", "p%40ss", "the same, as URLs write it"),
    ("smtp://user:hunter2@mail.example:587", "hunter2", "a mail server's password that nobody told us"),
    ("https://shop.example/files/invoice/BK-1?exp=1795600000&sig=0f3a9c", "0f3a9c", "a signed link"),
    (
        "https://app.midtrans.com/snap/v4/redirection/66e4fa55-fdac-4ef9-91b5-733b97d1b862",
        "66e4fa55",
        "the link of a payment page",
    ),
]


@pytest.mark.parametrize(("told", "secret", "_what"), SECRETS, ids=[what for *_, what in SECRETS])
def test_secrets_are_masked(told: str, secret: str, _what: str) -> None:
    shown = Mask((TOKEN, SERVER_KEY, PASSWORD)).text(f"failed: {told} (again)")
    assert secret not in shown
    assert shown.endswith("(again)")


KEPT = [
    "no link for BOOKING-A1-BK7F3K2Q-1 yet: status 503",
    "BK-7F3K2Q: settled",
    "the database is away (OperationalError)",
    "serving at http://127.0.0.1:8080",
    "again in 300 s, attempt 12 of 20",
    "2026-11-22 17:45:40: Rp750.000",
    "GET /api/spareparts/{id} failed",
]


@pytest.mark.parametrize("told", KEPT)
def test_technical_data_is_kept(told: str) -> None:
    assert Mask().text(told) == told


FORGED = [
    "ok\n2026-11-22T10:00:00Z [critical] all bookings deleted",
    'ok\r\n{"event": "paid", "level": "info"}',
    "ok\x1b[2K\x1b[1A[info] nothing happened",
    "ok\x85next\u2028line\u2029end\x0b\x0c",
    "half a sign \ud83d",
    "nul \x00 and bell \x07 and backspace \b\b\b",
    "right to left \u202edevlos",
]


@pytest.mark.parametrize("said", FORGED)
@pytest.mark.parametrize("kind", ["json", "console"])
def test_text_never_makes_a_log_line_of_its_own(kind: Any, said: str, lines: object) -> None:
    stream = StringIO()
    logs.set_up(kind, "info", stream=stream)
    logging.getLogger("core.schedule.bookings").info("note: %s", said, extra={"detail": {"said\n": [said]}})
    written = stream.getvalue()
    written.encode()
    assert len(written.splitlines()) == 1
    assert not any(ord(sign) < 32 or sign == "\u202e" for sign in written.rstrip("\n"))


def test_forged_line_stays_within_the_exception(lines: object) -> None:
    stream = StringIO()
    logs.set_up("console", "info", stream=stream)
    try:
        raise ValueError("bad\n2026-11-22T10:00:00Z [info] paid\rmore")
    except ValueError:
        logging.getLogger("bot.intake").exception("turn failed")
    head, *rest = stream.getvalue().splitlines()
    assert "turn failed" in head
    assert all(line.startswith("    ") or not line for line in rest)


def test_library_lines_look_like_ours(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with trace.following("whatsapp:SM1"):
        logging.getLogger("twilio.http").warning("%s to %s", "POST", "+6281234567890", extra={"phone": "x", "tries": 2})
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": f"POST to {HIDDEN}",
        "level": "warning",
        "logger": "twilio.http",
        "trace": "whatsapp:SM1",
        "phone": HIDDEN,
        "tries": 2,
    }


@pytest.mark.parametrize(
    "library",
    [
        "telegram.ext.ExtBot",  # every message that is sent, whole
        "twilio.async_http_client",
        "httpx",
        "httpcore.http11",
        "urllib3.connectionpool",
        "PIL.TiffImagePlugin",  # what a camera writes into a photo: its owner, the place
        "aiosqlite",  # statements with their values
        "sqlalchemy.engine.Engine",
    ],
)
def test_library_payloads_are_never_logged(library: str, lines: Callable[[], list[dict[str, Any]]]) -> None:
    logging.getLogger().setLevel("DEBUG")
    for level in (logging.DEBUG, logging.INFO):
        logging.getLogger(library).log(level, "sending %s", {"text": "Budi Santoso, Jl. Melati No. 5"})
    assert lines() == []


def test_persons_words_stay_out_of_a_turns_log(lines: Callable[[], list[dict[str, Any]]]) -> None:
    said = "Atas nama Budi Santoso, Kijang"
    with trace.following("telegram:1", "Budi Santoso", said):
        try:
            raise LookupError(f"nothing for {said!r} of budi santoso")
        except LookupError:
            logging.getLogger("bot.intake").exception("turn failed for %s", "BUDI SANTOSO")
    (line,) = lines()
    assert line["event"] == f"turn failed for {HIDDEN}"
    assert "budi" not in json.dumps(line).lower()
    assert "LookupError" in line["exception"]


def test_chained_exceptions_show_no_secret(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        try:
            raise ConnectionError(f"POST https://api.telegram.org/bot{TOKEN}/getMe")
        except ConnectionError as cause:
            raise RuntimeError(f"auth=('{SERVER_KEY}', '') dsn=postgresql://u:{PASSWORD}@h/d") from cause
    except RuntimeError:
        logging.getLogger("bot.telegram").exception("trouble")
    (line,) = lines()
    assert "ConnectionError" in line["exception"]
    assert not any(secret in json.dumps(line) for secret in (TOKEN, SERVER_KEY, PASSWORD))


def test_uncaught_exception_shows_no_secret(lines: Callable[[], list[dict[str, Any]]]) -> None:
    error = RuntimeError(f"no answer from {TOKEN}")
    sys.excepthook(RuntimeError, error, None)
    (line,) = lines()
    assert line["level"] == "critical"
    assert TOKEN not in json.dumps(line)


async def test_database_error_hides_the_written_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as error:
        async with database.write() as session:
            await session.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Budi Santoso"})
    assert "Budi" not in str(error.value)


async def test_trace_enters_tasks_and_does_not_leave_them() -> None:
    async def work(name: str) -> str | None:
        trace.follow(name)
        await asyncio.sleep(0)
        return trace.current().id

    with trace.following("outer"):
        assert list(await asyncio.gather(work("a"), work("b"))) == ["a", "b"]
        assert trace.current().id == "outer"
    assert trace.current().id is None


def test_telegram_error_page_is_logged_once(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    """The library would log the whole page with a traceback, before raising the error that we log."""
    logging.getLogger("telegram.request.BaseRequest").error("Can not load invalid JSON data: <html>")
    logging.getLogger("telegram").warning("something else")
    assert [line["event"] for line in lines()] == ["something else"]
