"""Every text exists in both languages with the same parameters, and every key in the code has one."""

import ast
import re
from dataclasses import fields
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from conversations.booking.deciding import CHANGES
from conversations.dialogue import FLOWS
from conversations.staff.monthly import COLUMNS
from conversations.texts import LANGUAGES, render, templates
from core.catalogue.advice import Fact, Reason
from core.catalogue.attributes import Attributes, PartType
from core.catalogue.csv_files import SHEETS
from core.catalogue.fit import FitAnswer
from core.catalogue.snapshot import CATEGORIES, StockStatus
from core.messaging.messages import say
from core.refusals import Refusal
from core.reports.monthly import COUNTED
from core.shop import WEEKDAYS
from core.states import BookingStatus, CallReason, CostState, PaymentStatus, RefundReason, RefundState, VisitNews
from core.work.history import SHOWN

ROOT = Path(__file__).parents[2]


def _codes(refusal: type[Refusal]) -> set[str]:
    """Of the refusals that are raised: the classes without subclasses."""
    kinds = refusal.__subclasses__()
    return set().union(*map(_codes, kinds)) if kinds else {refusal.code}


FAMILIES: dict[str, tuple[str, ...]] = {
    "category.{}": CATEGORIES,
    "type.{}": tuple(PartType),
    "reason.{}": tuple(Reason),
    "compare.{}": tuple(Fact),
    "advice.fit.{}": tuple(FitAnswer),
    "advice.fit_for.{}": tuple(each for each in FitAnswer if each is not FitAnswer.NEEDS_ADAPTER),
    "attribute.{}": tuple(each.name for each in fields(Attributes) if each.name != "order"),
    "catalogue.count.{}": tuple(sheet.name for sheet in SHEETS),
    "stock.{}": tuple(StockStatus),
    "fit.short.{}": tuple(answer for answer in FitAnswer if answer is not FitAnswer.FITS),
    "fit.{}": tuple(FitAnswer),
    "status.{}": tuple(BookingStatus),
    "instead.{}": tuple(BookingStatus),
    "staff.customer_{}": tuple(VisitNews),
    "payment.{}": tuple(PaymentStatus),
    "weekday.{}": WEEKDAYS,
    "change.{}": tuple(CHANGES),
    "refusal.{}": tuple(sorted(_codes(Refusal))),
    "again.{}": tuple(step.name for flow in FLOWS.values() for step in flow.steps),
    "{}_photo": ("team.from_customer", "team.from_staff"),
    "{}_voice": ("team.from_customer", "team.from_staff"),
    "{}_document": ("team.from_customer", "team.from_staff"),
    "person.lead.{}": tuple(CallReason),
    "staff.person.{}": tuple(CallReason),
    "staff.sent.{}": ("photo", "voice", "file"),
    "{}_file": ("team.from_customer", "team.from_staff"),
    "{}_after": ("notice.pay_here", "work.pay_rest"),
    "event.{}": SHOWN,
    "cost.{}": tuple(CostState),
    "refund.state.{}": tuple(RefundState),
    "refund.reason.{}": tuple(RefundReason),
    "team.refund.{}": tuple(RefundState),
    "team.refund_hint.{}": (RefundState.WANTED, RefundState.BY_HAND),
    "team.menu.{}": ("technician", "admin"),
    "report.booking.{}": COUNTED,
    "report.column.{}": ("month", "section", "name", *COLUMNS),
    "report.sold.{}": ("extra", "onsite", "tax"),
    "month.{}": tuple(map(str, range(1, 13))),
}
"""Keys that the code assembles, and the values for their gap."""


def test_both_languages_have_the_same_keys() -> None:
    first, second = (set(templates(language)) for language in LANGUAGES)
    assert first == second


def test_both_languages_take_the_same_parameters() -> None:
    first, second = (
        {key: _parameters(template) for key, template in templates(language).items()} for language in LANGUAGES
    )
    assert first == second


@pytest.mark.parametrize("language", LANGUAGES)
def test_bold_is_the_only_markup(language: str) -> None:
    for key, template in templates(language).items():
        assert set(re.findall(r"</?\w+>", template)) <= {"<b>", "</b>"}, key
        assert template.count("<b>") == template.count("</b>"), key


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_of_keys_is_complete(family: str) -> None:
    missing = [family.format(word) for word in FAMILIES[family] if family.format(word) not in templates("id")]
    assert missing == []


def test_each_key_in_the_code_has_a_text() -> None:
    assert {key for key in _keys_in_code() if key not in templates("id")} == set()


def test_no_text_is_unused() -> None:
    families = [re.compile(re.escape(family).replace(r"\{\}", r"[\w.]+") + "$") for family in FAMILIES]
    words = _words_in_code()
    unused = {
        key
        for key in templates("id")
        if key not in words
        and not any(family.match(key) for family in families)
        and not _has_prefix_in_code(key, words)
    }
    assert unused == set()


def test_markup_in_a_parameter_is_escaped() -> None:
    from bot.channels.telegram_render import HTML

    shown = render(say("mine.head", code="<i>x</i>", status=say("status.pending")), "id", HTML)
    assert shown.startswith("<b>Booking &lt;i&gt;x&lt;/i&gt;</b>")


def _parameters(template: str) -> set[tuple[str, str | None]]:
    return {(name, spec) for _, name, spec, _ in Formatter().parse(template) if name is not None}


@cache
def _modules() -> list[ast.Module]:
    files = [file for room in ("core", "conversations", "webhooks", "bot") for file in (ROOT / room).rglob("*.py")]
    return [ast.parse(file.read_text("utf-8")) for file in files]


def _keys_in_code() -> set[str]:
    """The first argument of each `say("…")` and `remark("…")`."""
    return {
        node.args[0].value
        for module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and _name(node.func) in ("say", "remark", "Say") and node.args
        if isinstance(node.args[0], ast.Constant)
    }


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _words_in_code() -> set[str]:
    return {
        node.value
        for module in _modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _has_prefix_in_code(key: str, words: set[str]) -> bool:
    """Whether the code assembles this key from such a prefix."""
    return any(word.endswith((".", "_")) and len(word) > 3 and key.startswith(word) for word in words)
