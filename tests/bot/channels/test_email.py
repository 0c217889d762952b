"""E-mail is sent to a real SMTP server on this machine, and its errors are translated."""

import asyncio
import email
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default as default_policy
from typing import Any

import pytest
from aiosmtpd import smtp as aiosmtpd
from aiosmtpd.smtp import AuthResult, Envelope, Session

from bot.channels.email import Email, server
from bot.channels.sending import File, NotSent, Outgoing, Unclear, Undeliverable
from core.messaging.messages import Link, Say, message, say

WRITTEN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PDF = File("INV-2026-00001.pdf", "application/pdf", b"%PDF-1.4 \x00\xff\r\n.\r\n", "https://bengkel.example/f")


async def test_an_email_has_text_html_and_its_pdf(now: datetime) -> None:
    async with _mailbox() as box:
        message_id = await _sender(box, now).send(_outgoing(file=PDF))
    (mail,) = box.mails
    assert mail["From"] == "Bengkel Suara Jaya <halo@suarajaya.example>"
    assert mail["To"] == "sari@example.com"
    assert mail["Subject"] == "Kabar booking BK-1 · Bengkel Suara Jaya"
    assert mail["Date"].datetime == now
    assert mail["Message-ID"] == message_id
    assert mail["Auto-Submitted"] == "auto-generated"

    text, page = _bodies(mail)
    assert "Booking BK-1 sudah terkonfirmasi." in text
    assert "<b>BK-1</b>" in page
    assert '<html lang="id">' in page
    for body in (text, page):
        assert "dikirim otomatis oleh Bengkel Suara Jaya" in body
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "INV-2026-00001.pdf"
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_content() == PDF.content


async def test_a_link_is_a_button_in_html_and_a_line_in_text(now: datetime) -> None:
    url = "https://pay.example/v4?a=1&b=%22"
    async with _mailbox() as box:
        await _sender(box, now).send(_outgoing(link=Link(url, say("notice.pay_button"))))
    text, page = _bodies(box.mails[0])
    assert f"Bayar sekarang: {url}" in text
    assert 'href="https://pay.example/v4?a=1&amp;b=%22"' in page
    assert ">Bayar sekarang</a>" in page


async def test_the_footer_is_in_the_recipients_language(now: datetime) -> None:
    async with _mailbox() as box:
        await _sender(box, now).send(_outgoing(language="en"))
    text, page = _bodies(box.mails[0])
    assert '<html lang="en">' in page
    assert "sent automatically by Bengkel Suara Jaya" in text


async def test_the_message_id_is_the_same_at_every_attempt(now: datetime) -> None:
    async with _mailbox() as box:
        sender = _sender(box, now)
        first = await sender.send(_outgoing(key="paid:1"))
        again = await _sender(box, now + timedelta(hours=1)).send(_outgoing(key="paid:1"))
        other = await sender.send(_outgoing(key="paid:2"))
    assert first == again != other
    assert first is not None
    assert first.endswith("@suarajaya.example>")


@pytest.mark.parametrize(
    "name",
    [
        "Sari\r\nBcc: semua@example.com",
        "Sari\n\n<script>alert(1)</script>",
        '<img src=x onerror=alert(1)> & "Sari" \'',
        "محمد 😀 \u202e" + "x" * 3_000,
        "Sari\x00\x0b\x1b[31m",
        "\n.\nQUIT\n",
        "{code} {0}",
    ],
)
async def test_a_name_becomes_neither_header_nor_markup(now: datetime, name: str) -> None:
    """Neither in the subject nor in the HTML."""
    subject = say("notice.mail.news", code=name, shop=name)
    greeting = say("notice.reminder_hours", name=name, code="BK-1", at=now)
    async with _mailbox() as box:
        await _sender(box, now).send(_outgoing(subject, greeting))
    (mail,) = box.mails
    assert box.recipients == [["sari@example.com"]]
    assert mail["Bcc"] is None
    assert set(mail.keys()) == _HEADERS
    _, page = _bodies(mail)
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize(
    "address",
    [
        "sari@example.com\r\nRCPT TO:<x@example.com>",
        "sari@example.com>\nBcc: x@example.com",
        "sari@a@example.com",
        "sari",
        "",
        "<sari@example.com> SIZE=1",
        "s\u00e4ri@example.com",  # would need SMTPUTF8
        "x" * 65 + "@example.com",
    ],
)
async def test_an_invalid_address_is_undeliverable(now: datetime, address: str) -> None:
    async with _mailbox() as box:
        with pytest.raises(Undeliverable):
            await _sender(box, now).send(_outgoing(address=address))
    assert box.recipients == []


async def test_a_domain_is_sent_in_punycode(now: datetime) -> None:
    async with _mailbox() as box:
        await _sender(box, now).send(_outgoing(address="sari@bücher.example"))
    assert box.recipients == [["sari@xn--bcher-kva.example"]]


@pytest.mark.parametrize(
    ("stage", "answer", "error"),
    [
        ("MAIL", "451 4.7.1 later", NotSent),
        ("MAIL", "550 5.7.1 not you", NotSent),  # our settings are wrong: they can be corrected
        ("RCPT", "450 4.2.2 mailbox full", NotSent),
        ("RCPT", "550 5.1.1 no such user", Undeliverable),
        ("DATA", "451 4.3.0 later", NotSent),
        ("DATA", "552 5.3.4 too big", Undeliverable),
        ("DATA", "554 5.7.1 looks like spam", Undeliverable),
    ],
)
async def test_smtp_errors_are_translated(now: datetime, stage: str, answer: str, error: type[Exception]) -> None:
    async with _mailbox({stage: answer}) as box:
        with pytest.raises(error):
            await _sender(box, now).send(_outgoing())
    assert box.mails == []


async def test_a_refused_connection_means_not_sent(now: datetime) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(NotSent):
        await Email(f"smtp://127.0.0.1:{port}", "halo@suarajaya.example", clock=lambda: now).send(_outgoing())


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ([], NotSent),  # silent after the connection
        (["220 x", "250 x"], NotSent),  # silent before the recipient
        (["220 x", "250 x", "250 x", "250 x", "354 x"], Unclear),  # silent after the mail
    ],
)
async def test_a_timeout_is_unclear_only_after_the_data(now: datetime, says: list[str], error: type[Exception]) -> None:
    async with _script(says, then="silence") as url:
        sender = Email(url, "halo@suarajaya.example", clock=lambda: now, timeout=timedelta(seconds=0.3))
        with pytest.raises(error):
            await sender.send(_outgoing())


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (["220 x", "250 x"], NotSent),
        (["220 x", "250 x", "250 x", "250 x", "354 x"], Unclear),
    ],
)
async def test_a_lost_connection_is_unclear_only_after_the_data(
    now: datetime, says: list[str], error: type[Exception]
) -> None:
    async with _script(says, then="hang up") as url:
        with pytest.raises(error):
            await Email(url, "halo@suarajaya.example", clock=lambda: now).send(_outgoing())


async def test_a_disconnect_after_acceptance_is_ignored(now: datetime) -> None:
    async with _script(["220 x", "250 x", "250 x", "250 x", "354 x", "250 taken"], then="hang up") as url:
        assert await Email(url, "halo@suarajaya.example", clock=lambda: now).send(_outgoing())


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_wrong_password_means_not_sent(now: datetime) -> None:
    async with _mailbox(login=("halo", "p@ss/word")) as box:
        url = f"smtp://halo:{{}}@127.0.0.1:{box.port}"
        with pytest.raises(NotSent, match="535"):
            await Email(url.format("wrong"), "halo@suarajaya.example", clock=lambda: now).send(_outgoing())
        await Email(url.format("p%40ss%2Fword"), "halo@suarajaya.example", clock=lambda: now).send(_outgoing())
    assert len(box.mails) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, False, False)),
        ("smtp://mail.example", ("mail.example", 25, False, False)),
        ("smtp://u:p@mail.example?tls=starttls", ("mail.example", 587, False, True)),
        ("smtp://u:p@mail.example:2587?tls=starttls", ("mail.example", 2587, False, True)),
        ("smtps://u:p@mail.example", ("mail.example", 465, True, False)),
    ],
)
def test_the_smtp_url_decides_port_and_tls(url: str, expected: tuple[str, int, bool, bool]) -> None:
    known = server(url)
    assert (known["hostname"], known["port"], known["use_tls"], known["start_tls"]) == expected


@pytest.mark.parametrize(
    "url",
    ["", "mail.example:25", "http://mail.example", "smtp://", "smtp://mail.example?tls=no", "smtp://mail.example:x"],
)
def test_an_invalid_smtp_url_is_rejected(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        server(url)


_HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
}


class _Mailbox:
    """An aiosmtpd handler that keeps the mails; `answers` replaces the answer of a stage."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.port = 0

    async def handle_MAIL(
        self, server: aiosmtpd.SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(
        self, server: aiosmtpd.SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: aiosmtpd.SMTP, session: Session, envelope: Envelope) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        assert isinstance(envelope.content, bytes)
        self.mails.append(email.message_from_bytes(envelope.content, policy=default_policy))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@asynccontextmanager
async def _mailbox(
    answers: dict[str, str] | None = None, *, login: tuple[str, str] | None = None
) -> AsyncIterator[_Mailbox]:
    box = _Mailbox(answers or {})

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=given == login)

    def serve() -> aiosmtpd.SMTP:
        return aiosmtpd.SMTP(
            box,
            hostname="mail.example",
            auth_required=login is not None,
            auth_require_tls=False,
            authenticator=authenticate,
        )

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def _script(says: list[str], *, then: str) -> AsyncIterator[str]:
    """A server that answers line by line (after 354: at the end of the mail), then is silent or disconnects."""
    done = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, answer in enumerate(says):
            if number:
                await (reader.readuntil(b"\r\n.\r\n") if says[number - 1].startswith("354") else reader.readline())
            writer.write(answer.encode() + b"\r\n")
        if says and then == "hang up":
            await (reader.readuntil(b"\r\n.\r\n") if says[-1].startswith("354") else reader.readline())
        if then == "silence":
            await done.wait()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        done.set()
        server.close()
        await server.wait_closed()


def _sender(box: _Mailbox, now: datetime) -> Email:
    return Email(f"smtp://127.0.0.1:{box.port}", "Bengkel Suara Jaya <halo@suarajaya.example>", clock=lambda: now)


def _outgoing(
    *says: Say,
    key: str = "paid:BOOKING-1",
    address: str = "sari@example.com",
    language: str = "id",
    file: File | None = None,
    **rest: Any,
) -> Outgoing:
    subject = say("notice.mail.news", code="BK-1", shop="Bengkel Suara Jaya")
    paragraphs = says or (subject, say("notice.confirmed", code="BK-1"))
    return Outgoing(
        1, key, address, language, message(*paragraphs, **rest), kind="notice", written_at=WRITTEN, file=file
    )


def _bodies(mail: EmailMessage) -> tuple[str, str]:
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    return text.get_content(), page.get_content()
