"""What an operator sees of a booking: logs with one trace id, metrics, and no personal data."""

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import yaml
from aiohttp import ClientSession
from booking_by_phone import book, link_in, sees
from prometheus_client.parser import text_string_to_metric_families
from town import Town

from bot.watching import logs

# Logs and metrics don't depend on the database.
pytestmark = pytest.mark.parametrize("closed_town", ["sqlite"], indirect=True)

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.yaml"


@pytest.fixture(params=["info", "debug"])
def written(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """The log with `server.log: json` at this level."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level = root.handlers[:], root.level
    stream = StringIO()
    logs.set_up("json", request.param, stream=stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


async def test_one_trace_id_and_no_personal_data_in_the_log(town: Town, written: StringIO) -> None:
    link = await book(town.telegram, name="Budi Santoso", email="budi@gmail.com")
    await town.there.midtrans.pay(link_in(link), "other_qris")
    await sees(town.telegram, "terkonfirmasi")
    await town.there.mailbox.mail(1)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    told = {(line.get("trace"), line["event"].split(" in ")[0]) for line in lines}
    turns = {trace for trace, event in told if event == "turn: ok"}
    assert turns
    assert {(trace, "telegram: ok") for trace in turns} <= told
    order = next(
        trace for trace, event in told if trace and trace.startswith("BOOKING-") and event.endswith(": received")
    )
    assert {(order, "midtrans: ok"), (order, "telegram: ok")} <= told
    for secret in ("Budi", "budi@", "gmail", "0812", town.telegram.address, "sandbox-secret"):
        assert secret not in written.getvalue()


async def test_every_alert_has_its_metrics(town: Town) -> None:
    await town.telegram.type("halo, nama saya Budi Santoso 081234567890")
    await sees(town.telegram, "Selamat datang")
    async with ClientSession(town.settings.server.public_url) as client:
        async with client.get("/readyz") as answer:
            assert (answer.status, (await answer.json())["missing"]) == (200, {})
        async with client.get("/metrics") as answer:
            text = await answer.text()
    families = list(text_string_to_metric_families(text))
    names = {name for family in families for name in (family.name, *(sample.name for sample in family.samples))}
    rules = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"][0]["rules"]
    for rule in rules:
        used = {word for word in _words(rule["expr"]) if word.startswith("bengkel_")}
        assert used <= names | {f"{name}_bucket" for name in names} | {f"{name}_total" for name in names}, rule["alert"]
        assert rule["annotations"]["do"]
    # Values are left out, since any digits may occur in them.
    words = " ".join(str((sample.name, sample.labels)) for family in families for sample in family.samples)
    assert not any(told in words for told in ("Budi", "0812", "81234567890", town.telegram.address))


def _words(expression: str) -> list[str]:
    return "".join(sign if sign.isalnum() or sign == "_" else " " for sign in expression).split()
