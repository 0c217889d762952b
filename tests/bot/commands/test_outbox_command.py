"""`bengkel outbox`: failed messages are listed masked, and resent once."""

import asyncio
from pathlib import Path

import pytest
from shops import MONDAY_8_AM, make_shop

from bot.__main__ import main
from core.context import Context
from core.db.database import Database
from core.messaging import outbox, outbox_claims
from core.messaging.messages import message, say

CONFIG = str(Path(__file__).parents[3] / "config.yaml")


def bengkel(*words: str) -> int:
    return main(["outbox", "--config", CONFIG, *words])


async def lose(url: str) -> None:
    database = Database(url)
    async with database.write() as session:
        await outbox.enqueue(
            Context(session, make_shop(), MONDAY_8_AM),
            key="paid:BOOKING-A1-BK000001-1",
            channel="whatsapp",
            address="whatsapp:+6281234567890",
            language="id",
            message=message(say("notice.see_you")),
        )
        (row,) = await outbox_claims.claim(session, now=MONDAY_8_AM, limit=1, channels=["whatsapp"])
        await outbox_claims.failed(session, row, reason="63024: +6281234567890\nis not on WhatsApp")
    await database.close()


def test_failed_message_is_listed_and_resent_once(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENGKEL_DATABASE__URL", sqlite_url)
    assert bengkel() == 0
    assert "No failed messages" in capsys.readouterr().out
    asyncio.run(lose(sqlite_url))
    assert bengkel("list") == 0
    output = capsys.readouterr().out
    assert "paid:BOOKING-A1-BK000001-1  to whatsapp …890  63024: […] is not on WhatsApp" in output
    assert "6281234567890" not in output
    assert bengkel("resend") == 1
    assert bengkel("resend", "paid:BOOKING-A1-BK000001-1") == 0
    assert bengkel("resend", "paid:BOOKING-A1-BK000001-1") == 1
    assert "No failed message has the key" in capsys.readouterr().err
