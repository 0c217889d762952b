"""The mail stand-in keeps and shows what a real mail library sends over SMTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from email.message import EmailMessage

import aiosmtplib
import pytest
from aiohttp import ClientSession, web
from waiting import HANG

from bot.sandbox.mailbox import MAX_BYTES, Fault, Mailbox, routes

PDF = b"%PDF-1.7\nsimulasi"


@pytest.fixture
async def mailbox(now: datetime) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox(clock=lambda: now)
    yield mailbox
    await mailbox.stop()


@pytest.fixture
async def site(mailbox: Mailbox) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(routes(mailbox))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def invoice_mail(subject: str = "Invoice BK-7F3A · lunas 🎉") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Bengkel Suara Jaya <halo@suarajaya.example>"
    mail["To"] = "Kak Siti <siti@example.com>"
    mail["Subject"] = subject
    mail.set_content("Terima kasih, Kak Siti.\n")
    mail.add_alternative("<p>Terima kasih, <b>Kak Siti</b>.</p><script>alert(1)</script>", subtype="html")
    mail.add_attachment(PDF, maintype="application", subtype="pdf", filename="INV-2026-0001.pdf")
    mail.add_attachment("<script>1</script>", subtype="html", filename="nakal.html")
    return mail


async def send(port: int, mail: EmailMessage, **more: str) -> None:
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=port, start_tls=False, timeout=HANG, **more)


async def test_a_mail_is_kept_with_texts_and_attachments(mailbox: Mailbox, now: datetime) -> None:
    await send(await mailbox.start(), invoice_mail())
    mail = await mailbox.mail(1)
    assert (mail.number, mail.at, mail.recipients) == (1, now, ("siti@example.com",))
    assert mail.subject == "Invoice BK-7F3A · lunas 🎉"
    assert mail.from_ == "Bengkel Suara Jaya <halo@suarajaya.example>"
    assert mail.text == "Terima kasih, Kak Siti.\n"
    assert "<b>Kak Siti</b>" in mail.html
    pdf, html = mail.attachments
    assert (pdf.name, pdf.content_type, pdf.content) == ("INV-2026-0001.pdf", "application/pdf", PDF)
    assert (html.name, html.content) == ("nakal.html", b"<script>1</script>\r\n")


async def test_waiting_for_a_mail_ends_when_it_arrives(mailbox: Mailbox) -> None:
    port = await mailbox.start()
    waiting = asyncio.create_task(mailbox.mail(2))
    await send(port, invoice_mail("satu"))
    assert not waiting.done()
    await send(port, invoice_mail("dua"))
    assert (await waiting).subject == "dua"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.GREYLIST, 450),  # temporary
        (Fault.REFUSE, 550),  # permanent
        (Fault.FULL, 452),  # temporary, after the message
    ],
)
async def test_a_fault_refuses_the_mail(mailbox: Mailbox, fault: Fault, code: int) -> None:
    port = await mailbox.start()
    mailbox.fault = fault
    with pytest.raises((aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException)) as refused:
        await send(port, invoice_mail())
    error = refused.value
    assert (error.recipients[0].code if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error.code) == code
    assert mailbox.messages == []
    mailbox.fault = None
    await send(port, invoice_mail())
    assert len(mailbox.messages) == 1


async def test_a_server_that_is_down_closes_connections(mailbox: Mailbox) -> None:
    port = await mailbox.start()
    mailbox.fault = Fault.DOWN
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await send(port, invoice_mail())


async def test_mails_over_ten_megabytes_are_refused(mailbox: Mailbox) -> None:
    port = await mailbox.start()
    mail = invoice_mail()
    mail.add_attachment(b"x" * MAX_BYTES, maintype="application", subtype="zip", filename="besar.zip")
    with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
        await send(port, mail)
    assert refused.value.code == 552
    assert mailbox.messages == []


async def test_a_password_requires_a_login(now: datetime) -> None:
    mailbox = Mailbox(clock=lambda: now, user="bengkel", password="rahasia")
    port = await mailbox.start()
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await send(port, invoice_mail(), username="bengkel", password="salah")
    with pytest.raises(aiosmtplib.SMTPException):
        await send(port, invoice_mail())
    await send(port, invoice_mail(), username="bengkel", password="rahasia")
    assert len(mailbox.messages) == 1
    await mailbox.stop()


async def test_the_pages_show_mails_in_a_sandbox(mailbox: Mailbox, site: str) -> None:
    await send(await mailbox.start(), invoice_mail())
    async with ClientSession(site) as browser:
        [listed] = await (await browser.get("/mail")).json()
        assert listed["to"] == "Kak Siti <siti@example.com>"
        page = await browser.get(listed["html"])
        assert page.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert "<b>Kak Siti</b>" in await page.text()
        pdf = await browser.get(listed["attachments"][0]["url"])
        assert (pdf.content_type, await pdf.read()) == ("application/pdf", PDF)


async def test_html_attachments_are_downloaded_not_shown(mailbox: Mailbox, site: str) -> None:
    await send(await mailbox.start(), invoice_mail())
    async with ClientSession(site) as browser:
        file = await browser.get("/mail/1/attachments/1")
        assert file.content_type == "application/octet-stream"
        assert file.headers["Content-Disposition"] == "attachment"


@pytest.mark.parametrize("path", ["/mail/1/html", "/mail/0/html", "/mail/1/attachments/0", "/mail/x/html"])
async def test_missing_mails_are_404(site: str, path: str) -> None:
    async with ClientSession(site) as browser:
        assert (await browser.get(path)).status == 404
