"""Stand-in for a mail server: an SMTP server that keeps every mail, and pages that show them.

    GET /mail                        every mail as JSON, newest last
    GET /mail/{n}/html               its HTML, in a sandbox without scripts
    GET /mail/{n}/attachments/{k}    an attachment

Mails are numbered from 1.
"""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from enum import StrEnum
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

MAX_BYTES = 10 * 1024 * 1024
SHOWN_IN_BROWSER = ("application/pdf", "image/png", "image/jpeg")


class Fault(StrEnum):
    """Simulated faults of the server."""

    DOWN = "down"  # closes every connection
    GREYLIST = "greylist"  # temporary refusal before the message
    REFUSE = "refuse"  # "no such mailbox"
    FULL = "full"  # temporary refusal after the message


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A received mail: `sender` and `recipients` come from the envelope, the rest from the message."""

    number: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    from_: str
    to: str
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...]
    message: EmailMessage


class Mailbox:
    """The SMTP server. With a `password` it requires a login as `user`; without one it accepts every mail."""

    def __init__(self, *, clock: Callable[[], datetime], user: str = "", password: str = "") -> None:
        self.messages: list[Mail] = []
        self.fault: Fault | None = None
        self._clock = clock
        self._login = (user.encode(), password.encode())
        self._arrived = asyncio.Condition()
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen and return the port; 0 picks a free one."""
        self._server = await asyncio.get_running_loop().create_server(self._connection, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening; the mails stay."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def mail(self, number: int) -> Mail:
        """Wait for the mail with this number."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.messages) >= number)
        return self.messages[number - 1]

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, options
        if self._login[1] and not session.authenticated:
            return "530 5.7.0 Authentication required"
        match self.fault:
            case Fault.GREYLIST:
                return "450 4.2.0 Greylisted, try again later"
            case Fault.REFUSE:
                return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        del server, session
        if self.fault is Fault.FULL:
            return "452 4.3.1 Insufficient system storage"
        async with self._arrived:
            self.messages.append(_read(envelope, len(self.messages) + 1, self._clock()))
            self._arrived.notify_all()
        return "250 OK"

    def _connection(self) -> asyncio.BaseProtocol:
        if self.fault is Fault.DOWN:
            return _HangUp()
        return SMTP(
            self,
            hostname="localhost",
            loop=asyncio.get_running_loop(),
            data_size_limit=MAX_BYTES,
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=self._authenticate,
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        del server, session, envelope, mechanism
        login = data.login + b"\0" + data.password
        return AuthResult(success=hmac.compare_digest(login, b"\0".join(self._login)), handled=False)


class _HangUp(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def routes(mailbox: Mailbox) -> list[web.RouteDef]:

    def requested(request: web.Request) -> Mail:
        number = int(request.match_info["number"])
        if not 1 <= number <= len(mailbox.messages):
            raise web.HTTPNotFound
        return mailbox.messages[number - 1]

    async def listing(request: web.Request) -> web.Response:
        del request
        return web.json_response([mail_json(mail) for mail in mailbox.messages])

    async def html(request: web.Request) -> web.Response:
        policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
        return web.Response(text=requested(request).html, content_type="text/html", headers=headers)

    async def attachment(request: web.Request) -> web.Response:
        files, index = requested(request).attachments, int(request.match_info["index"])
        if index >= len(files):
            raise web.HTTPNotFound
        return _file(files[index])

    return [
        web.get("/mail", listing),
        web.get(r"/mail/{number:\d+}/html", html),
        web.get(r"/mail/{number:\d+}/attachments/{index:\d+}", attachment),
    ]


def mail_json(mail: Mail) -> dict[str, Any]:
    """A mail in the page's JSON format."""
    return {
        "number": mail.number,
        "at": mail.at.isoformat(),
        "from": mail.from_,
        "to": mail.to,
        "recipients": mail.recipients,
        "subject": mail.subject,
        "text": mail.text,
        "html": f"/mail/{mail.number}/html" if mail.html else None,
        "attachments": [
            {
                "name": file.name,
                "type": file.content_type,
                "size": len(file.content),
                "url": f"/mail/{mail.number}/attachments/{index}",
            }
            for index, file in enumerate(mail.attachments)
        ],
    }


def _file(file: Attachment) -> web.Response:
    shown = file.content_type in SHOWN_IN_BROWSER
    headers = {"X-Content-Type-Options": "nosniff"}
    if not shown:
        headers["Content-Disposition"] = "attachment"
    content_type = file.content_type if shown else "application/octet-stream"
    return web.Response(body=file.content, content_type=content_type, headers=headers)


def _read(envelope: Envelope, number: int, at: datetime) -> Mail:
    content = envelope.original_content
    assert content is not None
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)  # the default policy returns this class
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return Mail(
        number=number,
        at=at,
        sender=envelope.mail_from or "",
        recipients=tuple(envelope.rcpt_tos),
        from_=str(message["From"] or ""),
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=_lines(text),
        html=_lines(html),
        attachments=tuple(
            Attachment(part.get_filename() or "tanpa-nama", part.get_content_type(), _bytes(part))
            for part in message.walk()
            if not part.is_multipart() and part is not text and part is not html
        ),
        message=message,
    )


def _lines(part: MIMEPart | None) -> str:
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def _bytes(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
