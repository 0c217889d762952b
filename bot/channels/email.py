"""E-mail by aiosmtplib: a message becomes a letter in text and HTML, with the file attached.

The first of a message's texts is the subject, the others are its paragraphs, a link is a button.
"""

import html
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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

from bot.channels.sending import NotSent, Parcel, Unclear, Undeliverable
from conversations.incoming import clean
from conversations.texts import Style, render
from core.messaging.messages import Say, say

HTML = Style(escape=html.escape, bold=("<b>", "</b>"))

# 7bit: a server without 8BITMIME takes it too, and no line grows longer than mail allows.
_POLICY = SMTP_POLICY.clone(cte_type="7bit")


class Email:
    """Delivers to mailboxes over one SMTP server, a connection per letter."""

    def __init__(
        self,
        smtp_url: str,
        sender: str,
        *,
        clock: Callable[[], datetime],
        timeout: timedelta = timedelta(seconds=20),
    ) -> None:
        """`sender` as in a letter's head, "Bengkel Suara Jaya <halo@…>"; raises `ValueError` for what can't be meant."""
        name, address = parseaddr(sender)
        self._sender = Address(name or address, addr_spec=_valid(address))
        self._server = server(smtp_url) | {
            "timeout": timeout.total_seconds(),
            "local_hostname": self._sender.domain,
        }
        self._clock = clock

    async def send(self, parcel: Parcel) -> str | None:
        """Deliver; the id is the letter's Message-ID, the same at every attempt."""
        try:
            recipient = _valid(parcel.address)
        except ValueError as problem:
            raise Undeliverable(f"no e-mail address: {problem}") from problem
        letter = self._letter(parcel, recipient)
        async with self._connected() as smtp:
            await _introduce(smtp, self._sender.addr_spec, recipient)
            await _hand_over(smtp, letter.as_bytes())
        return str(letter["Message-ID"])

    def _letter(self, parcel: Parcel, recipient: str) -> EmailMessage:
        letter = EmailMessage(policy=_POLICY)
        shop = self._sender.display_name
        letter["From"] = self._sender
        letter["To"] = Address(addr_spec=recipient)
        letter["Subject"] = _subject(parcel)
        letter["Date"] = self._clock()
        letter["Message-ID"] = f"<{sha256(parcel.key.encode()).hexdigest()[:40]}@{self._sender.domain}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(_as_text(parcel, shop))
        letter.add_alternative(_as_html(parcel, shop), subtype="html")
        if parcel.file is not None:
            maintype, _, subtype = parcel.file.content_type.partition("/")
            letter.add_attachment(parcel.file.content, maintype=maintype, subtype=subtype, filename=parcel.file.name)
        return letter

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiosmtplib.SMTP]:
        smtp = aiosmtplib.SMTP(**self._server)
        try:
            await smtp.connect()
        except (aiosmtplib.SMTPException, OSError) as problem:
            raise NotSent(f"no connection to the mail server: {problem}") from problem
        # Leaving says QUIT, and forgives a server that is gone by then: the letter is accepted.
        async with smtp:
            yield smtp


def server(smtp_url: str) -> dict[str, Any]:
    """Where and how to connect, as keywords of `aiosmtplib.SMTP`.

    smtp://user:password@host:587?tls=starttls, smtps://host (TLS from the first byte) or, in clear,
    smtp://127.0.0.1:2525. Raises `ValueError` for anything else.
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


async def _introduce(smtp: aiosmtplib.SMTP, sender: str, recipient: str) -> None:
    """Sender and recipient, before a word of the letter: whatever goes wrong here, nothing was sent."""
    try:
        await smtp.mail(sender)
        await smtp.rcpt(recipient)
    except aiosmtplib.SMTPRecipientRefused as refused:
        if refused.code >= 500:
            raise Undeliverable(f"the mail server refuses the address: {refused}") from refused
        raise NotSent(f"the mail server puts us off: {refused}") from refused
    except (aiosmtplib.SMTPException, OSError) as problem:
        raise NotSent(f"the mail server takes no letter: {problem}") from problem


async def _hand_over(smtp: aiosmtplib.SMTP, letter: bytes) -> None:
    """The letter itself: without an answer nobody knows whether it was taken."""
    try:
        await smtp.data(letter)
    except aiosmtplib.SMTPDataError as refused:
        if refused.code >= 500:
            raise Undeliverable(f"the mail server refuses the letter: {refused}") from refused
        raise NotSent(f"the mail server puts the letter off: {refused}") from refused
    except (aiosmtplib.SMTPException, OSError) as problem:
        raise Unclear(f"no answer to the letter: {problem}") from problem


def _valid(address: str) -> str:
    """An address in ASCII, its domain in Punycode where needed; raises `ValueError`."""
    try:
        known = validate_email(address, check_deliverability=False, globally_deliverable=False, strict=True)
    except EmailNotValidError as problem:
        raise ValueError(str(problem)) from problem
    if known.ascii_email is None:
        raise ValueError("the part before the @ is not in ASCII")
    return known.ascii_email


def _subject(parcel: Parcel) -> str:
    return " ".join(clean(render(parcel.message.says[0], parcel.language)).split())


def _as_text(parcel: Parcel, shop: str) -> str:
    message, language = parcel.message, parcel.language
    paragraphs = [render(text, language) for text in message.says[1:]]
    if message.link is not None:
        paragraphs.append(f"{render(message.link.label, language)}: {message.link.url}")
    foot = f"-- \n{render(_foot(shop), language)}\n{render(say('mail.reply'), language)}\n"
    return "\n\n".join([*paragraphs, foot])


def _as_html(parcel: Parcel, shop: str) -> str:
    message, language = parcel.message, parcel.language
    paragraphs = [_PARAGRAPH.format(text=_lines(render(text, language, HTML))) for text in message.says[1:]]
    if message.link is not None:
        label = render(message.link.label, language, HTML)
        paragraphs.append(_BUTTON.format(url=html.escape(message.link.url), label=label))
    return _PAGE.format(
        language=language,
        subject=html.escape(_subject(parcel)),
        shop=html.escape(shop),
        paragraphs="\n".join(paragraphs),
        automatic=render(_foot(shop), language, HTML),
        reply=render(say("mail.reply"), language, HTML),
    )


def _lines(text: str) -> str:
    return text.replace("\n", "<br>\n")


def _foot(shop: str) -> Say:
    return say("mail.automatic", shop=shop)


# Mail programs drop style sheets, so every element carries its own.
_PARAGRAPH = '<p style="margin:0 0 16px">{text}</p>'
_BUTTON = """\
<p style="margin:8px 0 24px"><a href="{url}" style="display:inline-block;padding:12px 28px;border-radius:8px;\
background:#10345c;color:#ffffff;font-weight:600;text-decoration:none">{label}</a></p>"""
_PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{subject}</title>
</head>
<body style="margin:0;padding:24px 12px;background:#f3f5f8;color:#111827;\
font:16px/1.6 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<div style="max-width:560px;margin:0 auto;border-radius:12px;overflow:hidden;background:#ffffff">
<div style="padding:18px 28px;background:#10345c;color:#ffffff;font-size:18px;font-weight:600">{shop}</div>
<div style="padding:26px 28px 12px">
{paragraphs}
</div>
</div>
<p style="max-width:560px;margin:16px auto 0;padding:0 28px;box-sizing:border-box;color:#6b7280;font-size:13px">\
{automatic}<br>
{reply}</p>
</body>
</html>
"""
