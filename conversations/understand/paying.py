"""How a line wants to pay: the method, and in full or a part first."""

from collections.abc import Iterator, Sequence
from functools import cache

from conversations.understand.intents import Intent, Topic
from conversations.understand.numbers import MONEY
from conversations.understand.said import Said
from conversations.understand.spelling import Line, number_at, phrases, span, table, text_at

TABLE = "answers.yaml"
MOST_WORDS = 4
ABOUT_PAYING = frozenset({"method", "plan", "confirmed"})
"""Questions that words of paying answer."""
ABOUT_MONEY = frozenset({Intent.PAY, Intent.PAYMENT_TERMS, Intent.PAYMENT_HELP})
ASKING = frozenset({"?", "bisa", "boleh", "berapa", "apa", "apakah", "bagaimana", "kapan"})
BEFORE_A_METHOD = frozenset({"pakai", "via", "lewat"})
FULL = "full"
DOWN = "dp"
"""A down payment without its percent."""
AFTER_DOWN = frozenset({"dulu", "saja", "ya", "nya", "cukup", "sebesar"})
PERCENT = frozenset({"%", "persen", "percent"})


def paying_in(line: Line, counted: Line, intents: Sequence[Intent], asked: str | None) -> Iterator[Said]:
    """Method and plan, where the line or the question on the screen is about money."""
    methods = list(methods_in(line))
    about_money = (
        asked in ABOUT_PAYING or not ABOUT_MONEY.isdisjoint(intents) or any(is_sure(line, one) for one in methods)
    )
    for said in methods:
        at = next(at for at, token in enumerate(line) if token.start == said.span[0])
        is_money = text_at(line, at + 1) == "<amount>"  # "dana 3 juta"
        if not is_money and (about_money or is_sure(line, said) or text_at(line, at - 1) in BEFORE_A_METHOD):
            yield said
    if intents[:1] in ((Intent.CANCEL,), (Intent.PAID,)):
        return  # "uang dp balik ga?", "udah bayar dp kemarin"
    if about_money:
        yield from plain_plans_in(counted)
    only_asks = Intent.PAYMENT_TERMS in intents and asked not in ABOUT_PAYING and _asks(line)
    yield from (said for said in plans_in(counted) if not (only_asks and said.value == DOWN))


def tells_how_to_pay(said: Sequence[Said], line: Line, topics: Sequence[Topic], asked: str | None) -> bool:
    """Whether words of paying answer or tell, rather than ask: "dp aja" beside the question or another topic."""
    told = {each.slot for each in said} & {"plan", "method"}
    return bool(told and not _asks(line) and (asked in ABOUT_PAYING or len(topics) > 1 or "plan" in told))


def _asks(line: Line) -> bool:
    return any(token.text in ASKING for token in line)


def methods_in(line: Line) -> Iterator[Said]:
    """The payment methods that a line names, in its order."""
    yield from _phrases(line, "methods", "method")


def is_sure(line: Line, said: Said) -> bool:
    """Whether a method's words mean nothing else: "qris", not "dana" or "bank"."""
    words = [token.text for token in line if said.span[0] <= token.start < said.span[1]]
    return " ".join(words) in table(TABLE)["sure_methods"]


def plans_in(line: Line) -> Iterator[Said]:
    """ "lunas aja", "dp 30", "bayar penuh": full, a percent, or `DOWN`; not "udah lunas"."""
    for said in _phrases(line, "plans", "plan"):
        at = next(at for at, token in enumerate(line) if token.start == said.span[0])
        if line[at].text in _plain() or text_at(line, at - 1) in {"sudah", "belum", "habis", "sisa"}:
            continue
        end = next(at for at, token in enumerate(line) if token.end == said.span[1]) + 1
        if said.value == DOWN and text_at(line, at - 1) in PERCENT and number_at(line, at - 2) is not None:
            yield Said("plan", str(number_at(line, at - 2)), (line[at - 2].start, said.span[1]))
            continue
        while text_at(line, end) in AFTER_DOWN:
            end += 1
        percent = number_at(line, end)
        if said.value == DOWN and percent is not None and 0 < percent <= 100 and text_at(line, end + 1) not in MONEY:
            end += 1 + (text_at(line, end + 1) in PERCENT)
            yield Said("plan", str(percent), (said.span[0], line[end - 1].end))
        else:
            yield said


def plain_plans_in(line: Line) -> Iterator[Said]:
    """Words that mean a plan only where the question is about it: "full", "setengah aja"."""
    yield from (said for said in _phrases(line, "plans", "plan") if _word(line, said) in _plain())


def percents_in(line: Line) -> Iterator[Said]:
    """A percent alone, "30 persen aja"; at the question of how much first, also a bare number."""
    for at, token in enumerate(line):
        if token.number is not None and 0 < token.number <= 100:
            yield Said("plan", str(token.number), span(line, at, at + 1 + (text_at(line, at + 1) in PERCENT)))


def _word(line: Line, said: Said) -> str:
    return next(token.text for token in line if token.start == said.span[0])


@cache
def _plain() -> frozenset[str]:
    return frozenset(table(TABLE)["plain_plans"])


def _phrases(line: Line, section: str, slot: str) -> Iterator[Said]:
    known, order = phrases(TABLE, section), list(table(TABLE)[section])
    hits = []
    for at in range(len(line)):
        for size in range(min(MOST_WORDS, len(line) - at), 0, -1):
            phrase = " ".join(token.text for token in line[at : at + size])
            if phrase in known:
                hits.append(Said(slot, known[phrase], span(line, at, at + size)))
                break
    yield from sorted(hits, key=lambda said: order.index(said.value) if said.value in order else 0)
