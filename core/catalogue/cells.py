r"""A cell of the catalogue's files: what people write, as a value, and a value as export writes it.

`|` separates several values in a cell, as in `daya=50 W|ukuran=6,5 inci` or `Toyota Avanza 2012-2021|Honda CR-V 2019-`,
and `\` escapes a sign. Words are read in Indonesian and English, in any case.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from email_validator import EmailNotValidError, validate_email

from core.catalogue.attributes import inches
from core.catalogue.fit import year_span
from core.messaging.messages import Say, say
from core.shop import WEEKDAYS

_CURRENCY = r"(?:(?:rp\.?|idr)\s*)?"
# A single group after a comma isn't read: "350,000" is 350 in Indonesia.
_MONEY = re.compile(
    rf"{_CURRENCY}(?P<sign>-?)(?:(?P<plain>[0-9]{{1,15}})(?:[.,]0{{1,2}}|,-)?"
    r"|(?P<dots>[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,00|,-)?"
    r"|(?P<commas>[1-9][0-9]{0,2}(?:,[0-9]{3}){2,})(?:\.00|,-)?)",
    re.IGNORECASE,
)
_UNCLEAR_MONEY = re.compile(rf"{_CURRENCY}(?:[1-9]\.[0-9]{{3}}|[0-9]{{1,4}}[.,]0{{1,2}})", re.IGNORECASE)
_WHOLE = re.compile(r"(-?[0-9]{1,15})(?:[.,]0{1,2})?")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_LOCAL_PHONE = re.compile(r"0?(?=8)|\+?62(?=[1-9])|0(?=[1-9])")
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
_PERCENT = re.compile(r"(-?[0-9]{1,15})\s*%?")
_PIECE = re.compile(r"(?:[^|\\]|\\.|\\$)+", re.DOTALL)
_PAIR = re.compile(r"((?:[^=\\]|\\.)+)=(.+)", re.DOTALL)
_VEHICLE = re.compile(r"(\S+)\s+(.+)\s+(\S+)")
_LONGEST_SHOWN = 60

CATEGORY_WORDS = {
    "speaker": ("speaker", "speakers"),
    "amplifier": ("amplifier", "amplifiers", "power", "power amplifier"),
    "subwoofer": ("subwoofer", "subwoofers"),
    "headunit": ("headunit", "head unit", "headunits", "head units"),
    "kabel": ("kabel", "cable", "cables"),
    "accessory": ("accessory", "accessories", "aksesori", "aksesoris"),
    "other": ("other", "others", "lain", "lainnya", "lain lain"),
}
SERVICE_CATEGORY_WORDS = {
    "installation": ("installation", "pemasangan", "pasang", "instalasi"),
    "repair": ("repair", "perbaikan", "reparasi", "servis", "service"),
    "upgrade": ("upgrade", "peningkatan"),
    "consultation": ("consultation", "konsultasi"),
    "package": ("package", "paket"),
    "other": CATEGORY_WORDS["other"],
}
_INDONESIAN_DAYS = (("senin",), ("selasa",), ("rabu",), ("kamis",), ("jumat", "jum at"), ("sabtu",), ("minggu",))
YES_NO_WORDS = {
    "yes": ("yes", "y", "ya", "iya", "true", "benar", "1"),
    "no": ("no", "n", "tidak", "tdk", "false", "salah", "0"),
}


class BadCell(ValueError):
    """What is wrong with a cell, to follow its column's name."""

    def __init__(self, why: Say) -> None:
        super().__init__(why.key)
        self.why = why


# --- from cells --------------------------------------------------------------------------------


def money(text: str) -> int:
    found = _MONEY.fullmatch(text)
    if found is None:
        raise BadCell(say("catalogue.money", got=shown(text)))
    digits = found["plain"] or found["dots"] or found["commas"]
    return int(found["sign"] + digits.replace(".", "").replace(",", ""))


def is_unclear_money(text: str) -> bool:
    """Whether a price may be another one: "1.250" is 1,250 rupiah or 1.25 of something, "1250.00" a slip of 1.250.000."""
    return _UNCLEAR_MONEY.fullmatch(text) is not None


def whole(text: str) -> int:
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise BadCell(say("catalogue.whole", got=shown(text)))
    return int(found[1])


def percent(text: str) -> int:
    found = _PERCENT.fullmatch(text)
    if found is None:
        raise BadCell(say("catalogue.whole", got=shown(text)))
    return int(found[1])


def yes_no(text: str) -> bool:
    return _meant(YES_NO_WORDS, text, lambda got: say("catalogue.yes_no", got=got)) == "yes"


def category(text: str) -> str:
    return _meant(CATEGORY_WORDS, text, lambda got: say("catalogue.category", got=got))


def service_category(text: str) -> str:
    return _meant(SERVICE_CATEGORY_WORDS, text, lambda got: say("catalogue.service_category", got=got))


def size(text: str) -> str:
    found = inches(text)
    if found is None:
        raise BadCell(say("catalogue.size", got=shown(text)))
    return found


def one_of(*allowed: str) -> Callable[[str], str]:
    words = {name: (name,) for name in allowed}

    def read(text: str) -> str:
        return _meant(words, text, lambda got: say("catalogue.one_of", words=", ".join(allowed), got=got))

    return read


def pieces(text: str) -> list[str]:
    return [_unescaped(piece) for piece in _split(text)]


def pairs(text: str) -> dict[str, str]:
    found = {}
    for piece in _split(text):
        pair = _PAIR.fullmatch(piece)
        if pair is None:
            raise BadCell(say("catalogue.pairs", got=shown(piece)))
        found[_unescaped(pair[1])] = _unescaped(pair[2])
    return found


def vehicles(text: str) -> list[dict[str, str]]:
    found = []
    for piece in pieces(text):
        car = _VEHICLE.fullmatch(piece)
        if car is None or year_span(car[3]) is None:
            raise BadCell(say("catalogue.vehicles", got=shown(piece)))
        found.append({"brand": car[1], "model": car[2], "year": car[3]})
    return found


def weekdays(text: str) -> list[int]:
    words: dict[str, tuple[str, ...]] = {
        day: (day, *others) for day, others in zip(WEEKDAYS, _INDONESIAN_DAYS, strict=True)
    }
    listed = pieces(re.sub(r"[,;/]", "|", text))
    days = [_meant(words, piece, lambda got: say("catalogue.weekday", got=got)) for piece in listed]
    return [number for number, day in enumerate(WEEKDAYS) if day in days]


def like(pattern: re.Pattern[str], example: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise BadCell(say("catalogue.like", example=example, got=shown(text)))
        return text

    return check


def phone(text: str) -> str:
    """A number in E.164; without a country's code it is an Indonesian one, whose zero spreadsheets lose."""
    digits = re.sub(r"[\s().-]", "", text)
    number = _LOCAL_PHONE.sub("+62", digits, count=1) if not digits.startswith("+") else digits
    if not _PHONE.fullmatch(number):
        raise BadCell(say("catalogue.like", example="+6281219000101", got=shown(text)))
    return number


def printable(text: str) -> str:
    if _UNPRINTABLE.search(text):
        raise BadCell(say("catalogue.control"))
    return text


def one_line(text: str) -> str:
    """Printable text whose line ends are spaces: names stand on buttons and in lists."""
    return re.sub(r"\s*\n\s*", " ", printable(text))


def address(text: str) -> str:
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise BadCell(say("catalogue.email", got=shown(text))) from None


def shown(text: object) -> str:
    """A cell in quotes for a message, without control characters, and not longer than a line."""
    quoted = repr(str(text))
    return quoted if len(quoted) <= _LONGEST_SHOWN else f"{quoted[:_LONGEST_SHOWN]}…'"


def _meant(words: Mapping[str, tuple[str, ...]], text: str, refusal: Callable[[str], Say]) -> str:
    key = _spoken(text)
    found = next((name for name, others in words.items() if key in map(_spoken, others)), None)
    if found is None:
        raise BadCell(refusal(shown(text)))
    return found


@lru_cache(maxsize=4096)
def _spoken(text: str) -> str:
    """A word without case, punctuation and decimal commas: "Speaker-6,5" is "speaker-6.5"."""
    return " ".join(re.split(r"[^a-z0-9.]+", text.casefold().replace(",", "."))).strip()


def _split(text: str) -> list[str]:
    return [piece.strip() for piece in _PIECE.findall(text) if piece.strip()]


def _unescaped(piece: str) -> str:
    return re.sub(r"\\([|=\\])", r"\1", piece).strip()


# --- to cells ----------------------------------------------------------------------------------


def cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return "|".join(_escaped(_piece(item), "|") for item in value)
        case Mapping():
            return "|".join(f"{_escaped(str(key), '|=')}={_escaped(str(item), '|')}" for key, item in value.items())
        case _:
            return str(value)


def _piece(item: Any) -> str:
    match item:
        case int():
            return WEEKDAYS[item]
        case {"brand": brand, "model": model, "year": year}:
            return f"{brand} {model} {year}"
        case _:
            return str(item)


def _escaped(text: str, signs: str) -> str:
    return re.sub(rf"[\\{signs}]", r"\\\g<0>", text)
