"""Numbers as people write them: words into digits, and amounts (prices, sizes, counts of things) out of the way.

    "dua puluh lima"  →  25        "1,2jt" "Rp 350.000" "9 inch" "4 channel" "6x9"  →  <amount>
"""

from conversations.understand.spelling import Line, Token, replace

UNITS = {
    **dict.fromkeys(("nol", "zero"), 0),
    **dict.fromkeys(("satu", "one"), 1),
    **dict.fromkeys(("dua", "two"), 2),
    **dict.fromkeys(("tiga", "three"), 3),
    **dict.fromkeys(("empat", "four"), 4),
    **dict.fromkeys(("lima", "five"), 5),
    **dict.fromkeys(("enam", "six"), 6),
    **dict.fromkeys(("tujuh", "seven"), 7),
    **dict.fromkeys(("delapan", "lapan", "eight"), 8),
    **dict.fromkeys(("sembilan", "nine"), 9),
    **dict.fromkeys(("sepuluh", "ten"), 10),
    **dict.fromkeys(("sebelas", "eleven"), 11),
    "twelve": 12,
    "thirteen": 13,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
}
SCALES = {"belas": 10, "puluh": 10, "ratus": 100, "ribu": 1000}
WHOLE = {"seratus": 100, "seribu": 1000}

MONEY = {"rb", "ribu", "rebu", "ribuan", "rbu", "k", "jt", "juta", "jutaan", "jutan", "ratus", "ratusan", "perak", "rupiah"}
SIZES = {
    *("inch", "inci", "inchi", "inc", "inches", "cm", "mm", "meter", "m", "km", "awg", "ohm", "watt", "w", "volt", "v", "rms"),
    *("ch", "channel", "channels", "chanel", "kanal", "way", "din", "gb", "mb", "core", "hz", "farad", "ah", "cc", "seater"),
    *("persen", "percent", "orang", "people", "pintu", "lembar", "lubang", "titik", "hp", "kali", "x"),
}
LENGTHS = {"hari", "minggu", "bulan", "tahun", "jam", "menit", "pekan"}


def with_digits(line: Line) -> Line:
    """The line with number words as digits: "jam dua belas" is jam 12."""
    tokens: list[Token] = []
    at = 0
    while at < len(line):
        value, end = _worded(line, at)
        if value is None:
            tokens.append(line[at])
        else:
            raw = " ".join(token.raw for token in line[at:end])
            tokens.append(Token(str(value), raw))
        at = max(end, at + 1)
    return tuple(tokens)


def without_amounts(line: Line) -> Line:
    """The line with prices and sizes as <amount>, so that they can't become times or years."""
    at = 0
    while at < len(line):
        end = _amount(line, at)
        if end:
            line = replace(line, at, end, "<amount>")
        at += 1
    return line


def text_at(line: Line, at: int) -> str:
    """The word at a place, "" beyond either end."""
    return line[at].text if 0 <= at < len(line) else ""


def number_at(line: Line, at: int) -> int | None:
    """The number at a place."""
    return line[at].number if 0 <= at < len(line) else None


def _worded(line: Line, at: int) -> tuple[int | None, int]:
    total: int | None = None
    while at < len(line):
        word = line[at].text
        digit = UNITS.get(word)
        scale = SCALES.get(text_at(line, at + 1))
        if word in WHOLE:
            total, at = (total or 0) + WHOLE[word], at + 1
        elif digit is not None and scale:
            plus = digit + 10 if text_at(line, at + 1) == "belas" else digit * scale
            total, at = (total or 0) + plus, at + 2
        elif digit is not None and (total is None or (digit < 10 and total % 10 == 0)):
            total, at = (total or 0) + digit, at + 1
        else:
            break
    return total, at


def _amount(line: Line, at: int) -> int | None:
    """Where an amount that begins here ends."""
    if text_at(line, at) in {"rp", "idr"}:
        end = _figure(line, at + 1 + (text_at(line, at + 1) == "."))
        return _unit(line, end) or end if end else None
    end = _figure(line, at)
    if end is None:
        return None
    if text_at(line, at - 1) in {"jam", "tanggal", "at"}:
        return None
    return _unit(line, end) or (end if _is_decimal(line, at, end) or _is_grouped(line, at, end) else None)


def _figure(line: Line, at: int) -> int | None:
    """The end of a number with its decimals, groups, or another number after an x or a dash: 1.200.000, 6,5, 6x9."""
    if number_at(line, at) is None:
        return None
    end = at + 1
    while text_at(line, end) in {".", ",", "x", "-"} and line[end].glued and number_at(line, end + 1) is not None and line[end + 1].glued:
        end += 2
    return end


def _unit(line: Line, end: int) -> int | None:
    word = text_at(line, end)
    if word in MONEY or word in SIZES or word in {'"', "”", "%", "″"}:
        following = _unit(line, end + 1)
        return following or end + 1
    return None


def _is_decimal(line: Line, at: int, end: int) -> bool:
    return end == at + 3 and text_at(line, at + 1) in {".", ","} and len(text_at(line, at + 2)) == 1 or (end > at + 1 and text_at(line, at + 1) == "x")


def _is_grouped(line: Line, at: int, end: int) -> bool:
    return end > at + 1 and text_at(line, at + 1) in {".", ","} and all(len(text_at(line, i)) == 3 for i in range(at + 2, end, 2))
