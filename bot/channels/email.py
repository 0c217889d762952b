"""E-mail by aiosmtplib: a message as text and HTML, with its file attached."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import parseaddr
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from email_validator import EmailNotValidError, validate_email

from bot.channels.email_render import as_html, as_text, subject
from bot.channels.sending import NotSent, Outgoing, Unclear, Undeliverable

# 7bit, for servers without 8BITMIME and because of the limit on line lengths.
_POLICY = SMTP_POLICY.clone(cte_type="7bit")


class Email:
    """Sends through one SMTP server, with a connection per e-mail."""

    def __init__(
        self,
        smtp_url: str,
        sender: str,
        *,
        clock: Callable[[], datetime],
        timeout: timedelta = timedelta(seconds=20),
    ) -> None:
        """`sender` as in From, "Bengkel Suara Jaya <halo@…>"; raises `ValueError` for an invalid address or URL."""
        name, address = parseaddr(sender)
        self._sender = Address(name or address, addr_spec=_valid(address))
        self._server = server(smtp_url) | {
            "timeout": timeout.total_seconds(),
            "local_hostname": self._sender.domain,
        }
        self._clock = clock

    async def send(self, outgoing: Outgoing) -> str | None:
        """Send; the id is the Message-ID, the same at every attempt."""
        try:
            recipient = _valid(outgoing.address)
        except ValueError as error:
            raise Undeliverable(f"no e-mail address: {error}") from error
        mail = self._mail(outgoing, recipient)
        smtp = aiosmtplib.SMTP(**self._server)
        with _translated_errors(NotSent):
            await smtp.connect()
        # Leaving the block sends QUIT and ignores a server that is gone: the e-mail is accepted.
        async with smtp:
            with _translated_errors(NotSent):
                await smtp.mail(self._sender.addr_spec)
                await smtp.rcpt(recipient)
            with _translated_errors(Unclear):
                await smtp.data(mail.as_bytes())
        return str(mail["Message-ID"])

    def _mail(self, outgoing: Outgoing, recipient: str) -> EmailMessage:
        mail = EmailMessage(policy=_POLICY)
        shop = self._sender.display_name
        mail["From"] = self._sender
        mail["To"] = Address(addr_spec=recipient)
        mail["Subject"] = subject(outgoing.message, outgoing.language)
        mail["Date"] = self._clock()
        mail["Message-ID"] = f"<{sha256(outgoing.key.encode()).hexdigest()[:40]}@{self._sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(as_text(outgoing.message, outgoing.language, shop))
        mail.add_alternative(as_html(outgoing.message, outgoing.language, shop), subtype="html")
        if file := outgoing.file:
            maintype, _, subtype = file.content_type.partition("/")
            mail.add_attachment(file.content, maintype=maintype, subtype=subtype, filename=file.name)
        return mail


def server(smtp_url: str) -> dict[str, Any]:
    """The keyword arguments of `aiosmtplib.SMTP` for smtp://user:password@host:587?tls=starttls, smtps://host
    (TLS from the first byte) or, without TLS, smtp://127.0.0.1:2525. Raises `ValueError` for anything else.
    """
    url = urlsplit(smtp_url)
    start_tls = parse_qs(url.query).get("tls") == ["starttls"]
    if url.scheme not in {"smtp", "smtps"} or not url.hostname or (url.query and not start_tls):
        raise ValueError("is no address of a mail server (smtp://user:password@host:587?tls=starttls, smtps://host)")
    use_tls = url.scheme == "smtps"
    return {
        "hostname": url.hostname,
        "port": url.port or (465 if use_tls else 587 if start_tls else 25),
        "username": unquote(url.username) if url.username else None,
        "password": unquote(url.password) if url.password else None,
        "use_tls": use_tls,
        "start_tls": start_tls,
    }


@contextmanager
def _translated_errors(without_answer: type[NotSent | Unclear]) -> Iterator[None]:
    try:
        yield
    except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as refused:
        if refused.code >= 500:
            raise Undeliverable(f"rejected by the mail server: {refused}") from refused
        raise NotSent(f"the mail server asks to try later: {refused}") from refused
    except (aiosmtplib.SMTPException, OSError) as error:
        raise without_answer(f"the mail server fails: {error}") from error


def _valid(address: str) -> str:
    """An address in ASCII, with its domain in Punycode; raises `ValueError`."""
    try:
        valid = validate_email(address, check_deliverability=False, globally_deliverable=False, strict=True)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error
    if valid.ascii_email is None:
        raise ValueError("the part before the @ is not in ASCII")
    return valid.ascii_email
