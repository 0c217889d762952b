"""Numbers: words into digits, and amounts (prices, sizes) replaced so that they aren't read as times or years.

"dua puluh lima"  →  25        "1,2jt" "Rp 350.000" "9 inch" "4 channel" "6x9"  →  <amount>
"""

from datetime import datetime

from conversations.understand.said import Said
from conversations.understand.spelling import Line, Token, glued_at, matches, number_at, replace, span, text_at

DIGITS = {
    word: value
    for value, words in {
        0: "nol zero",
        1: "satu one siji hiji",
        2: "dua two loro",
        3: "tiga three telu tilu",
        4: "empat four papat opat",
        5: "lima five limo",
        6: "enam six enem genep",
        7: "tujuh seven pitu",
        8: "delapan lapan eight wolu dalapan",
        9: "sembilan nine songo salapan",
        10: "sepuluh ten sapuluh",
        11: "sebelas eleven",
        12: "twelve",
        15: "fifteen",
        20: "twenty",
        30: "thirty",
    }.items()
    for word in words.split()
}
SCALES = {"puluh": 10, "ratus": 100, "ribu": 1000}
ROUND = {"seratus": 100, "seribu": 1000}

MONEY = frozenset(
    {
        "rb",
        "ribu",
        "rebu",
        "ribuan",
        "rbu",
        "k",
        "jt",
        "juta",
        "jutaan",
        "jutan",
        "million",
        "ratus",
        "ratusan",
        "perak",
        "rupiah",
    }
)
SIZES = frozenset(
    {
        *("inch", "inci", "inchi", "inc", "inches", "cm", "mm", "m", "meter", "km", '"', "”", "″", "awg"),
        *("ohm", "watt", "w", "volt", "v", "rms", "hz", "farad", "ah", "cc"),
        *("gb", "mb", "core"),
        *("ch", "channel", "channels", "chanel", "kanal", "way", "din"),
        *("orang", "people", "pintu", "seater", "lembar", "titik"),
    }
)
COUNTED = frozenset({"<category>", "<part>", "pcs", "buah", "bh", "biji", "unit", "set", "pasang", "pair", "pairs"})
ORDERING = frozenset({"jadi", "ambil", "beli", "pesan", "butuh"})
AFTER_A_COUNT = frozenset({"", "ya", "saja", "kak", "dong", "deh", ",", "."})
LED_BY_TIME = frozenset({"jam", "at", "tanggal"})


def with_digits(line: Line) -> Line:
    """The line with number words as digits: "jam dua belas" is jam 12."""
    tokens: list[Token] = []
    at = 0
    while at < len(line):
        value, end = _in_words(line, at)
        tokens.append(line[at] if value is None else _number(value, line[at:end]))
        at = max(end, at + 1)
    return tuple(tokens)


def without_amounts(line: Line) -> Line:
    """The line with prices and sizes as <amount>."""
    at = 0
    while at < len(line):
        if end := _amount_end(line, at):
            line = replace(line, at, end, "<amount>")
        at += 1
    return line


def take_years(line: Line, now: datetime) -> tuple[list[Said], Line]:
    """The years of cars, and the line with <year> in their place; two digits only after "thn" or a car."""
    found = []
    for at, token in enumerate(line):
        led = text_at(line, at - 1) in {"tahun", "<car>", "'"}
        year = year_of(token.number, now) if token.number is not None else None
        if year is not None and (len(token.text) == 4 or (led and len(token.text) == 2)):
            found.append(Said("year", year, (token.start, token.end)))
            line = replace(line, at, at + 1, "<year>")
    return found, line


def year_of(number: int, now: datetime) -> int | None:
    """The year, from 1980 to next year, that four or two digits mean on a car."""
    if number < 100:
        number += 2000 if number <= now.year % 100 + 1 else 1900
    return number if 1980 <= number <= now.year + 1 else None


def counts_in(line: Line) -> list[Said]:
    """ "2 speaker", "dua pcs", "3x", "jadi 2 ya"."""
    numbers = [(at, token) for at, token in enumerate(line) if token.number is not None and not token.glued]
    counted = [(at, at + 2) for at, _ in numbers if matches(line, at + 1, COUNTED | {"x"})]
    bare = [
        (at, at + 1) for at, _ in numbers if matches(line, at - 1, ORDERING) and matches(line, at + 1, AFTER_A_COUNT)
    ]
    return [Said("quantity", line[at].number, span(line, at, end)) for at, end in sorted(counted + bare)]


def _in_words(line: Line, at: int) -> tuple[int | None, int]:
    """The value of the number words from a place on, and where they end: "dua ribu delapan belas"."""
    total: int | None = None
    while at < len(line):
        word, following = text_at(line, at), text_at(line, at + 1)
        digit = DIGITS.get(word)
        if word in ROUND:
            total, at = (total or 0) + ROUND[word], at + 1
        elif digit is not None and following == "belas":
            total, at = (total or 0) + digit + 10, at + 2
        elif digit is not None and following in SCALES:
            total, at = (total or 0) + digit * SCALES[following], at + 2
        elif digit is not None and (total is None or (digit < 10 and total % 10 == 0 and total)):
            total, at = (total or 0) + digit, at + 1
        else:
            break
    return total, at


def _number(value: int, words: Line) -> Token:
    first, last = span(words, 0, len(words))
    return Token(str(value), " ".join(token.raw for token in words), start=first, end=last)


def _amount_end(line: Line, at: int) -> int | None:
    """Where the amount that begins at a place ends; None if none begins."""
    if text_at(line, at) in {"rp", "idr"}:
        figure = figure_end(line, at + 1 + matches(line, at + 1, "."))
        return unit_end(line, figure) if figure else None
    figure = figure_end(line, at)
    if figure is None or text_at(line, at - 1) in LED_BY_TIME:
        return None
    end = unit_end(line, figure)
    return end if end > figure or is_size(line, at, figure) else None


def figure_end(line: Line, at: int) -> int | None:
    """The end of a number with its decimals, thousands, or a second number: 6,5 · 1.200.000 · 6x9 · 5-6."""
    if number_at(line, at) is None:
        return None
    end = at + 1
    while text_at(line, end) in {".", ",", "x", "-"} and glued_at(line, end) and number_at(line, end + 1) is not None:
        end += 2
    return end


def unit_end(line: Line, at: int) -> int:
    """Past the units at a place: "juta rupiah"."""
    while text_at(line, at) in MONEY or text_at(line, at) in SIZES:
        at += 1
    return at


def is_size(line: Line, at: int, end: int) -> bool:
    """Whether a figure is an amount without a unit: 6x9, one decimal (6.5), or groups of thousands (350.000)."""
    if end == at + 1:
        return False
    tail = [len(text_at(line, place)) for place in range(at + 2, end, 2)]
    return text_at(line, at + 1) == "x" or (text_at(line, at + 1) in {".", ","} and (tail == [1] or set(tail) == {3}))
